// Every differentiable op against central differences of itself, in float64, and against its declared functions.
import { describe, expect, it } from 'vitest';
import { catalog } from '../../src/catalog.ts';
import { tensor, type Tensor } from '../../src/index.ts';
import { functionOf, opNames, requiredOptions } from '../calls.ts';
import { gradientSuite } from '../gradient-suite.ts';
import { LONG } from '../parts.ts';
import { Float64Device, valuesOf } from './float64-device.ts';

const device = new Float64Device();

describe('gradients against central differences', () => {
  gradientSuite(opNames, 10);
});

describe('gradients against central differences, more calls', LONG, () => {
  gradientSuite(opNames);
});

describe('declared functions', () => {
  const activations = catalog.filter((op) => op.kind === 'activation' && 'epilogue' in op);

  it('are there to be tested', () => {
    expect(activations.length).toBeGreaterThanOrEqual(4);
  });

  for (const { op, params } of activations) {
    it(`${op} has the derivative of its own forward function`, () => {
      const xs = [
        -19.3, -5.3, -2.01, -1.1, -0.7, -0.2, -1e-3, 1e-3, 0.2, 0.7, 1.1, 2.01, 2.9, 5.3, 19.3,
      ];
      const value = (x: number): number => {
        const input = tensor([0], { device });
        valuesOf(input)[0] = x;
        return valuesOf(functionOf(op)(input, requiredOptions(op)) as Tensor)[0] ?? NaN;
      };
      for (const x of xs) {
        const input = tensor([0], { device, requiresGrad: true });
        valuesOf(input)[0] = x;
        (functionOf(op)(input, requiredOptions(op)) as Tensor).backward();
        const grad = input.grad && valuesOf(input.grad)[0];
        // Richardson: two central differences, the h² term gone.
        const h = 1e-3 * Math.min(1, Math.abs(x));
        const slope = (d: number): number => (value(x + d) - value(x - d)) / (2 * d);
        const expected = (4 * slope(h / 2) - slope(h)) / 3;
        expect(
          Math.abs((grad ?? NaN) - expected),
          `at ${x} with ${JSON.stringify(params)}`,
        ).toBeLessThan(1e-8 * Math.max(1, Math.abs(expected)));
      }
    });
  }
});
