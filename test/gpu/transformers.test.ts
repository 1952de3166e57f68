import { describe } from 'vitest';
import { transformerSuite } from '../transformers.ts';

describe('planned for hardware', () => {
  transformerSuite('webgpu', { tuning: 'hardware' });
});

// The module's golden cases are run by this plan too.
describe('planned for software', () => {
  transformerSuite('webgpu', { tuning: 'software' }, true);
});
