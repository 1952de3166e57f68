import { readDigits } from '../../demo/digits-node.ts';
import { convergenceSuite } from '../convergence.ts';

convergenceSuite('cpu', () => readDigits());
