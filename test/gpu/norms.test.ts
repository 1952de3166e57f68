import { describe } from 'vitest';
import { normSuite } from '../norms.ts';

describe.each(['software', 'hardware'] as const)('planned for %s', (tuning) => {
  normSuite('webgpu', { tuning });
});
