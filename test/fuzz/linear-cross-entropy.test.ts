// The size that linearCrossEntropy is for: the last layer of a language model.
import { it } from 'vitest';
import { compare } from '../gpu/linear-memory.ts';

it('takes a quarter of the memory at 64 × 256, 128,256 classes', { timeout: 600_000 }, () =>
  compare({ rows: 64, features: 256, classes: 128_256 }),
);
