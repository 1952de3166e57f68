import { readDigits } from '../../demo/cli/digits-node.ts';
import { convergenceSuite } from '../convergence.ts';

convergenceSuite('cpu', () => readDigits());
