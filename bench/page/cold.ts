// In: a library's name, in a browser that has just started. Out: how long it takes to its first results.
import { inputsOf, mistake } from './cases.ts';
import { libraryOf } from './libraries/index.ts';
import type { ColdStart, LibraryName, OpName, Shape } from './types.ts';

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

export async function measureColdStart(name: LibraryName): Promise<ColdStart> {
  const inputs = new Map([...TEN, 'relu' as const].map((op) => [op, inputsOf(op, SHAPE)]));
  const results: [OpName, ArrayLike<number>[]][] = [];
  const start = performance.now();
  const library = await libraryOf(name);
  const first = async (op: OpName): Promise<void> => {
    const own = inputs.get(op);
    const runner = own && (await library.prepare(op, own));
    if (!runner) throw new Error(`no ${op}`);
    results.push([op, await runner.read()]);
  };
  await first('relu');
  const relu = performance.now();
  // ONNX Runtime makes one session at a time.
  if (name === 'ort') for (const op of TEN) await first(op);
  else await Promise.all(TEN.map(first));
  const ten = performance.now();
  for (const [op, result] of results) {
    const own = inputs.get(op);
    const wrong = own ? mistake(op, own, result) : 'no inputs';
    if (wrong !== null) throw new Error(`${op}: ${wrong}`);
  }
  return { relu: relu - start, ten: ten - relu };
}
