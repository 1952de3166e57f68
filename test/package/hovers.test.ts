// What an editor shows of the installed package: TypeScript leaves out comments where it infers a type, and the build puts them back.
import { beforeAll, expect, it } from 'vitest';
import { editorOf, exportsOf, hoverOf, optionDocs, type Editor } from '../editor.ts';
import { makeApp } from './app.ts';

const CODE = `import * as n from 'nonlin';
import * as kernels from 'nonlin/kernels';
declare const x: n.Tensor;
n.ppoClipLoss(x, x, x, { epsLow: 0.1 });
new n.nn.PPOClipLoss({ epsLow: 0.1 });
new n.nn.LayerNorm(2, { bias: false });
kernels.planOf(kernels.huberLoss, { shape: [2], options: { delta: 2 } });
`;

let editor: Editor;

beforeAll(async () => {
  editor = editorOf(CODE, await makeApp('hovers', {}), null);
});

it.each([
  ['n.ppoClipLoss', 'epsLow', 'How far a ratio may fall below 1'],
  ['n.nn.PPOClipLoss', 'epsLow', 'How far a ratio may fall below 1'],
  ['n.nn.LayerNorm', 'bias', 'Whether there is a learned bias'],
  ['kernels.huberLoss', 'delta', 'squares become lines'],
])('says at a call of %s what %s is', (call, option, says) => {
  expect(hoverOf(editor, call, `${option}:`).docs).toContain(says);
});

it('says something of every option of every function, class and plan', () => {
  const options = [...optionDocs(editor, 0), ...optionDocs(editor, 1)];
  expect(options.length).toBeGreaterThan(600);
  expect(options.filter(([, says]) => says === '')).toEqual([]);
});

it('says of every function what it throws', () => {
  expect(hoverOf(editor, 'n.ppoClipLoss', 'ppoClipLoss').tags).toContain(
    '@throws `ShapeError` for shapes that do not fit.',
  );
  const functions = exportsOf(editor).filter(({ type }) => type.getCallSignatures().length > 0);
  expect(functions.length).toBeGreaterThan(150);
  const without = functions.filter(({ tags }) => !tags.some(({ name }) => name === 'throws'));
  expect(without.map(({ name }) => name)).toEqual([]);
});
