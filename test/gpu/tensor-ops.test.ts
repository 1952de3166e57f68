import { describe } from 'vitest';
import { tensorOpsSuite } from '../tensor-ops.ts';

describe.each(['software', 'hardware'] as const)('planned for %s', (tuning) => {
  tensorOpsSuite('webgpu', { tuning });
});
