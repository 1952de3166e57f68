// The view in which one writes an op: values, verdicts and errors against what is known of the code; links, loops, training.
import { expect, test, type Page } from 'playwright/test';
import { crashGpu, faultsOf, lookAt, openView, plottedOf } from './lab.ts';

const own = (page: Page) => page.locator('#own');
const verdict = (page: Page, name: string) => page.locator(`[data-verdict="${name}"]`);
const done = (page: Page) => expect(own(page)).toHaveAttribute('data-state', 'done');

async function open(page: Page, params: Readonly<Record<string, string>>): Promise<void> {
  await openView(page, 'own', params);
  await expect(page.locator('.cm-content')).toHaveCount(2);
}

/** Puts a text into an editor as a person does, all at once. */
async function write(page: Page, side: 'wgsl' | 'js', text: string): Promise<void> {
  await page.locator(`.editor-${side} .cm-content`).fill(text);
}

const textOf = (page: Page, side: 'wgsl' | 'js') =>
  page
    .locator(`.editor-${side} .cm-line`)
    .allInnerTexts()
    .then((lines) => lines.map((line) => line.replace(/\n$/, '')).join('\n'));

const SNAKE = {
  wgsl: `//#include "lib/sin.wgsl"
fn forward(x: f32, p: Params) -> f32 {
  let s = nl_sin(p.a * x, 0.0);
  return x + s * s / p.a;
}
fn backward(x: f32, g: f32, p: Params) -> f32 {
  return g * (1.0 + nl_sin(2.0 * p.a * x, 0.0));
}`,
  js: `const params = { a: 2 };
const forward = (x, { a }) => x + Math.sin(a * x) ** 2 / a;
const backward = (x, g, { a }) => g * (1 + Math.sin(2 * a * x));
const largestTerm = () => 1;`,
};

/** What the plot has to show of snake. */
const snake = (x: number, a: number) => x + Math.sin(a * x) ** 2 / a;
const slope = (x: number, a: number) => 1 + Math.sin(2 * a * x);

async function expectSnake(page: Page, a: number): Promise<void> {
  await expect
    .poll(async () => {
      const { x, series } = await plottedOf(page.locator('.own-curve .plot'));
      const of = (label: string) => series.find((one) => one.label === label)?.y ?? [];
      const [values, slopes] = [of('value'), of('gradient')];
      if (x.length < 100) return Infinity;
      return Math.max(
        ...x.map((at, i) =>
          Math.max(
            Math.abs((values[i] ?? NaN) - snake(at, a)),
            Math.abs((slopes[i] ?? NaN) - slope(at, a)),
          ),
        ),
      );
    })
    .toBeLessThan(5e-6);
}

for (const backend of ['webgpu', 'cpu']) {
  test(`snake, written by hand, on ${backend}${backend === 'cpu' ? ' @long' : ''}`, async ({
    page,
  }) => {
    const faults = faultsOf(page);
    await open(page, { backend });
    await done(page);
    await write(page, 'js', SNAKE.js);
    await write(page, 'wgsl', SNAKE.wgsl);
    await expectSnake(page, 2);
    await done(page);
    await expect(verdict(page, 'gradient')).toContainText('The gradient agrees');
    if (backend === 'webgpu') {
      await expect(verdict(page, 'wgsl')).toContainText('The WGSL agrees');
      for (const direction of ['forward', 'backward']) {
        const cell = page.locator(`[data-range="near"] [data-direction="${direction}"]`);
        const ulp = Number(await cell.getAttribute('data-ulp'));
        expect(ulp).toBeGreaterThan(0);
        expect(ulp).toBeLessThan(8);
        await expect(cell).toHaveAttribute('data-wrong', '0');
      }
    } else {
      await expect(verdict(page, 'wgsl')).toContainText('The WGSL does not run here');
      await expect(page.locator('[data-range]')).toHaveCount(0);
    }
    // an option of its own is a slider, and the curve follows it
    await page.locator('#own-a').fill('3');
    await expectSnake(page, 3);
    await done(page);
    expect(page.url()).toContain('set=own.a:3');
    await lookAt(page, `own-${backend}`);

    // the link carries code and options; in this tab the code is one's own
    await expect(page.locator('#start')).toHaveValue('');
    await page.reload();
    await done(page);
    await expectSnake(page, 3);
    expect(await textOf(page, 'wgsl')).toBe(SNAKE.wgsl);
    expect(await textOf(page, 'js')).toBe(SNAKE.js);
    // keyboard: Tab leaves the editors
    await page.locator('.editor-wgsl .cm-content').focus();
    await page.keyboard.press('Tab');
    await expect(page.locator('.editor-js .cm-content')).toBeFocused();
    await page.keyboard.press('Tab');
    await expect(page.locator('.editor-js .cm-content')).not.toBeFocused();
    expect(await textOf(page, 'js')).toBe(SNAKE.js);
    expect(faults).toEqual([]);
  });
}

test('code of a link runs only once one says so; broken links are told', async ({ browser }) => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const faults = faultsOf(page);
  await open(page, { backend: 'cpu' });
  await write(page, 'js', `${SNAKE.js}\nfetch('/was-run');`);
  await expect.poll(() => page.url()).toContain('code=');
  await done(page);
  const link = page.url();
  await context.close();

  const other = await browser.newContext();
  const stranger = await other.newPage();
  const asked: string[] = [];
  await stranger.route('**/was-run', (route) => {
    asked.push(route.request().url());
    return route.fulfill({ body: '' });
  });
  await stranger.goto(link);
  await expect(own(stranger)).toHaveAttribute('data-state', 'asking');
  await expect(stranger.locator('.own-notice')).toContainText('This code came with the link');
  expect(await textOf(stranger, 'js')).toContain('was-run');
  await expect(stranger.getByRole('button', { name: 'Two spirals' })).toBeDisabled();
  await stranger.waitForTimeout(1500);
  expect(asked).toEqual([]);
  await stranger.getByRole('button', { name: 'Run it' }).click();
  await done(stranger);
  await expectSnake(stranger, 2);
  expect(asked).not.toEqual([]);

  for (const [params, words] of [
    [{ kind: 'activation', name: 'x', code: link.slice(-80, -40) }, 'cut off or changed'],
    [{ kind: 'picture', code: 'AAAA' }, 'whether it is an activation or a loss'],
    [{ start: 'perceptron' }, 'no starting point “perceptron”'],
  ] as const) {
    await open(stranger, { backend: 'cpu', ...params });
    await expect(stranger.locator('[data-topic="query"]')).toContainText(words);
    await done(stranger);
    await expect(stranger.locator('#start')).toHaveValue('softclip');
  }
  expect(faults.filter((words) => !words.includes('was-run') && !words.includes('404'))).toEqual(
    [],
  );
  await other.close();
});

test('a wrong gradient is named with its place, in JavaScript and in WGSL', async ({ page }) => {
  const faults = faultsOf(page);
  await open(page, { backend: 'webgpu', start: 'snake' });
  await done(page);
  await write(
    page,
    'js',
    SNAKE.js
      .replace('1 + Math.sin(2 *', '1.1 + Math.sin(2 *')
      .replaceAll('a ', 'alpha ')
      .replace('{ a:', '{ alpha:')
      .replaceAll('/ a', '/ alpha'),
  );
  await expect(verdict(page, 'gradient')).toContainText(/The gradient is wrong at x = -?\d/);
  const words = (await verdict(page, 'gradient').textContent()) ?? '';
  const [, at, got, want] = (
    /at x = (\S+)\s+There backward gives (\S+); the slope of forward is (\S+)\.$/.exec(
      words.trim(),
    ) ?? []
  ).map(Number);
  expect(want).toBeCloseTo(slope(at ?? NaN, 2), 2);
  expect((got ?? NaN) - (want ?? NaN)).toBeCloseTo(0.1, 2);

  await page.locator('#start').selectOption('softclip');
  await done(page);
  await write(
    page,
    'wgsl',
    'fn forward(x: f32, p: Params) -> f32 { return x / (1.0 + abs(x) / p.limit); }\n' +
      'fn backward(x: f32, g: f32, p: Params) -> f32 { return g; }',
  );
  await expect(verdict(page, 'wgsl')).toContainText('backward of the WGSL is wrong at');
  await expect(verdict(page, 'wgsl')).toContainText('There it gives 1; the JavaScript gives');
  await expect(verdict(page, 'gradient')).toContainText('The gradient agrees');
  expect(faults).toEqual([]);
});

test('errors stand at their line: WGSL, grammar of JavaScript, and what it throws', async ({
  page,
}) => {
  const faults = faultsOf(page);
  await open(page, { backend: 'webgpu' });
  await done(page);
  const marked = (side: string) => page.locator(`.editor-${side} .cm-lintRange-error`);
  const notes = (side: string) => page.locator(`.editor-${side} .problem`);

  const sound = await textOf(page, 'wgsl');
  await write(page, 'wgsl', sound.replace('return x / (1.0', 'return y / (1.0'));
  await expect(notes('wgsl')).toContainText('y');
  await expect(notes('wgsl')).toHaveAttribute('data-line', '3');
  await expect(marked('wgsl')).toHaveText('y');
  await expect(own(page)).toHaveAttribute('data-state', 'fault');
  await expect(page.getByRole('button', { name: 'Two spirals' })).toBeDisabled();
  await lookAt(page, 'own-error');
  await page.getByRole('button', { name: 'Line 3' }).click();
  await expect(page.locator('.editor-wgsl .cm-content')).toBeFocused();
  await write(page, 'wgsl', `//#include "lib/nothing.wgsl"\n${sound}`);
  await expect(notes('wgsl')).toContainText('There is no file "lib/nothing.wgsl"');
  await write(page, 'wgsl', sound);
  await done(page);
  await expect(notes('wgsl')).toHaveCount(0);

  const js = await textOf(page, 'js');
  await write(page, 'js', js.replace('return x /', 'return x / *'));
  await expect(notes('js')).toContainText('SyntaxError');
  const line = js.split('\n').findIndex((text) => text.includes('return x /')) + 1;
  await expect(notes('js')).toHaveAttribute('data-line', String(line));
  await write(page, 'js', js.replace('Math.abs(x) / limit)', 'Math.absent(x) / limit)'));
  await expect(notes('js')).toContainText('TypeError');
  await expect(notes('js')).toHaveAttribute('data-line', String(line));
  await page.setViewportSize({ width: 390, height: 844 });
  await page.getByRole('button', { name: 'WGSL', exact: true }).click();
  await expect(page.locator('.editor-js')).toBeHidden();
  await page.getByRole('button', { name: 'JavaScript: error' }).click();
  await expect(notes('js')).toBeVisible();
  await write(page, 'js', js.replace('return x /', 'x /'));
  await expect(notes('js')).toContainText('forward gives nothing, where a number is expected');
  expect(faults).toEqual([]);
});

test('a loop without an end in the JavaScript holds up nothing', async ({ page }) => {
  const faults = faultsOf(page);
  await open(page, { backend: 'cpu' });
  await done(page);
  const js = await textOf(page, 'js');
  await write(page, 'js', js.replace('return x /', 'for (;;); return x /'));
  await expect(page.locator('.own-notice')).toContainText('did not come to an end');
  await expect(own(page)).toHaveAttribute('data-state', 'fault');
  await write(page, 'js', js);
  await done(page);
  await expect(verdict(page, 'gradient')).toContainText('The gradient agrees');
  expect(faults).toEqual([]);
});

for (const [start, backend, rival] of [
  ['snake', 'webgpu', 'relu'],
  ['gemanMcClure', 'cpu', 'mseLoss'],
] as const) {
  test(`${start} trains beside ${rival} on ${backend} @long`, async ({ page }) => {
    const faults = faultsOf(page);
    await open(page, { backend, start });
    await done(page);
    await page.getByRole('button', { name: 'Two spirals' }).click();
    const match = page.locator('#match');
    await expect
      .poll(async () => Number(await match.getAttribute('data-progress')))
      .toBeGreaterThan(0.3);
    if (backend === 'webgpu') await lookAt(page, 'own-training');
    await expect(match).toHaveAttribute('data-phase', 'ended', { timeout: 90_000 });
    for (const [i, name] of [rival, start].entries()) {
      const entrant = page.locator(`[data-entrant="${i}"]`);
      await expect(entrant).toContainText(name);
      expect(Number(await entrant.getAttribute('data-accuracy'))).toBeGreaterThan(0.85);
    }
    await page.getByRole('button', { name: 'Digits' }).click();
    await expect
      .poll(async () => Number(await match.getAttribute('data-progress')), { timeout: 60_000 })
      .toBeGreaterThan(0.1);
    await page.getByRole('button', { name: 'Stop' }).click();
    await expect(match).toHaveAttribute('data-phase', 'stopped');
    const { series } = await plottedOf(page.locator('.match-chart .plot'));
    expect(series.map(({ label }) => label)).toEqual([rival, start]);
    for (const { y } of series) expect(y.at(-1)).toBeGreaterThan(0.3);
    expect(faults).toEqual([]);
  });
}

test('a GPU lost while code trains: nothing runs again by itself, and it goes on by a press @long', async ({
  page,
}) => {
  await open(page, { backend: 'webgpu', start: 'snake' });
  await done(page);
  await page.getByRole('button', { name: 'Two spirals' }).click();
  await expect
    .poll(async () => Number(await page.locator('#match').getAttribute('data-progress')))
    .toBeGreaterThan(0);
  await crashGpu(page);
  await expect(page.locator('#match')).toHaveAttribute('data-phase', 'stopped');
  await expect(page.locator('.own-notice')).toContainText('The GPU was lost while this code ran');
  await expect(own(page)).toHaveAttribute('data-state', 'asking');
  await page.getByRole('button', { name: 'Open it again' }).click();
  await expect(page.locator('main')).toHaveAttribute('data-device', 'webgpu');
  await expect(own(page)).toHaveAttribute('data-state', 'asking');
  await page.getByRole('button', { name: 'Run it' }).click();
  await done(page);
  await expect(verdict(page, 'wgsl')).toContainText('The WGSL agrees');
  // the starting point's own option
  await expectSnake(page, 1);
  await expect(page.getByRole('button', { name: 'Two spirals' })).toBeEnabled();
});

test('a GPU lost while no code runs is opened again, and the code with it', async ({ page }) => {
  await open(page, { backend: 'webgpu', start: 'snake' });
  await done(page);
  await crashGpu(page);
  await page.getByRole('button', { name: 'Open it again' }).click();
  await done(page);
  await expect(verdict(page, 'wgsl')).toContainText('The WGSL agrees');
  await expect(page.locator('.own-notice')).toHaveCount(0);
});
