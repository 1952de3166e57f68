// The view in which a GPT learns to write: its figures are those of the same run in the terminal, its file is read there, and
// runs are kept, compared, had back.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test, type Page } from 'playwright/test';
import { expectUnblocked, tasksOf, watchBlocking } from './blocking.ts';
import { crashGpu, faultsOf, lookAt, openView, plottedOf, plottedUpTo } from './lab.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** The size `tiny` of the page, as options of `npm run gpt`. */
const TINY = '--layers 2 --width 32 --heads 2 --context 32 --batch 8 --lr 0.004';

/** `npm run gpt`, on the CPU. */
async function gpt(options: string, ...more: string[]): Promise<Record<string, unknown>> {
  const args = ['scripts/run-ts.mjs', 'demo/cli/gpt-cli.ts', '--json', '--backend', 'cpu'];
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...args, ...options.split(' '), ...more],
    { cwd: root },
  );
  return JSON.parse(stdout) as Record<string, unknown>;
}

/** The same tensors with nothing said of them. */
function withoutMetadata(file: Buffer): Buffer {
  const length = Number(file.readBigUInt64LE(0));
  const { __metadata__: _, ...tensors } = JSON.parse(
    file.subarray(8, 8 + length).toString(),
  ) as Record<string, unknown>;
  const header = Buffer.from(JSON.stringify(tensors));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([size, header, file.subarray(8 + length)]);
}

const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const expectPhase = (page: Page, phase: string) =>
  expect(page.locator('#write')).toHaveAttribute('data-phase', phase, { timeout: 60_000 });
const stepOf = async (page: Page) => Number(await page.locator('#write').getAttribute('data-step'));
const figureOf = async (page: Page, name: string) =>
  Number((await page.locator(`[data-figure="${name}"]`).getAttribute('data-value')) || NaN);
const textOf = async (page: Page) =>
  (await page.locator('#text [data-at]').allTextContents()).join('');
/** What was begun is written to its end. */
const written = (page: Page) => expect(page.locator('#text .caret')).toHaveCount(0);

async function open(
  page: Page,
  params: Readonly<Record<string, string | number>>,
): Promise<string[]> {
  const faults = faultsOf(page);
  await openView(page, 'write', { backend: 'cpu', size: 'tiny', ...params });
  return faults;
}

for (const backend of ['webgpu', 'cpu']) {
  test(`losses are those of the same run in the terminal, on ${backend} @long`, async ({
    page,
  }) => {
    const faults = await open(page, { backend, steps: 20, seed: 3 });
    const reference = gpt(`${TINY} --steps 20 --seed 3 --test-every 50`);
    await button(page, 'Train').click();
    await expectPhase(page, 'done');
    const { losses, tests } = (await reference) as {
      losses: number[];
      tests: { step: number; loss: number }[];
    };
    const apart = (a: number, b: number | undefined) => Math.abs(a - (b ?? NaN));
    expect(losses).toHaveLength(20);
    expect(apart(await figureOf(page, 'training-loss'), losses.at(-1))).toBeLessThan(1e-3);
    expect(apart(await figureOf(page, 'held-out-loss'), tests.at(-1)?.loss)).toBeLessThan(1e-3);
    // the curves: the mean of all losses so far, and each test
    await expect(page.locator('#losses')).toHaveAttribute('aria-label', /held out now A \d/);
    const { series } = await plottedUpTo(page.locator('#losses'), 20);
    expect(series.map(({ label }) => label)).toEqual(['A training', 'A held out']);
    const mean = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
    expect(apart(series[0]?.y.at(-1) ?? NaN, mean)).toBeLessThan(1e-3);
    expect(apart(series[1]?.y[0] ?? NaN, tests[0]?.loss)).toBeLessThan(1e-3);
    expect(apart(series[1]?.y.at(-1) ?? NaN, tests[1]?.loss)).toBeLessThan(1e-3);

    // how fast, and what a step is
    for (const name of ['speed', 'learned', 'written']) {
      expect(await figureOf(page, name), name).toBeGreaterThan(0);
    }
    expect(await figureOf(page, 'launches')).toBeGreaterThan(100);
    const submits = page.locator('.write-figures', { hasText: /in (one submit|\d submits)/ });
    await expect(submits).toHaveCount(backend === 'webgpu' ? 1 : 0);
    await expect(page.locator('#progress-text')).toContainText(
      backend === 'webgpu' ? 'swiftshader' : 'CPU',
    );

    // attention: each head's weights of the newest character are a distribution over those before it
    await written(page);
    const map = page.locator('#attention-map');
    for (const head of [undefined, 0, 3]) {
      if (head !== undefined) await page.locator('.head').nth(head).click();
      const weights = (await plottedOf(map)).series[0]?.y ?? [];
      const side = Math.sqrt(weights.length);
      expect(side).toBe(33);
      const last = weights.slice(-side);
      expect(last.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 5);
      for (let row = 0; row < side; row++) {
        for (let column = row; column < side; column++) {
          expect(weights[row * side + column]).toBe(0);
        }
      }
    }
    expect(faults).toEqual([]);
  });
}

test('a saved model writes in the terminal what it writes here, and comes back @long', async ({
  page,
}) => {
  const faults = await open(page, { steps: 60 });
  await button(page, 'Train').click();
  await expectPhase(page, 'done');
  const loss = await figureOf(page, 'held-out-loss');
  const download = page.waitForEvent('download');
  await button(page, 'Save').click();
  const path = await (await download).path();
  await written(page);

  await page.locator('#temperature').fill('0');
  await page.locator('#prompt').fill('The whale');
  await expect.poll(async () => (await textOf(page)).startsWith('The whale')).toBe(true);
  await expect.poll(async () => (await textOf(page)).length).toBeGreaterThan(60);
  await written(page);
  const text = await textOf(page);
  const { text: other } = await gpt(
    `--load ${path} --temperature 0 --length 45`,
    '--prompt',
    'The whale',
  );
  expect(text.slice(9, 54)).toBe(other);

  const folder = await mkdtemp(join(tmpdir(), 'nonlin-write-'));
  try {
    const file = join(folder, 'model.safetensors');
    await writeFile(file, await readFile(path));
    await page.reload();
    await expect(page.locator('main')).toHaveAttribute('data-device', 'cpu');
    await page.locator('#load').setInputFiles(file);
    await expectPhase(page, 'paused');
    await expect.poll(() => figureOf(page, 'held-out-loss')).toBeCloseTo(loss, 4);
    await expect(page.locator('.runs')).toContainText('model.safetensors');

    // what is none leaves what is there alone, and is told where it belongs
    const perceptron = await readFile(join(root, 'demo/public/digits.safetensors'));
    for (const [bad, words] of [
      [Buffer.from('no such file'), 'The run could not begin'],
      [perceptron, /multilayer perceptron of 784 → .* which the view Train of this page loads/],
    ] as const) {
      await page.locator('#load').setInputFiles({ name: 'bad', mimeType: '', buffer: bad });
      await expect(page.locator('#alerts')).toContainText(words);
      expect(await figureOf(page, 'held-out-loss')).toBeCloseTo(loss, 4);
      await button(page, 'Dismiss').click();
    }

    // as another program saves it, without a word of what it is
    const buffer = withoutMetadata(await readFile(path));
    await page.locator('#load').setInputFiles({ name: 'bare', mimeType: '', buffer });
    const found = page.locator('[data-topic="loaded"]');
    await expect(found).toContainText('bare: 2 layers of 32 numbers per character');
    await expect(found).toContainText(/: \d+ and gelu foretell the text best/);
    const heads = Number(/: (\d+) and/.exec((await found.textContent()) ?? '')?.[1]);
    // a model that has hardly learned hardly looks back
    await expect
      .poll(async () => Math.abs((await figureOf(page, 'held-out-loss')) - loss))
      .toBeLessThan(heads === 2 ? 1e-4 : 0.01);
    await button(page, 'Dismiss').click();
    await button(page, 'Resume').click();
    await expectPhase(page, 'running');
    await expect.poll(() => stepOf(page)).toBeGreaterThan(2);
  } finally {
    await rm(folder, { recursive: true });
  }
  expect(faults).toEqual([]);
});

test('a run is paused, left, had back, and holds still where nobody looks @long', async ({
  page,
}) => {
  const faults = await open(page, { steps: 2000 });
  await watchBlocking(page);
  await button(page, 'Train').click();
  await expectPhase(page, 'running');
  await expect.poll(() => stepOf(page), { timeout: 60_000 }).toBeGreaterThan(20);
  // text comes character by character
  await expect.poll(async () => (await textOf(page)).length).toBeGreaterThan(20);
  expectUnblocked(await tasksOf(page));

  // a step that was under way may still end
  const still = async () => {
    let held = -1;
    await expect(async () => {
      held = await stepOf(page);
      await page.waitForTimeout(900);
      expect(await stepOf(page)).toBe(held);
    }).toPass({ timeout: 10_000 });
    return held;
  };
  await button(page, 'Pause').click();
  await expectPhase(page, 'paused');
  const paused = await still();
  await button(page, 'Resume').click();
  await expect.poll(() => stepOf(page)).toBeGreaterThan(paused);

  const hide = (hidden: boolean) =>
    page.evaluate((value) => {
      Object.defineProperty(document, 'hidden', { configurable: true, value });
      document.dispatchEvent(new Event('visibilitychange'));
    }, hidden);
  await hide(true);
  const held = await still();
  await hide(false);
  await expect.poll(() => stepOf(page)).toBeGreaterThan(held);

  await page.getByRole('link', { name: 'Accuracy', exact: true }).click();
  await expect(page.locator('main h1')).toHaveText('Accuracy');
  await page.getByRole('link', { name: 'Write', exact: true }).click();
  await expectPhase(page, 'paused');
  const left = await still();
  expect(left).toBeGreaterThanOrEqual(held);

  // on another device it goes on from there
  await page.getByLabel('Run on').selectOption('webgpu');
  await expect(page.locator('main')).toHaveAttribute('data-device', 'webgpu');
  await expectPhase(page, 'paused');
  await button(page, 'Resume').click();
  await expect.poll(() => stepOf(page), { timeout: 60_000 }).toBeGreaterThan(left);
  await expect(page.locator('#progress-text')).toContainText('swiftshader');
  expect(faults).toEqual([]);
});

test('a GPU lost in the middle of a run: it goes on from its last copy @long', async ({ page }) => {
  await open(page, { backend: 'webgpu', steps: 2000 });
  await button(page, 'Train').click();
  await expect.poll(() => stepOf(page), { timeout: 60_000 }).toBeGreaterThan(5);
  // a pause makes a copy
  await button(page, 'Pause').click();
  await expectPhase(page, 'paused');
  const copied = await stepOf(page);
  await button(page, 'Resume').click();
  await expect.poll(() => stepOf(page)).toBeGreaterThan(copied);
  await crashGpu(page);
  await expectPhase(page, 'failed');
  const alert = page.locator('[data-topic="write"]');
  await expect(alert).toContainText(/The run was kept as it was at step \d+\./);
  const resume = alert.getByRole('button', { name: /^Resume from step/ });
  const from = Number(/\d+/.exec((await resume.textContent()) ?? '')?.[0]);
  expect(from).toBeGreaterThanOrEqual(copied);
  await resume.click();
  // the page's device is open again too
  await expect(page.locator('main')).toHaveAttribute('data-device', 'webgpu');
  await expect.poll(() => stepOf(page), { timeout: 60_000 }).toBeGreaterThan(from);
  await expectPhase(page, 'running');
  await expect(page.getByRole('alert')).toHaveCount(0);
  const { x } = await plottedOf(page.locator('#losses'));
  expect(x).toEqual([...x].sort((a, b) => a - b));
});

test('runs with other parts are compared, and each can be gone back to @long', async ({ page }) => {
  const faults = await open(page, { steps: 30 });
  await button(page, 'Train').click();
  await expectPhase(page, 'done');
  const first = await figureOf(page, 'held-out-loss');
  await page.getByLabel('Activation').selectOption('swiglu');
  await page.getByLabel('Norm').selectOption('rmsNorm');
  expect(page.url()).toContain('activation=swiglu');
  await button(page, 'Train with these settings').click();
  await expect(page.locator('.runs li')).toHaveCount(2);
  await expectPhase(page, 'done');
  const second = await figureOf(page, 'held-out-loss');
  expect(second).not.toBe(first);
  await expect(page.locator('#losses')).toHaveAttribute('aria-label', /A \d.*, B \d/);
  const points = async () => {
    const { series } = await plottedOf(page.locator('#losses'));
    return series.map(({ label, y }) => [label, y.filter(Number.isFinite).length > 1]);
  };
  // it is drawn a few times a second, so the end of a run a moment later
  await expect.poll(points).toEqual([
    ['A training', true],
    ['A held out', true],
    ['B training', true],
    ['B held out', true],
  ]);
  await expect(page.locator('.earlier')).toContainText('step 0');
  await written(page);
  await lookAt(page, 'write');

  await button(page, 'Go back to it').click();
  await expect.poll(() => figureOf(page, 'held-out-loss')).toBeCloseTo(first, 5);
  await expectPhase(page, 'done');
  await button(page, '1,000 more steps').click();
  await expect.poll(() => stepOf(page)).toBeGreaterThan(32);
  await button(page, 'Remove run B').click();
  await expect(page.locator('.runs li')).toHaveCount(1);
  expect(faults).toEqual([]);
});

test('a reload leaves runs where they were', async ({ page }) => {
  const faults = await open(page, { steps: 2000 });
  await button(page, 'Train').click();
  await expect.poll(() => stepOf(page), { timeout: 60_000 }).toBeGreaterThan(8);
  await button(page, 'Pause').click();
  await expectPhase(page, 'paused');
  await page.locator('#prompt').fill('Queequeg');
  const step = await stepOf(page);
  const curves = async () => (await plottedOf(page.locator('#losses'))).series[0]?.y.at(-1);
  await page.waitForTimeout(600);
  const loss = await curves();
  await page.reload();
  await expectPhase(page, 'paused');
  expect(await stepOf(page)).toBe(step);
  await expect.poll(curves).toBe(loss);
  await button(page, 'Resume').click();
  await expect.poll(() => stepOf(page), { timeout: 60_000 }).toBeGreaterThan(step);
  expect(faults).toEqual([]);
});

test('names are learned in place of the novel, by the address or the menu @long', async ({
  page,
}) => {
  const faults = await open(page, { steps: 40, text: 'names' });
  const text = page.getByLabel('Text', { exact: true });
  await expect(text).toHaveValue('names');
  await expect(page.locator('#prompt')).toHaveValue('');
  await button(page, 'Train').click();
  await expectPhase(page, 'done');
  await expect(page.locator('#write')).toContainText(
    '58,955 characters of text, 53 different ones',
  );
  await expect(page.locator('.runs')).toContainText('names');
  // a name a line, from the first letter
  await expect(page.locator('#prompt')).toHaveValue('');
  await written(page);
  expect(await textOf(page)).toMatch(/^\n[A-Za-z\n]{30,}$/);
  await text.selectOption('moby');
  expect(page.url()).not.toContain('text=');
  await expect(page.locator('#prompt')).toHaveValue('Call me ');
  await expect(button(page, 'Train with these settings')).toBeVisible();
  expect(faults).toEqual([]);
});

test('one’s own text is learned, where it is long enough @long', async ({ page }) => {
  const faults = await open(page, { steps: 120 });
  await page.getByLabel('Text', { exact: true }).selectOption('own');
  await page.getByLabel('Your text').fill('too short');
  await expect(page.locator('#own-help')).toContainText('needs at least 680');
  await button(page, 'Train').click();
  await expect(page.locator('#alerts')).toContainText('The text has 9 characters');
  await button(page, 'Dismiss').click();
  await page.getByLabel('Your text').fill('αβγδε ☃ '.repeat(200));
  await page.locator('#prompt').fill('αβ');
  await button(page, 'Train').click();
  await expectPhase(page, 'done');
  await expect(page.locator('.runs')).toContainText('own text');
  // a text that repeats itself can be foretold
  expect(await figureOf(page, 'held-out-loss')).toBeLessThan(0.7);
  await page.locator('#temperature').fill('0');
  await expect.poll(async () => (await textOf(page)).slice(0, 24)).toBe('αβγδε ☃ αβγδε ☃ αβγδε ☃ ');
  expect(faults).toEqual([]);
});

test('by keyboard each character says what it looked at; what is not to move comes whole', async ({
  page,
}) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  const faults = await open(page, { steps: 10 });
  await button(page, 'Train').click();
  await expect(page.locator('#text [data-at]').first()).toBeVisible();
  // all of it at once
  expect((await textOf(page)).length).toBeGreaterThan(40);
  await expectPhase(page, 'done');
  await expect(page.locator('#sample-step')).toHaveText('run A at step 10');
  await page.locator('#text').focus();
  const glance = page.locator('#glance');
  await expect(glance).toContainText('looked mostly at');
  await page.keyboard.press('Home');
  await expect(glance).toContainText('‘C’ was given.');
  for (let i = 0; i < 8; i++) await page.keyboard.press('ArrowRight');
  await expect(glance).toContainText('the model gave it');
  await expect(page.locator('#text .looked')).toHaveAttribute('data-at', '8');
  await page.keyboard.press('Escape');
  await page.locator('.head').first().focus();
  await page.keyboard.press('Enter');
  await expect(page.locator('.head').first()).toHaveAttribute('aria-pressed', 'true');
  await expect(page.locator('#head-name')).toHaveText('Layer 1, head 1');
  expect(faults).toEqual([]);
});

test('an address that cannot be says so, and a text that does not come can be asked for again', async ({
  page,
}) => {
  await page.route('**/moby-dick.txt.gz', (route) => route.fulfill({ status: 404 }));
  await open(page, { activation: 'tanh', steps: 5 });
  await expect(page.locator('#alerts')).toContainText('activation: expected one of gelu');
  await button(page, 'Dismiss').click();
  await button(page, 'Train').click();
  await expect(page.locator('#alerts')).toContainText('HTTP 404');
  await expectPhase(page, 'idle');
  await page.unroute('**/moby-dick.txt.gz');
  await button(page, 'Train').click();
  await expectPhase(page, 'done');
});
