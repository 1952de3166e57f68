// Takes a library's name, in a browser that has just started, and gives how long first results of ten ops take, in
// milliseconds.
import { inputsOf } from './cases.ts';
import { firstResult, judge } from './first/result.ts';
import { libraryOf } from './libraries/index.ts';
import type { LibraryName, OpName, Shape } from './types.ts';

const SHAPE: Shape = [64, 100];
/** Ten, after relu. */
const TEN: readonly OpName[] = [
  'leakyRelu',
  'gelu',
  'geluTanh',
  'tanh',
  'sigmoid',
  'silu',
  'softplus',
  'softmax',
  'logSoftmax',
  'crossEntropy',
];

/** After the first result of relu, the first results of ten other ops, all called before the first is waited for. */
export async function measureTen(name: LibraryName): Promise<number> {
  const inputs = new Map([...TEN, 'relu' as const].map((op) => [op, inputsOf(op, SHAPE)]));
  const library = await libraryOf(name);
  const results: [OpName, ArrayLike<number>[]][] = [];
  const first = async (op: OpName): Promise<void> => {
    const own = inputs.get(op);
    if (own) results.push([op, await firstResult(library, op, own)]);
  };
  await first('relu');
  const start = performance.now();
  // ONNX Runtime makes one session at a time.
  if (name === 'ort') for (const op of TEN) await first(op);
  else await Promise.all(TEN.map(first));
  const time = performance.now() - start;
  for (const [op, result] of results) judge(op, inputs.get(op), result);
  return time;
}
