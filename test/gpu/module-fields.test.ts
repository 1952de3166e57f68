import { expect, it } from 'vitest';
import { capture, nn, tensor, type Tensor } from '../../src/index.ts';
import { moduleSuite } from '../module-checks.ts';
import { openGpu } from '../open.ts';

moduleSuite(() => openGpu());

it('a captured step is captured again when its module has another dtype', async () => {
  const device = await openGpu();
  const net = new nn.PReLU({ init: 1.001 });
  const step = capture((x: Tensor) => net.forward(x));
  const call = (dtype: 'float32' | 'float16') => step(tensor([-1], { dtype })).item();
  expect(await call('float32')).toBeCloseTo(-1.001, 6);
  expect(await call('float32')).toBeCloseTo(-1.001, 6);
  net.to('float16');
  expect(await call('float16')).toBe(-1.0009765625);
  net.to('float32');
  expect(await call('float32')).toBe(-1.0009765625);
  expect(step.captures).toBe(3);
  step.dispose();
  device.dispose();
});
