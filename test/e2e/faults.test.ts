// What the page does where there is no WebGPU, and where something goes wrong.
import { expect, test, type Page } from 'playwright/test';
import { expectUnblocked, tasksOf, watchBlocking } from './blocking.ts';
import {
  expectAccessible,
  expectNoOverflow,
  faultsOf,
  openView,
  plottedOf,
  plottedUpTo,
} from './lab.ts';
import {
  draw,
  expectPhase,
  figureOf,
  ONE,
  openTraining,
  probabilitiesOf,
  stepOf,
  train,
} from './train-page.ts';

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
  await openView(page, 'functions');
  await expect(page.locator('#alerts')).toContainText('This browser has no WebGPU');
  await expect(page.locator('.comparison')).toHaveAttribute('data-drawn', /silu/);
  await page.getByText('How to enable WebGPU').click();
  await expect(page.locator('#alerts')).toContainText('chrome://flags');
  await expectNoOverflow(page);
  await expectAccessible(page, ['color-contrast', 'button-name', 'label']);
  await expect(page.locator('#device')).toHaveText('CPU');
  await page.goto(
    `/#/train?${new URLSearchParams({ width: '24', learningRate: '0.01', epochs: '1' }).toString()}`,
  );
  await expectPhase(page, 'idle');
  await train(page);
  expect(await figureOf(page, 'main')).toBeGreaterThan(0.8);
  await draw(page, ONE);
  const probabilities = await probabilitiesOf(page);
  expect(probabilities.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5);
  expect(faults).toEqual([]);
});

test('WebGPU asked for where there is none: says so and runs on the CPU', async ({ page }) => {
  await withoutWebGpu(page);
  await openTraining(page, { ...SMALL, backend: 'webgpu' });
  await expect(page.locator('#alerts')).toContainText('no navigator.gpu');
  await expect(page.locator('#device')).toHaveText('CPU');
});

test('on the CPU the page is not blocked over 100 ms by training @long', async ({ page }) => {
  // the largest network that can be chosen, on little data
  await openTraining(page, {
    backend: 'cpu',
    task: 'regression',
    vs: 'none',
    width: 384,
    layers: 8,
    epochs: 50,
  });
  await expect(page.locator('#alerts')).toBeEmpty();
  await watchBlocking(page);
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  // testing it takes a while: it says how far it is
  await expect(page.locator('#progress-text')).toContainText(/testing \d+ %/);
  await expect.poll(() => stepOf(page), { timeout: 60_000 }).toBeGreaterThanOrEqual(1);
  expectUnblocked(await tasksOf(page));
  // it ends with the step that it is at
  const step = await stepOf(page);
  await page.getByRole('button', { name: 'Stop', exact: true }).click();
  await expectPhase(page, 'stopped');
  expect(await stepOf(page)).toBeLessThanOrEqual(step + 2);
});

test('another device can be chosen', async ({ page }) => {
  const faults = faultsOf(page);
  await openTraining(page, { ...SMALL, backend: 'cpu' });
  await page.getByLabel('Run on').selectOption('webgpu');
  await expect(page.locator('#device')).toContainText('WebGPU');
  await expectPhase(page, 'idle');
  await train(page);
  const loss = await figureOf(page, 'held-out-loss');
  await page.getByLabel('Run on').selectOption('cpu');
  await expect(page.locator('#device')).toHaveText('CPU');
  // the network moves to the other device
  await expectPhase(page, 'done');
  await expect.poll(() => figureOf(page, 'held-out-loss')).toBeCloseTo(loss, 4);
  await draw(page, ONE);
  await expect(page.locator('#verdict')).toContainText('Reads as');
  expect(faults).toEqual([]);
});

/** Makes the page's latest device reachable for `loseDevice`. */
async function catchDevices(page: Page): Promise<void> {
  await page.addInitScript(() => {
    // not in a page without an address
    if (!('GPUAdapter' in globalThis)) return;
    const requestDevice = Reflect.get(GPUAdapter.prototype, 'requestDevice');
    GPUAdapter.prototype.requestDevice = async function (...args) {
      const device = await Reflect.apply(requestDevice, this, args);
      Reflect.set(globalThis, 'latestDevice', device);
      return device;
    };
  });
}

async function loseDevice(page: Page): Promise<void> {
  await page.evaluate(() => {
    const device: unknown = Reflect.get(globalThis, 'latestDevice');
    if (device instanceof GPUDevice) device.destroy();
  });
}

test('a GPU lost while training: says so, and goes on from the last checkpoint', async ({
  page,
}) => {
  const faults = faultsOf(page);
  await catchDevices(page);
  await openTraining(page, { ...SMALL, backend: 'webgpu', epochs: 3, batchSize: 50 });
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  // past the second checkpoint
  await expect.poll(() => stepOf(page), { timeout: 60_000 }).toBeGreaterThan(170);
  await loseDevice(page);
  await expectPhase(page, 'failed');
  await expect(alert(page)).toHaveCount(1);
  await expect(alert(page)).toContainText('The GPU was lost');
  const button = alert(page).getByRole('button', { name: /^Resume from step/ });
  const from = Number(/step (\d+)/.exec((await button.textContent()) ?? '')?.[1]);
  expect(from).toBeGreaterThan(0);
  await button.click();
  await expectPhase(page, 'running');
  await expect.poll(() => stepOf(page)).toBeGreaterThanOrEqual(from);
  await expectPhase(page, 'done', 60_000);
  await expect(alert(page)).toHaveCount(0);
  expect(await stepOf(page)).toBe(3 * 160);
  expect(await figureOf(page, 'main')).toBeGreaterThan(0.8);
  // what it knew before is still in the charts
  await page.getByText('Figures of each epoch').click();
  await expect(page.locator('#epoch-rows tr')).toHaveCount(3);

  // a network that is trained is not lost either
  const loss = await figureOf(page, 'held-out-loss');
  await loseDevice(page);
  await expectPhase(page, 'failed');
  await alert(page).getByRole('button', { name: 'Bring it back' }).click();
  await expectPhase(page, 'done');
  expect(await figureOf(page, 'held-out-loss')).toBeCloseTo(loss, 6);
  await draw(page, ONE);
  await expect(page.locator('#verdict')).toContainText('Reads as');
  expect(faults).toEqual([]);
});

test('a GPU lost while paused: the run goes on on the CPU @long', async ({ page }) => {
  const faults = faultsOf(page);
  await catchDevices(page);
  await openTraining(page, { ...SMALL, backend: 'webgpu', epochs: 4 });
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  await expect.poll(() => stepOf(page)).toBeGreaterThan(10);
  await page.getByRole('button', { name: 'Pause' }).click();
  await expectPhase(page, 'paused');
  await loseDevice(page);
  await expectPhase(page, 'failed');
  await page.getByLabel('Run on').selectOption('cpu');
  await expect(page.locator('#device')).toHaveText('CPU');
  await page.getByRole('button', { name: /^Resume from step/ }).click();
  await expectPhase(page, 'done', 60_000);
  expect(await stepOf(page)).toBe(4 * 80);
  expect(await figureOf(page, 'main')).toBeGreaterThan(0.75);
  expect(faults).toEqual([]);
});

test('in a hidden tab training goes on, and charts are drawn when it is seen again', async ({
  page,
}) => {
  await openTraining(page, { ...SMALL, backend: 'cpu' });
  const hide = (hidden: boolean) =>
    page.evaluate((value) => {
      Object.defineProperty(document, 'hidden', { configurable: true, value });
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
  const chart = page.getByRole('img', { name: /^Loss over the steps/ });
  await hide(true);
  await train(page);
  const before = await plottedOf(chart);
  expect(before.x).toEqual([]);
  await hide(false);
  await plottedUpTo(chart, 80);
});

test('a GPU lost while nothing trains can be opened again, in every view', async ({ page }) => {
  await catchDevices(page);
  await openView(page, 'functions', { backend: 'webgpu' });
  await expect(page.locator('.comparison')).toHaveAttribute('data-drawn', /silu/);
  await loseDevice(page);
  await expect(alert(page)).toContainText('The GPU was lost');
  await page.getByRole('button', { name: 'Open it again' }).click();
  await expect(page.locator('main')).toHaveAttribute('data-device', 'webgpu');
  await expect(alert(page)).toHaveCount(0);
  await page.locator('#op-relu').getByLabel('Compare').uncheck();
  await expect(page.locator('.comparison')).toHaveAttribute('data-drawn', 'gelu, silu');
});

test('a GPU without memory ends training, and says what helps', async ({ page }) => {
  await openTraining(page, { ...SMALL, backend: 'webgpu', epochs: 50 });
  await page.getByRole('button', { name: 'Train', exact: true }).click();
  await expect.poll(() => stepOf(page)).toBeGreaterThan(5);
  await page.evaluate(() => {
    // as a GPU does that has none left: the scopes that watch for it report it
    const push: unknown = Reflect.get(GPUDevice.prototype, 'pushErrorScope');
    const pop: unknown = Reflect.get(GPUDevice.prototype, 'popErrorScope');
    type Push = (this: GPUDevice, filter: GPUErrorFilter) => undefined;
    type Pop = (this: GPUDevice) => Promise<GPUError | null>;
    const filters: GPUErrorFilter[] = [];
    GPUDevice.prototype.pushErrorScope = function (filter) {
      filters.push(filter);
      (push as Push).call(this, filter);
    };
    GPUDevice.prototype.popErrorScope = async function () {
      const filter = filters.pop();
      const error = await (pop as Pop).call(this);
      return filter === 'out-of-memory' ? new GPUOutOfMemoryError('no memory left') : error;
    };
  });
  await expectPhase(page, 'failed');
  await expect(alert(page)).toContainText('Out of memory');
  await expect(alert(page)).toContainText('Choose smaller sizes');
  await expect(page.getByRole('button', { name: /^Resume from step/ })).toBeEnabled();
});

test('an error on the page ends training and is shown', async ({ page }) => {
  await openTraining(page, { ...SMALL, backend: 'webgpu', epochs: 50 });
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
  await page.goto('/#/train?backend=cpu');
  await expect(alert(page)).toContainText('HTTP 404');
  await expect(page.getByRole('button', { name: 'Train', exact: true })).toBeDisabled();
  await page.unroute('**/mnist.bin.gz');
  await page.getByRole('button', { name: 'Try again' }).click();
  await expectPhase(page, 'idle');
});

test('data that is slow to come can be waited for, left, and done without', async ({ page }) => {
  const faults = faultsOf(page);
  let open: () => void = () => undefined;
  await page.route('**/mnist.bin.gz', async (route) => {
    await new Promise<void>((resolve) => {
      open = resolve;
    });
    await route.continue().catch(() => undefined);
  });
  await openView(page, 'train', { backend: 'cpu' });
  const work = page.getByRole('group', { name: 'Loading the task’s data' });
  await expect(work).toBeVisible();
  await work.getByRole('button', { name: 'Cancel' }).click();
  await expect(page.locator('#alerts')).toContainText('was not loaded: cancelled');
  await expect(page.getByRole('button', { name: 'Train', exact: true })).toBeDisabled();
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(work).toBeVisible();
  // another task needs no data
  await page.getByRole('link', { name: 'Two spirals' }).click();
  await expectPhase(page, 'idle');
  await expect(work).toBeHidden();
  await page.getByRole('link', { name: 'Digits' }).click();
  await expect(work).toBeVisible();
  open();
  await expectPhase(page, 'idle');
  await expect(work).toBeHidden();
  expect(faults).toEqual([]);
});

test('an address with wrong settings says which', async ({ page }) => {
  // an address of the page before it had views
  await page.goto('/?backend=cpu&width=wide&activation=none&epochs=3');
  await expectPhase(page, 'idle');
  await expect(alert(page)).toContainText('Width: expected a whole number');
  await expect(alert(page)).toContainText('activation: expected one of');
  await expect(page.getByLabel('Epochs')).toHaveValue('3');
});
