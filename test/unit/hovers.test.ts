// What an editor shows of options: each has documentation and a type that a person can read.
import { describe, expect, it } from 'vitest';
import { editorOf, exportsOf, hoverOf, optionDocs } from '../editor.ts';

const CALLS: readonly [call: string, option: string, type: string, says: string][] = [
  ['crossEntropy(x, x, { labelSmoothing: 0.1 })', 'labelSmoothing', 'number', 'over all classes'],
  ['crossEntropy(x, x, { reduction: "none" })', 'reduction', 'Reduction', 'one loss per target'],
  ['gelu(x, { approximate: "tanh" })', 'approximate', '"none" | "tanh"', 'error function'],
  ['leakyRelu(x, { negativeSlope: 0.1 })', 'negativeSlope', 'number', 'slope below 0'],
  ['leakyRelu(x, { bias: x })', 'bias', 'Tensor', 'in the same kernel'],
  ['huberLoss(x, x, { delta: 2 })', 'delta', 'number', 'squares become lines'],
  ['huberLoss(x, x, { weight: x })', 'weight', 'Tensor', 'factor of each loss'],
  ['huberLoss(x, x, { reduction: "sum" })', 'reduction', 'Reduction', 'over all elements'],
  ['dpoLoss(x, x, x, x, { lossType: "ipo" })', 'lossType', '"sigmoid" | "hinge" | "ipo"', 'hinge'],
  ['tverskyLoss(x, x, { alpha: 1 })', 'alpha', 'number', 'false positives'],
  ['supConLoss(x, x, { temperature: 1 })', 'temperature', 'number', 'divided by'],
  ['layerNorm(x, [2], { weight: x })', 'weight', 'Tensor | null', 'factor of each element'],
  ['new nn.GELU({ approximate: "tanh" })', 'approximate', '"none" | "tanh"', 'error function'],
];

describe('hovers', () => {
  const lines = CALLS.map(
    ([call]) => `${call.startsWith('new') ? call.replace('nn', 'n.nn') : `n.${call}`};`,
  );
  const code = `import * as n from 'nonlin';\ndeclare const x: n.Tensor;\n${lines.join('\n')}\n`;
  const editor = editorOf(code);

  it.each(CALLS.map((one, i) => [one[0], i, one] as const))(
    '%s',
    (_, i, [, option, type, says]) => {
      const { text, docs } = hoverOf(editor, lines[i] ?? '', `${option}:`);
      const shown = text.replaceAll('n.', '');
      expect(shown.replace(/ \| undefined$/, '')).toMatch(new RegExp(`${option}\\?: .+$`));
      expect(shown).toContain(`: ${type}`);
      expect(shown.length).toBeLessThan(120);
      expect(docs).toContain(says);
    },
  );

  it('say something of every option of every function and class; functions have an example', () => {
    const options = optionDocs(editor);
    expect(options.length).toBeGreaterThan(500);
    expect(options.filter(([, says]) => says === '')).toEqual([]);
    const without = exportsOf(editor).filter(
      ({ name, type, tags }) =>
        !name.includes('.') &&
        type.getCallSignatures().length > 0 &&
        !tags.some((tag) => tag.name === 'example'),
    );
    expect(without.map(({ name }) => name)).toEqual([]);
  });

  it('say something of every option of a plan', () => {
    const options = optionDocs(editorOf(`import * as kernels from 'nonlin/kernels';\nkernels;\n`));
    expect(options.length).toBeGreaterThan(100);
    expect(options.filter(([, says]) => says === '')).toEqual([]);
  });

  it('say at a call what it throws', () => {
    const { docs, tags } = hoverOf(editor, lines[0] ?? '', 'crossEntropy');
    expect(docs).toContain('Cross-entropy of logits');
    expect(tags.map((tag) => tag.slice(0, 30))).toContain('@throws `IndexOutOfRangeError`');
    expect(tags.some((tag) => tag.startsWith('@example'))).toBe(true);
  });
});
