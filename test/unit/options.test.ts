import { optionsSuite } from '../options.ts';

optionsSuite('cpu');
