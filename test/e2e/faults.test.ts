// What the page does where there is no WebGPU, and where something goes wrong.
import { expect, test, type Page } from 'playwright/test';
import {
  accuracyOf,
  draw,
  expectNoOverflow,
  expectPhase,
  faultsOf,
  ONE,
  openDemo,
} from './page.ts';
import { probabilitiesOf, stepOf, train } from './page.ts';

const SMALL = { width: 16, batchSize: 100, epochs: 1 };
const alert = (page: Page) => page.getByRole('alert');

async function withoutWebGpu(page: Page): Promise<void> {
  await page.addInitScript(() => {
    Reflect.deleteProperty(Navigator.prototype, 'gpu');
  });
}

test('without WebGPU: trains on the CPU and says how to enable it', async ({ page }) => {
  const faults = faultsOf(page);
  await withoutWebGpu(page);
  await page.setViewportSize({ width: 375, height: 812 });
  await openDemo(page, { ...SMALL, batchSize: 50, width: 32 });
  await expect(page.locator('#alerts')).toContainText('This browser has no WebGPU');
  await page.getByText('How to enable WebGPU').click();
  await expect(page.locator('#alerts')).toContainText('chrome://flags');
  await expectNoOverflow(page);
  await expect(page.locator('#device')).toHaveText('Runs on CPU');
  await train(page);
  expect(await accuracyOf(page)).toBeGreaterThan(80);
  await draw(page, ONE);
  const probabilities = await probabilitiesOf(page);
  expect(probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5);
  expect(faults).toEqual([]);
});

test('WebGPU asked for where there is none: says so and runs on the CPU', async ({ page }) => {
  await withoutWebGpu(page);
  await openDemo(page, { ...SMALL, backend: 'webgpu' });
  await expect(page.locator('#alerts')).toContainText('no navigator.gpu');
  await expect(page.locator('#device')).toHaveText('Runs on CPU');
});

test('on the CPU the page stays responsive while training', async ({ page }) => {
  await openDemo(page, { backend: 'cpu', epochs: 20 });
  await expect(page.locator('#alerts')).toBeEmpty();
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  await expect.poll(() => stepOf(page)).toBeGreaterThan(5);
  const turns = await page.evaluate(async () => {
    const times: number[] = [];
    let last = performance.now();
    for (let i = 0; i < 20; i++) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      times.push(performance.now() - last);
      last = performance.now();
    }
    return times.sort((a, b) => a - b);
  });
  // a turn after each step; the longest few are left to what else the machine does
  expect(turns[16]).toBeLessThan(300);
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await expectPhase(page, 'stopped');
});

test('another device can be chosen', async ({ page }) => {
  const faults = faultsOf(page);
  await openDemo(page, { ...SMALL, backend: 'cpu' });
  await page.getByLabel('Run on').selectOption('webgpu');
  await expect(page.locator('#device')).toContainText('WebGPU');
  await expectPhase(page, 'idle');
  await train(page);
  await page.getByLabel('Run on').selectOption('cpu');
  await expect(page.locator('#device')).toHaveText('Runs on CPU');
  // the network was on the other device
  await expect(page.locator('#verdict')).toContainText('Train the network first');
  expect(faults).toEqual([]);
});

test('a lost GPU is said, and training can start again', async ({ page }) => {
  await page.addInitScript(() => {
    const requestDevice = Reflect.get(GPUAdapter.prototype, 'requestDevice');
    GPUAdapter.prototype.requestDevice = async function (...args) {
      const device = await Reflect.apply(requestDevice, this, args);
      Reflect.set(globalThis, 'latestDevice', device);
      return device;
    };
  });
  await openDemo(page, { ...SMALL, backend: 'webgpu', epochs: 50 });
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  await expect.poll(() => stepOf(page)).toBeGreaterThan(5);
  await page.evaluate(() => {
    const device: unknown = Reflect.get(globalThis, 'latestDevice');
    if (device instanceof GPUDevice) device.destroy();
  });
  await expectPhase(page, 'failed');
  await expect(alert(page)).toHaveCount(1);
  await expect(alert(page)).toContainText('The GPU was lost');
  await page.getByRole('button', { name: 'Start again' }).click();
  await expectPhase(page, 'idle');
  await expect(alert(page)).toHaveCount(0);
  await page.getByLabel('Epochs').fill('1');
  await train(page);
});

test('an error on the page ends training and is shown', async ({ page }) => {
  await openDemo(page, { ...SMALL, backend: 'webgpu', epochs: 50 });
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  await expect.poll(() => stepOf(page)).toBeGreaterThan(5);
  await page.evaluate(() => {
    setTimeout(() => {
      throw new Error('something broke');
    }, 0);
  });
  await expectPhase(page, 'failed');
  await expect(alert(page)).toContainText('something broke');
  const step = await stepOf(page);
  await page.waitForTimeout(400);
  expect(await stepOf(page)).toBe(step);
  await page.getByLabel('Epochs').fill('1');
  await train(page);
  await expect(alert(page)).toHaveCount(0);
});

test('digits that cannot be loaded are an error with a reason', async ({ page }) => {
  await page.route('**/mnist.bin.gz', (route) => route.fulfill({ status: 404 }));
  await page.goto('/?backend=cpu');
  await expect(alert(page)).toContainText('HTTP 404');
  await expect(page.getByRole('button', { name: 'Train', exact: true })).toBeDisabled();
});

test('an address with wrong settings says which', async ({ page }) => {
  await openDemo(page, { backend: 'cpu', width: 'wide', activation: 'none', epochs: 3 });
  await expect(alert(page)).toContainText('Width: expected a whole number');
  await expect(alert(page)).toContainText('activation: expected one of');
  await expect(page.getByLabel('Epochs')).toHaveValue('3');
});
