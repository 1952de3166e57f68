// Plans of rrelu as it is used, with the mean of its slopes: those of training are other numbers in each call.
import rrelu, { type RReluBounds } from '../activations/rrelu.ts';
import { elementwise } from '../kernels/pointwise/elements.ts';
import type { KernelOp } from './types.ts';

export const rreluKernel: KernelOp<RReluBounds, 'input'> = {
  op: 'rrelu',
  kind: 'activation',
  inputs: ['input'],
  differentiable: ['input'],
  passes: (call) => {
    const { forwardOp, backwardOp, boundsOf, meanSlope } = rrelu;
    call.takes(['lower', 'upper']);
    const params = meanSlope(boundsOf('rrelu', call.options));
    const x = call.input();
    const y = call.tensor('output', x.shape, x.dtype);
    const args = { params, shape: x.shape };
    return {
      forward: call.pass((pass) => {
        pass.run(elementwise, { ...args, op: forwardOp }, [x], [y]);
      }),
      backward: call.wants('input')
        ? call.pass((pass) => {
            const inputs = [x, call.gradOf(y)];
            pass.run(elementwise, { ...args, op: backwardOp }, inputs, [call.gradOf(x)]);
          })
        : null,
    };
  },
};
