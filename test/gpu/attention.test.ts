import { describe } from 'vitest';
import { attentionSuite } from '../attention.ts';

describe.each(['software', 'hardware'] as const)('planned for %s', (tuning) => {
  attentionSuite({ backend: 'webgpu', tuning });
});
