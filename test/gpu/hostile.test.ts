// Hostile values for every op in a size or two, by the plan for hardware. All sizes and families, by either plan: `npm run test:hostile`.
import { expect, it } from 'vitest';
import * as nonlin from '../../src/index.ts';
import { opNames } from '../calls.ts';
import { hostileSuite } from './hostile-suite.ts';

hostileSuite(opNames, { amount: 'few', software: false, optimizers: true });

/**
 * Exported functions that compute nothing from tensors' values, and norms of sums, which test/gpu/channel-norms.test.ts holds to
 * the bits of a sum and its norm.
 */
const NO_OPS = [
  'activationModule',
  'addLayerNorm',
  'addRmsNorm',
  'arange',
  'capture',
  'checkGradient',
  'defineActivation',
  'defineLoss',
  'full',
  'init',
  'lossModule',
  'manualSeed',
  'noGrad',
  'ones',
  'randn',
  'scope',
  'tensor',
  'zeros',
];

it('covers every exported op', () => {
  const functions = Object.entries(nonlin)
    .filter(([name, value]) => typeof value === 'function' && /^[a-z]/.test(name))
    .map(([name]) => name);
  expect(functions.filter((name) => !opNames.includes(name)).sort()).toEqual(NO_OPS);
});
