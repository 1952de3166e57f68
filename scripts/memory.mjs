// @ts-check
/**
 * `npm run memory`: what training a small network holds on each device, with and without `scope`, as tables.
 *
 * `-- --capture`: the time that a step of a network of 2-24-24-24-2 takes in JavaScript, as it is and captured, its launches and its
 * memory, on Dawn's null backend, where the GPU's own time is none.
 *
 * In: `-- --steps N` (100,000), `--device cpu|webgpu`, `--scope yes|no`; VK_DRIVER_FILES for another Vulkan driver. Each table
 * is made by a process of its own, on WebGPU by the npm package `webgpu` with SwiftShader as Chromium ships it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findBrowser } from './browser.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '100000' },
    device: { type: 'string', multiple: true, default: ['cpu', 'webgpu'] },
    scope: { type: 'string', multiple: true, default: ['no', 'yes'] },
    capture: { type: 'boolean', default: false },
  },
});

/** @returns {Record<string, string>} where Vulkan's loader finds SwiftShader, and the program the loader */
function softwareVulkan() {
  const browser = findBrowser();
  if (process.platform !== 'linux' || browser === undefined || process.env.VK_DRIVER_FILES)
    return {};
  // Debian's /usr/bin/chromium is a script; its files are in /usr/lib
  const folder = [dirname(realpathSync(browser)), '/usr/lib/chromium', '/usr/lib64/chromium'].find(
    (one) => existsSync(join(one, 'vk_swiftshader_icd.json')),
  );
  if (folder === undefined) return {};
  const driver = join(folder, 'vk_swiftshader_icd.json');
  return { VK_DRIVER_FILES: driver, VK_ICD_FILENAMES: driver, LD_LIBRARY_PATH: folder };
}

if (values.capture) {
  const program = ['scripts/run-ts.mjs', 'scripts/capture.ts'];
  const { status } = spawnSync(process.execPath, program, { cwd: root, stdio: 'inherit' });
  process.exit(status ?? 1);
}
for (const device of values.device) {
  for (const scope of values.scope) {
    const program = ['scripts/run-ts.mjs', 'scripts/memory.ts'];
    const args = ['--device', device, '--scope', scope, '--steps', values.steps];
    const { status } = spawnSync(process.execPath, [...program, ...args], {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, ...(device === 'webgpu' ? softwareVulkan() : {}) },
    });
    if (status !== 0) process.exitCode = 1;
  }
}
