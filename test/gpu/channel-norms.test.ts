import { describe } from 'vitest';
import { channelNormSuite } from '../channel-norms.ts';

describe.each(['software', 'hardware'] as const)('planned for %s', (tuning) => {
  channelNormSuite({ backend: 'webgpu', tuning });
});
