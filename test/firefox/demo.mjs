// @ts-check
// In: a Firefox that puppeteer drives, and the address of the built page. Out: how many checks passed; what failed is logged.

/**
 * @typedef {import('puppeteer-core').Browser} Browser
 * @typedef {import('puppeteer-core').Page} Page
 * @typedef {import('../runner.ts').Tally} Tally
 */

const MINUTE = 60_000;

/** Each view, and what has to be there once it has computed something. */
const VIEWS = {
  functions: '.card[data-drawn="webgpu"]',
  losses: '.outlier[data-fitted*="webgpu"]',
  train: '#app[data-phase="idle"]',
  write: '#write[data-phase="idle"]',
  accuracy: 'main h1',
  gpu: '#gpu[data-state="idle"]',
  benchmark: 'main h1',
};

/**
 * Opens a view on WebGPU and waits until it can be used.
 * @param {Page} page
 * @param {string} address
 */
async function open(page, address) {
  // from elsewhere: a change of the hash alone would not load the page again
  await page.goto('about:blank');
  await page.goto(address);
  await page.waitForSelector('main[data-device="webgpu"] h1', { timeout: MINUTE });
}

/**
 * @param {Page} page
 * @param {string} selector
 * @returns {Promise<string>}
 */
async function textOf(page, selector) {
  return page.$eval(selector, (element) => element.textContent);
}

/**
 * Trains a network on the digits for an epoch.
 * @param {Page} page
 * @param {string} address
 */
async function train(page, address) {
  await open(page, `${address}#/train?backend=webgpu&epochs=1&seed=1`);
  await page.waitForSelector('#app[data-phase="idle"]', { timeout: MINUTE });
  await page.locator('::-p-aria([name="Train"][role="button"])').click();
  await page.waitForSelector('#app[data-phase="done"]', { timeout: 3 * MINUTE });
  const steps = Number(/step (\d+) of/.exec(await textOf(page, '#progress-text'))?.[1]);
  if (steps !== 125) throw new Error(`${steps} steps, expected 125`);
  const accuracy = await page.$eval('[data-run="0"] [data-figure="main"]', (element) =>
    Number(element.getAttribute('data-value')),
  );
  console.log(`page: ${steps} steps, ${accuracy} of the held-out digits are read rightly`);
  if (!(accuracy > 0.8)) throw new Error(`an accuracy of ${accuracy}, expected more than 0.8`);
}

/**
 * @param {Browser} browser
 * @param {string} address
 * @returns {Promise<Tally>}
 */
export async function checkDemo(browser, address) {
  /** @type {string[]} */
  const failures = [];
  const tally = { passed: 0, failed: 0, skipped: 0, failures };
  /** @param {string} name @param {(page: Page) => Promise<void>} run */
  const check = async (name, run) => {
    const page = await browser.newPage();
    await page.setViewport({ width: 1280, height: 900 });
    /** @type {string[]} */
    const faults = [];
    page.on('console', (message) => {
      if (['error', 'warn'].includes(message.type())) faults.push(message.text());
    });
    page.on('pageerror', (error) => faults.push(String(error)));
    const start = performance.now();
    try {
      await run(page);
      if (faults.length > 0) throw new Error(`in the console: ${faults.join('\n')}`);
      tally.passed++;
      console.log(`page: ${name} in ${((performance.now() - start) / 1000).toFixed(1)} s`);
    } catch (error) {
      tally.failed++;
      failures.push(`page: ${name}: ${String(error).slice(0, 300)}`);
      console.error(`FAILED page: ${name}\n`, error, ...faults);
    }
    await page.close();
  };
  for (const [view, selector] of Object.entries(VIEWS)) {
    await check(`${view} opens`, async (page) => {
      await open(page, `${address}#/${view}?backend=webgpu`);
      await page.waitForSelector(selector, { timeout: MINUTE });
    });
  }
  await check('trains the digits', (page) => train(page, address));
  return tally;
}
