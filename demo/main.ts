// Takes the page, and gives the running demo.
import './styles/base.css';
import './styles/shell.css';
import './styles/lab.css';
import { Shell } from './shell/shell.ts';

new Shell().start();
