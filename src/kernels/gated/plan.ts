// Plans gated activations of a tensor seen as [outer, 2, n]: one half times the activation of the other.
import kernelText from '../../../shaders/kernels/gated/gated.wgsl?raw';
import { at, atOr } from '../../cpu/rows.ts';
import { bits } from '../../shader/lib.ts';
import { cachedProgram, source, type Source } from '../../shader/link.ts';
import {
  UniformWriter,
  workgroupSize,
  type Binding,
  type Capabilities,
  type Kernel,
  type Plan,
} from '../../core/kernel.ts';
import {
  choiceConstants,
  paramsStruct,
  wordsOf,
  writeParams,
  type ParamLayout,
  type ParamValues,
} from '../../shader/params.ts';
import { fits, inputsOf, outputsOf, rowsOf } from '../windows/regions.ts';

const kernel = /* @__PURE__ */ source('kernels/gated/gated.wgsl', kernelText, [bits]);

/** A gated unit. */
export interface GatedOp {
  readonly name: string;
  /** The WGSL, options and float64 functions of the activation. */
  readonly source: Source;
  readonly layout: ParamLayout;
  readonly forward: (x: number, params: ParamValues) => number;
  readonly backward: (x: number, gradOutput: number, params: ParamValues) => number;
  /** The half that the activation is applied to. */
  readonly gate: 0 | 1;
}

export interface GatedArgs {
  readonly op: GatedOp;
  readonly params: ParamValues;
  readonly outer: number;
  /** Elements of a half, for one outer index. */
  readonly n: number;
  /** Inputs: x for `'forward'`; x and gradOutput for `'backward'`. */
  readonly direction: 'forward' | 'backward';
}

export const gated: Kernel<GatedArgs> = {
  name: 'gated',
  float16: 'convert',
  plan: (args, inputs, outputs, caps) => {
    if (fits([...inputs, ...outputs], caps)) return planGated(args, caps);
    const { outer, n, direction } = args;
    const [x, gradOutput] = inputsOf(inputs);
    const [y] = outputsOf(outputs);
    const windows = caps.windows(caps);
    windows.rows(
      { outer, inner: n },
      [...rowsOf(x, 2), ...rowsOf(gradOutput, 1)],
      rowsOf(y, direction === 'forward' ? 1 : 2),
      (part) => planGated({ ...args, outer: part.outer, n: part.inner }, caps),
    );
    return windows;
  },
  cpu: ({ op, params, outer, n, direction }, [x, gradOutput], [y]) => {
    if (!x || !y) return;
    for (let i = 0; i < outer * n; i++) {
      const first = i + Math.floor(i / n) * n;
      const atGate = first + op.gate * n;
      const atLinear = first + (1 - op.gate) * n;
      const gate = at(x, atGate);
      const linear = at(x, atLinear);
      if (direction === 'forward') {
        y[i] = op.forward(gate, params) * linear;
      } else {
        const g = atOr(gradOutput, i, NaN);
        y[atGate] = op.backward(gate, g * linear, params);
        y[atLinear] = g * op.forward(gate, params);
      }
    }
  },
};

function planGated({ op, params, outer, n, direction }: GatedArgs, caps: Capabilities): Plan {
  const program = cachedProgram(op, '', op.name, kernel, () => ({
    op: source(
      `${op.name}.wgsl`,
      `${paramsStruct(op.layout)}${op.source.text}`,
      op.source.includes,
    ),
  }));
  const count = outer * n;
  const size = workgroupSize(256, caps);
  const workgroups = Math.max(1, Math.min(Math.ceil(count / (4 * size)), caps.maxWorkgroups));
  const bindings: Binding[] = [
    { slot: 1, of: 'input', index: 0, access: 'read' },
    { slot: 2, of: 'output', index: 0, access: 'write' },
  ];
  if (direction === 'backward') bindings.push({ slot: 3, of: 'input', index: 1, access: 'read' });
  const uniforms = new UniformWriter(4 + wordsOf(op.layout));
  uniforms.u32(n, count, workgroups * size, 0);
  writeParams(uniforms, op.layout, params);
  return {
    launches: [
      {
        program,
        entry: `${direction}_halves`,
        constants: {
          ...choiceConstants(op.layout, params),
          workgroup_size: size,
          gate: op.gate,
        },
        bindings,
        uniforms: uniforms.buffer,
        workgroups: [workgroups, 1, 1],
      },
    ],
    scratch: [],
  };
}
