import { transformerSuite } from '../transformers.ts';

transformerSuite({ backend: 'cpu' });
