// @ts-check
/**
 * Runs the built package's checks in Deno, whose WebGPU is wgpu, and writes a report:
 * `node scripts/deno.mjs REPORT.json` (after `npm run build`).
 *
 * On Linux wgpu needs a Vulkan driver. Order: the caller's choice (VK_DRIVER_FILES), Mesa's lavapipe,
 * whatever else the system has, lavapipe installed by apt-get, SwiftShader as Chromium ships it.
 * Without one the report says so: `{ "notRun": reason }`, which is neither passed nor failed.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { aptInstall } from './apt.mjs';
import { findLavapipe, findSwiftShader } from './vulkan.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const [report] = process.argv.slice(2);
if (report === undefined) {
  console.error('usage: node scripts/deno.mjs REPORT.json');
  process.exit(2);
}
const reportPath = resolve(report);
const work = mkdtempSync(join(tmpdir(), 'nonlin-deno-'));

/**
 * Runs Deno with a driver; the environment's own where it is undefined.
 * @param {string[]} args
 * @param {string | undefined} driver
 * @param {'inherit' | 'ignore'} output
 */
function deno(args, driver, output) {
  const bin = createRequire(import.meta.url).resolve('deno/bin.cjs');
  const env = {
    // Mesa complains where it is missing
    XDG_RUNTIME_DIR: work,
    DENO_NO_UPDATE_CHECK: '1',
    // nothing but the bundle is loaded, so nothing is worth keeping
    DENO_DIR: join(work, 'deno'),
    // never OpenGL, which wgpu falls back to
    ...(process.platform === 'linux' ? { DENO_WEBGPU_BACKEND: 'vulkan' } : {}),
    ...process.env,
    ...(driver === undefined ? {} : { VK_DRIVER_FILES: driver, VK_ICD_FILENAMES: driver }),
  };
  return spawnSync(process.execPath, [bin, ...args], {
    stdio: ['ignore', output, output],
    env,
    cwd: root,
  });
}

const PROBE = 'Deno.exit((await navigator.gpu.requestAdapter()) ? 0 : 1)';

/** @param {string | undefined} driver */
const hasAdapter = (driver) =>
  deno(['eval', '--unstable-webgpu', PROBE], driver, 'ignore').status === 0;

/** @returns {{ driver: string | undefined } | undefined} a driver that gives an adapter */
function findDriver() {
  const chosen = process.env.VK_DRIVER_FILES ?? process.env.VK_ICD_FILENAMES;
  // a wish that cannot be met is no reason to use another driver; elsewhere wgpu needs no Vulkan
  if (chosen !== undefined || process.platform !== 'linux') {
    return hasAdapter(undefined) ? { driver: undefined } : undefined;
  }
  const sources = [
    findLavapipe,
    () => undefined,
    () => {
      aptInstall(['libvulkan1', 'mesa-vulkan-drivers']);
      return findLavapipe();
    },
    findSwiftShader,
  ];
  for (const find of sources) {
    const driver = find();
    if (hasAdapter(driver)) return { driver };
  }
  return undefined;
}

/** Bundles the checks; what they import of the library is the built package. */
async function bundle() {
  const sources = join(root, 'src') + sep;
  await build({
    configFile: false,
    root,
    logLevel: 'warn',
    publicDir: false,
    // golden vectors
    assetsInclude: ['**/*.json.gz'],
    // Deno has no node_modules here.
    ssr: { noExternal: [/^@stdlib\//] },
    plugins: [
      {
        name: 'nonlin:built-package',
        enforce: 'pre',
        resolveId(id, importer) {
          if (importer === undefined || !id.startsWith('.')) return null;
          const path = resolve(dirname(importer), id);
          if (!path.startsWith(sources)) return null;
          // The build leaves out what ops declare for tests: that is read of the sources.
          if (importer.startsWith(sources) || path === `${sources}catalog.ts`) return null;
          return join(root, 'dist', path.slice(sources.length).replace(/\.ts$/, '.js'));
        },
      },
    ],
    build: {
      ssr: 'test/deno/suite.ts',
      target: 'esnext',
      outDir: work,
      emptyOutDir: false,
      minify: false,
    },
  });
  return join(work, 'suite.js');
}

async function main() {
  if (deno(['--version'], undefined, 'inherit').status !== 0) return 'Deno does not start here';
  const found = findDriver();
  if (!found) return 'no Vulkan driver was found, and none could be installed';
  console.log(`driver: ${found.driver ?? 'as the system has it'}`);
  const args = ['run', '--unstable-webgpu', '--no-remote', '-A', await bundle(), reportPath];
  process.exitCode = deno(args, found.driver, 'inherit').status ?? 1;
  return undefined;
}

try {
  const notRun = await main();
  if (notRun !== undefined) {
    console.log(`not run: ${notRun}`);
    writeFileSync(reportPath, JSON.stringify({ notRun }));
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}
