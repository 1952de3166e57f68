import { adaptiveSoftmaxSuite } from '../adaptive-softmax.ts';

adaptiveSoftmaxSuite('cpu');
