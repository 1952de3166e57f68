import { transformerSuite } from '../transformers.ts';

transformerSuite('cpu');
