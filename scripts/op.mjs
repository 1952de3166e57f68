// @ts-check
/**
 * `npm run test:op -- gelu`: all that is checked of one op, on the CPU; with `--gpu` on WebGPU, by the adapter's own plan and by
 * the one for hardware. Only the op's golden files are loaded.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureBrowser } from './browser.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { gpu: { type: 'boolean', default: false } },
});
const [op, ...others] = positionals;
if (op === undefined || others.length > 0) {
  console.error('one op is wanted: npm run test:op -- gelu [--gpu]');
  process.exit(2);
}
if (values.gpu) ensureBrowser();
const root = fileURLToPath(new URL('..', import.meta.url));
const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
const { status } = spawnSync(
  process.execPath,
  [vitest, 'run', '--project', values.gpu ? 'op-gpu' : 'op'],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, VITE_OP: op, VITE_BACKEND: values.gpu ? 'webgpu' : 'cpu' },
  },
);
process.exitCode = status ?? 1;
