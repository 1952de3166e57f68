import { describe } from 'vitest';
import { embeddingSuite } from '../embeddings.ts';

describe.each(['software', 'hardware'] as const)('planned for %s', (tuning) => {
  embeddingSuite({ backend: 'webgpu', tuning });
});
