/**
 * The public API is what the reports in the repository say, and all that its signatures name is exported.
 */
import { it } from 'vitest';
import { node, root } from './run.ts';

it('is as test/package/*.api.md say', async () => {
  await node('scripts/api.mjs', ['--check'], root);
});
