import { readDigits } from '../../demo/cli/digits-node.ts';
import { headsSuite } from '../convergence-heads.ts';
import { convergenceSuite } from '../convergence.ts';

convergenceSuite('cpu', () => readDigits());
headsSuite('cpu');
