// Random calls of every op, the GPU against the CPU device; and some of them in windows past the binding limit.
import { opNames } from '../calls.ts';
import { pointwiseWindowsSuite } from './pointwise-windows.ts';
import { randomCallSuite } from './random-calls.ts';

// The long lanes draw more: 150 of each op, and test/hostile/random-windows.test.ts. Nearly each call of attention needs
// pipelines of its own.
const fewer = { scaledDotProductAttention: 1 };
randomCallSuite(opNames, { draws: 2, fewer, timeLimit: 60_000 });
pointwiseWindowsSuite(8);
