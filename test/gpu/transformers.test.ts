import { describe } from 'vitest';
import { transformerSuite } from '../transformers.ts';

describe.each(['software', 'hardware'] as const)('planned for %s', (tuning) => {
  transformerSuite({ backend: 'webgpu', tuning });
});
