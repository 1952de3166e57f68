/// <reference types="vitest/config" />
import { fileURLToPath } from 'node:url';
import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vite';
import { launchOptions } from './scripts/browser.mjs';
import { cpuOption } from './scripts/optional-cpu.mjs';
import { docsStripper } from './scripts/strip-docs.mjs';
import { namespaces } from './scripts/namespaces.mjs';
import { vendored } from './scripts/vendor.mjs';
import { shadersFirst, wgslMinify } from './scripts/wgsl-minify.mjs';

const shim = (name: string): string =>
  fileURLToPath(new URL(`scripts/shims/${name}.cjs`, import.meta.url));

/** Most of the weight of erf and erfc is what they stand on; the shims say why each is not needed. */
const lighter = {
  '@stdlib/math-base-special-exp': shim('exp'),
  '@stdlib/number-float64-base-set-low-word': shim('set-low-word'),
};

/** Flags for tests: gc() is for tests of what garbage collection gives back. */
const flags = [
  '--js-flags=--expose-gc',
  // SwiftShader compiles the zeros of workgroup memory as one store a word, which takes seconds; Dawn's loop does the same.
  '--disable-dawn-features=use_vulkan_zero_initialize_workgroup_memory_extension',
];

/** Tests that run in a headless browser. */
const inBrowser = {
  setupFiles: ['test/seed.setup.ts'],
  testTimeout: 60_000,
  hookTimeout: 60_000,
  browser: {
    enabled: true,
    provider: playwright({ launchOptions: launchOptions(flags) }),
    headless: true,
    ui: false,
    screenshotFailures: false,
    instances: [{ browser: 'chromium' as const }],
  },
};

export default defineConfig({
  plugins: [
    wgslMinify(),
    docsStripper(),
    cpuOption(),
    namespaces(),
    shadersFirst(['index.js', 'kernels.js', 'nn/index.js', 'optim/index.js']),
    vendored({ erfc: '@stdlib/math-base-special-erfc' }, lighter),
  ],
  resolve: { alias: lighter },
  // golden vectors
  assetsInclude: ['**/*.json.gz'],
  // the library has no static assets
  publicDir: false,
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: true,
    sourcemap: true,
    // consumers minify; readable names and /* @__PURE__ */ comments stay
    minify: false,
    lib: { entry: ['src/index.ts', 'src/kernels.ts'], formats: ['es'] },
    rolldownOptions: {
      // the optional peer and Node's own modules are never bundled
      external: ['webgpu', /^node:/],
      output: {
        // one file out per file in: a consumer's bundler drops what is not imported
        preserveModules: true,
        preserveModulesRoot: 'src',
        entryFileNames: '[name].js',
      },
    },
  },
  test: {
    // the filters are in scripts/lanes.mjs: without one, all of a file is run
    tags: [{ name: 'long', description: 'a part of npm run test:full, which npm test leaves out' }],
    projects: [
      {
        extends: true,
        // the demo says `from 'nonlin'`, as an app does
        resolve: { alias: { nonlin: fileURLToPath(new URL('src/index.ts', import.meta.url)) } },
        test: {
          name: 'unit',
          environment: 'node',
          include: ['test/unit/**/*.test.ts'],
          setupFiles: ['test/seed.setup.ts'],
          // files share the sources, whose loading was a fifth of the lane's time
          isolate: false,
          // the GPU lane runs beside it, and a machine may have two cores
          testTimeout: 30_000,
        },
      },
      {
        extends: true,
        // the demo says `from 'nonlin'`, as an app does
        resolve: { alias: { nonlin: fileURLToPath(new URL('src/index.ts', import.meta.url)) } },
        test: {
          name: 'gpu',
          include: ['test/gpu/**/*.test.ts'],
          globalSetup: ['test/gpu/digits.setup.ts'],
          // files share a page, and so a GPUDevice with the pipelines that were compiled: test/open.ts
          isolate: false,
          ...inBrowser,
        },
      },
      {
        extends: true,
        // one op, on the CPU and on the GPU: see scripts/op.mjs
        test: {
          name: 'op',
          environment: 'node',
          include: ['test/op/**/*.test.ts'],
          setupFiles: ['test/seed.setup.ts'],
        },
      },
      {
        extends: true,
        test: { name: 'op-gpu', include: ['test/op/**/*.test.ts'], ...inBrowser },
      },
      {
        extends: true,
        // a long lane: see scripts/test.mjs and scripts/fuzz.mjs
        test: { name: 'fuzz', include: ['test/fuzz/**/*.test.ts'], ...inBrowser },
      },
      {
        extends: true,
        // a long lane too
        test: {
          name: 'hostile',
          // a page for each file: all pipelines of the lane together would take more than 7 GB
          include: ['test/hostile/**/*.test.ts'],
          ...inBrowser,
        },
      },
      {
        extends: true,
        test: {
          name: 'package',
          environment: 'node',
          include: ['test/package/**/*.test.ts'],
          globalSetup: ['test/package/pack.setup.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
      {
        extends: true,
        // a long lane: with other libraries, which it installs first, on one device
        test: {
          name: 'interop',
          environment: 'node',
          include: ['test/interop/**/*.test.ts'],
          globalSetup: ['test/package/pack.setup.ts', 'test/interop/peers.setup.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
        },
      },
    ],
  },
});
