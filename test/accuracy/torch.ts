// Takes the golden vectors, and gives how far PyTorch's own float32 is from float64 at their points, by op.
import type { Documented } from '../../src/define/op.ts';
import { camelCase, decodeTensor, goldenFiles, type GoldenCase } from '../golden.ts';
import { epilogueOf, type Options } from './cases.ts';
import { measure } from './measure.ts';
import { isNorm } from './norms.ts';
import { termsOf, type Terms } from './sweep.ts';

export interface TorchErrors {
  readonly forward: number;
  readonly backward: number;
}

/** PyTorch's largest errors in ULP over all cases of an op, whatever their options; undefined without golden vectors. */
export function torchErrors(op: Documented): TorchErrors | undefined {
  // their golden vectors have rows in several places: what their errors would be counted in is not known here
  if (isNorm(op)) return undefined;
  const file = goldenFiles.find((candidate) => camelCase(candidate.op) === op.op);
  if (!file) return undefined;
  let [forward, backward] = [0, 0];
  for (const golden of file.cases) {
    const one = errorsOf(op, golden);
    forward = Math.max(forward, one.forward);
    backward = Math.max(backward, one.backward);
  }
  return { forward, backward };
}

function errorsOf(op: Documented, golden: GoldenCase): TorchErrors {
  const {
    inputs,
    outputs,
    torch_f32: torch,
    grads = {},
    torch_f32_grads: torchGrads = {},
  } = golden;
  const x = inputs.input && decodeTensor(inputs.input);
  if (!x || !outputs || !torch) return { forward: 0, backward: 0 };
  const terms = termsIn(op, golden, x);
  const forward = measure('float32', 'forward', {
    x,
    got: decodeTensor(torch.out),
    wants: [decodeTensor(outputs.out)],
    terms: terms.forward,
  });
  if (!grads.input || !torchGrads.input) return { forward: forward.ulp, backward: 0 };
  const backward = measure('float32', 'backward', {
    x,
    got: decodeTensor(torchGrads.input),
    wants: [decodeTensor(grads.input)],
    terms: terms.backward,
  });
  return { forward: forward.ulp, backward: backward.ulp };
}

/** Largest terms; of row-wise ops only where rows are contiguous, so that others count for nothing. */
function termsIn(op: Documented, golden: GoldenCase, x: Float64Array): Terms {
  const { inputs, outputs, grad_output: gradOutput, attributes } = golden;
  const shape = inputs.input?.shape ?? [];
  const none = new Float64Array(x.length).fill(Infinity);
  if (!outputs || !gradOutput || x.length === 0) return {};
  const last = attributes.dim === -1 || attributes.dim === shape.length - 1;
  if (op.kind === 'rowwise' && !last) return { forward: none, backward: none };
  // Some golden cases give an option under another name, as snake's alpha: no largest term depends on those.
  const options = Object.fromEntries(
    Object.entries(attributes)
      .map(([name, value]) => [camelCase(name), value as number | string] as const)
      .filter(([name]) => name in op.params),
  );
  const taken: Options = epilogueOf(op) ? options : {};
  const rows = x.length / (shape.at(-1) ?? 1);
  const out = decodeTensor(outputs.out);
  return termsOf(op, taken, x, rows, { out, gradOutput: decodeTensor(gradOutput) });
}

/** The version that made the vectors. */
export const torchVersion = [
  ...new Set(goldenFiles.map((file) => (file as { torch?: string }).torch ?? 'unknown')),
].join(', ');
