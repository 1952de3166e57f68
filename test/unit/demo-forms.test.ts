import { init, tensor, type Device } from 'nonlin';
import { beforeAll, describe, expect, it } from 'vitest';
import { formsOf, toInput, toTarget, type Form } from '../../demo/training/forms.ts';
import { DEFAULTS, parseName, parseNumber, SettingError } from '../../demo/training/settings.ts';

let device: Device;
beforeAll(async () => {
  device = await init({ backend: 'cpu' });
});

describe('what a loss takes', () => {
  it.each<[Form['target'], number[], string]>([
    ['classes', [2, 0], 'int32'],
    ['oneHot', [0, 0, 1, 1, 0, 0], 'float32'],
    ['signs', [-1, -1, 1, 1, -1, -1], 'float32'],
    ['logOneHot', [-Infinity, -Infinity, 0, 0, -Infinity, -Infinity], 'float32'],
    ['labelSet', [2, -1, -1, 0, -1, -1], 'int32'],
  ])('labels 2 and 0 of 3 as %s', async (target, values, dtype) => {
    const made = toTarget({ input: 'logits', target }, [2, 0], 3, device);
    expect([...(await made.data())]).toEqual(values);
    expect(made.dtype).toBe(dtype);
    expect(made.shape).toEqual(target === 'classes' ? [2] : [2, 3]);
  });

  it.each<[Form['input'], number]>([
    ['logits', 0],
    ['probabilities', 0.5],
    ['logProbabilities', Math.log(0.5)],
    ['sigmoids', 0.5],
  ])('two equal logits as %s', async (input, value) => {
    const logits = tensor([[0, 0]], { device });
    const made = await toInput({ input, target: 'classes' }, logits).data();
    expect(made[0]).toBeCloseTo(value, 6);
    expect(made[1]).toBeCloseTo(value, 6);
  });

  it('is fixed for losses that would take something else without complaint', () => {
    expect(formsOf('nllLoss')).toEqual([{ input: 'logProbabilities', target: 'classes' }]);
    expect(formsOf('a loss of tomorrow').length).toBeGreaterThan(1);
  });
});

describe('settings', () => {
  it('are numbers within their range', () => {
    expect(parseNumber('width', ' 64 ')).toBe(64);
    expect(parseNumber('learningRate', '1e-3')).toBe(0.001);
    for (const text of ['', ' ', 'x', '0', '2.5', '1e9', 'NaN', 'Infinity']) {
      expect(() => parseNumber('width', text), text).toThrow(SettingError);
    }
  });

  it('are names in any case', () => {
    expect(parseName(['relu', 'leakyRelu'], 'LEAKYRELU', 'activation')).toBe('leakyRelu');
    expect(() => parseName(['relu'], 'elu', 'activation')).toThrow(
      'activation: expected one of relu, got "elu"',
    );
  });

  it('have defaults within their range', () => {
    for (const name of [
      'learningRate',
      'width',
      'layers',
      'batchSize',
      'epochs',
      'seed',
    ] as const) {
      expect(parseNumber(name, String(DEFAULTS[name]))).toBe(DEFAULTS[name]);
    }
  });
});
