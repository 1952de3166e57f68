// In: the page. Out: the running demo.
import 'uplot/dist/uPlot.min.css';
import './style.css';
import { App } from './app.ts';

const app = new App();
// whatever nobody caught ends training and is shown
addEventListener('error', (event) => app.fail(event.error ?? event.message));
addEventListener('unhandledrejection', (event) => app.fail(event.reason));
await app.start();
