import { defineConfig } from 'playwright/test';
import { launchOptions } from './scripts/browser.mjs';

const port = Number(process.env.E2E_PORT ?? 4391);
const url = `http://localhost:${port}/`;

export default defineConfig({
  testDir: 'test/e2e',
  testMatch: '**/*.test.ts',
  outputDir: 'test-results/e2e',
  // one software adapter shared by all tests: side by side they only slow each other down
  workers: 1,
  timeout: 120_000,
  expect: { timeout: 30_000 },
  forbidOnly: Boolean(process.env.CI),
  reporter: [['list'], ['json', { outputFile: process.env.E2E_REPORT ?? 'test-results/e2e.json' }]],
  use: {
    baseURL: url,
    browserName: 'chromium',
    headless: true,
    // tests end the GPU's process; after three times the browser would do without it
    launchOptions: launchOptions(['--disable-gpu-process-crash-limit']),
    screenshot: 'only-on-failure',
    // recording every step costs a third of the time: `npx playwright test --trace on` where one is wanted
    trace: 'off',
  },
  webServer: {
    // the page as it is published, not the dev server's
    command: `npm run build:demo && npm run preview:demo -- --host localhost --port ${port} --strictPort`,
    url,
    timeout: 180_000,
    reuseExistingServer: false,
  },
});
