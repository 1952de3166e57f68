// Takes the catalog, a size, and gives calls to be timed: each op forward, and forward with gradient, on tensors of that
// size.
import { scope, tensor, type Device, type Tensor } from 'nonlin';
import { findFunctions, type FunctionOp } from '../../lab/functions.ts';
import { findLossOps, type LossOp } from '../../lab/losses.ts';
import { defaultsOf } from '../../lab/options.ts';

/** Length of the rows of row-wise ops and classification losses. */
export const ROW = 1000;

export interface Case {
  readonly op: string;
  readonly gradient: boolean;
  /** Of the input, for people. */
  readonly shape: (size: number) => string;
  /** Makes the tensors; what it returns does one call and frees what that made. */
  readonly prepare: (size: number, device: Device) => Prepared;
}

export interface Prepared {
  readonly run: () => void;
  /** Bytes of memory that one call has to read and write at least. */
  readonly bytes: number;
  readonly dispose: () => void;
}

/** Bell-shaped enough: both signs, no two neighbours alike. */
function numbers(count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => ((i * 2654435761) % 8191) / 1024 - 4);
}

export async function findCases(): Promise<Case[]> {
  const functions = await findFunctions();
  const losses = await findLossOps();
  return [
    ...functions.flatMap((op) => [functionCase(op, false), functionCase(op, true)]),
    ...losses.flatMap((op) => [lossCase(op, false), lossCase(op, true)]),
  ];
}

function functionCase(op: FunctionOp, gradient: boolean): Case {
  const values = defaultsOf(op.options);
  const shapeOf = (size: number): number[] =>
    op.group === 'Elementwise' ? [size] : [Math.max(1, Math.round(size / ROW)), ROW];
  return {
    op: op.op,
    gradient,
    shape: (size) => shapeOf(size).join(' × '),
    prepare: (size, device) => {
      const shape = shapeOf(size);
      const count = shape.reduce((a, b) => a * b, 1);
      const x = tensor(numbers(count), { shape, device, requiresGrad: gradient });
      const outputs = op.group === 'Gated' ? count / 2 : count;
      const outShape = op.group === 'Gated' ? [shape[0] ?? 1, ROW / 2] : shape;
      const upstream = gradient
        ? tensor(new Float32Array(outputs).fill(1), { shape: outShape, device })
        : undefined;
      return {
        run: () => {
          scope(() => {
            const y = op.call(x, values);
            if (upstream) y.backward(upstream);
          });
          clear(x);
        },
        // forward reads and writes; backward reads input and upstream gradient, writes one
        bytes: 4 * (count + outputs + (gradient ? 2 * count + outputs : 0)),
        dispose: () => {
          x.dispose();
          upstream?.dispose();
        },
      };
    },
  };
}

function lossCase({ op, form, call, options, given }: LossOp, gradient: boolean): Case {
  const [values, setting] = [defaultsOf(options), Number(form.setting.value)];
  const [from, to] = form.range;
  const width = form.input(Float32Array.of(1), setting).values.length;
  // a form's own rows are short: classes are as many as in the other row-wise ops
  const classes = form.name === 'classes' || form.name === 'logClasses';
  const countOf = (size: number) => Math.max(1, Math.round(size / (classes ? ROW : width)));
  return {
    op,
    gradient,
    shape: (size) =>
      (classes ? [countOf(size), ROW] : [countOf(size), ...(width > 1 ? [width] : [])]).join(' × '),
    prepare: (size, device) => {
      const count = countOf(size);
      const made = classes
        ? { values: numbers(count * ROW), shape: [count, ROW] }
        : form.input(
            numbers(count).map((v) => from + ((v + 4) / 8) * (to - from)),
            setting,
          );
      const x = tensor(made.values, { shape: made.shape, device, requiresGrad: gradient });
      const args = classes
        ? [
            x,
            tensor(
              new Int32Array(count).map((_, i) => (i * 7) % ROW),
              { dtype: 'int32', device },
            ),
          ]
        : form.args(x, count, setting, device, values);
      const tensors = args.flat(2);
      const inputs = tensors.reduce((sum, { size: own }) => sum + own, 0);
      const chosen = { ...given(values, device), reduction: 'mean' };
      return {
        run: () => {
          scope(() => {
            const value = call(...args, chosen);
            if (gradient) value.backward();
          });
          clear(x);
        },
        bytes: 4 * (inputs + (gradient ? x.size : 0)),
        dispose: () => {
          for (const one of tensors) one.dispose();
        },
      };
    },
  };
}

function clear(x: Tensor): void {
  x.grad?.dispose();
  x.grad = null;
}
