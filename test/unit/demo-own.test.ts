// The pure parts of the view in which one writes an op: links, references, declared ops, words, and that the starting points are
// right.
import { describe, expect, test } from 'vitest';
import { checkGradient, init, tensor } from '../../src/index.ts';
import { declare } from '../../demo/views/own/declare.ts';
import { BrokenLink, codeOf, linkParams } from '../../demo/views/own/link.ts';
import type { OwnCode } from '../../demo/views/own/protocol.ts';
import { ReferenceFault, referenceOf } from '../../demo/views/own/reference.ts';
import { FIRST, STARTS } from '../../demo/views/own/starts.ts';
import { appCode, gradientVerdict } from '../../demo/views/own/words.ts';

const paramsOf = async (code: OwnCode) => {
  const entries = Object.entries(await linkParams(code)).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  );
  return new URLSearchParams(entries);
};

describe('links', () => {
  test('carry any code, and name what is a starting point', async () => {
    const code: OwnCode = { kind: 'loss', name: 'mine', wgsl: '// ≤ ½ 🙂\n', js: 'a\r\n\u2028' };
    const params = await paramsOf(code);
    expect(params.get('code')).toMatch(/^[\w-]+$/);
    expect(await codeOf(new URLSearchParams(params.toString()))).toEqual(code);
    for (const start of STARTS) {
      const named = await paramsOf(start);
      expect(named.has('code')).toBe(false);
      expect(await codeOf(named)).toBe(start);
    }
    expect((await paramsOf(FIRST)).toString()).toBe('');
  });

  test('that hold nothing to show say so', async () => {
    const params = await paramsOf({ ...FIRST, js: '1' });
    const packed = params.get('code') ?? '';
    const long = await paramsOf({ ...FIRST, js: 'x'.repeat(200_000) });
    for (const [change, words] of [
      [{ code: packed.slice(0, -9) }, 'cut off or changed'],
      [{ code: '%%' }, 'cut off or changed'],
      [{ code: long.get('code') ?? '' }, 'longer than this page takes'],
      [{ kind: 'table' }, 'an activation or a loss'],
      [{ name: 'a b' }, 'name'],
    ] as const) {
      const changed = new URLSearchParams({ ...Object.fromEntries(params), ...change });
      const error: unknown = await codeOf(changed).catch((e: unknown) => e);
      expect(error).toBeInstanceOf(BrokenLink);
      expect((error as BrokenLink).message).toContain(words);
    }
  });
});

describe('references', () => {
  const problemOf = (js: string, call = false) => {
    try {
      const { forward } = referenceOf(js);
      if (call) forward(1);
    } catch (error) {
      if (error instanceof ReferenceFault) return error.problem;
      throw error;
    }
    return undefined;
  };

  test('say what is missing, and in which line they throw', () => {
    expect(problemOf('const forward = (x) => x;')?.words).toBe('There is no function backward.');
    expect(problemOf('const forward = ;')?.words).toMatch(/^SyntaxError/);
    expect(problemOf('\n\nnull.x;')).toMatchObject({ line: 3, where: 'js' });
    const thrower = 'function backward() {}\nfunction forward(x) {\n  return x.y.z;\n}';
    expect(problemOf(thrower, true)).toMatchObject({ line: 3, words: /TypeError/ });
  });

  test('must give numbers, and of a loss two gradients', () => {
    const wgsl = '';
    const activation = declare(
      {
        kind: 'activation',
        name: 'f',
        wgsl,
        js: 'const forward = (x) => `${x}`, backward = forward;',
      },
      {},
    );
    expect(() => activation.value(1, 0)).toThrow('forward gives a string');
    const loss = declare(
      { kind: 'loss', name: 'f', wgsl, js: 'const forward = () => 0, backward = () => 1;' },
      {},
    );
    expect(() => loss.slope(1, 0)).toThrow('two numbers');
    expect(() =>
      declare(
        {
          kind: 'activation',
          name: 'f',
          wgsl,
          js: 'const params = { a: "b" }, forward = (x) => x, backward = forward;',
        },
        {},
      ),
    ).toThrow(ReferenceFault);
  });
});

test.each(STARTS.map((start) => [start.name, start] as const))(
  'the starting point %s has the gradient of its function, with other options too',
  async (_, start) => {
    const device = await init({ backend: 'cpu' });
    for (const values of [{}, { limit: 2, alpha: 0.7, b: 1, width: 0.5, scale: 2, tilt: 0.25 }]) {
      const own = declare(start, values);
      const check = await checkGradient(own.op, { device, options: own.options });
      expect(check.ok).toBe(true);
      expect(gradientVerdict(check, start.kind).good).toBe(true);
      const x = tensor([0.5], { device });
      const [y] = await own.apply(x, () => 0.25).data();
      expect(y).toBeCloseTo(own.value(0.5, 0.25), 6);
    }
  },
);

test('a wrong gradient is told with its place', async () => {
  const device = await init({ backend: 'cpu' });
  const js = 'const forward = (x) => x * x, backward = (x, g) => (x > 0 ? 2 : 3) * x * g;';
  const own = declare({ kind: 'activation', name: 'f', wgsl: '', js }, {});
  const said = gradientVerdict(await checkGradient(own.op, { device }), 'activation');
  expect(said.good).toBe(false);
  const at = Number(/at x = (\S+)/.exec(said.words)?.[1]);
  expect(at).toBeLessThan(0);
  const [got, want] = (said.more.match(/-?\d[\d.e-]*\d/g) ?? []).map(Number);
  expect(got).toBeCloseTo(3 * at, 2);
  expect(want).toBeCloseTo(2 * at, 2);
});

test('what is copied for an app is the code, as a declaration', () => {
  const snake = STARTS.find(({ name }) => name === 'snake') ?? FIRST;
  const text = appCode({ ...snake, wgsl: `${snake.wgsl}// \`$\{x}\`` });
  expect(text).toContain("import { defineActivation, wgsl as library } from 'nonlin';");
  expect(text).toContain('includes: [library.sin],');
  expect(text).toContain('// \\`\\${x}\\`');
  expect(text).toContain('largestTerm,');
  const loss = appCode(STARTS.find(({ kind }) => kind === 'loss') ?? FIRST);
  expect(loss).toContain('export const gemanMcClure = defineLoss({');
});
