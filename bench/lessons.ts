// Takes a model, and gives what it is to learn, of the demo's data: Moby Dick, the digits, two spirals.
import { readDigits } from '../demo/cli/digits-node.ts';
import { readMobyDick } from '../scripts/moby.mjs';
import { PIXELS } from '../demo/training/digits.ts';
import { generator } from '../demo/training/random.ts';
import { spiralsTask } from '../demo/training/tasks/spirals.ts';
import { drawPieces, Vocabulary } from '../demo/writing/text.ts';
import type { Lesson, TrainedModel } from './page/training/types.ts';

/** Batches; then the first again. */
const BATCHES = 8;
const SEED = 1;

export async function lessonOf(model: TrainedModel): Promise<Lesson> {
  const count = BATCHES * model.batch;
  if (model.kind === 'gpt') {
    const text = readMobyDick();
    const vocabulary = Vocabulary.of(text);
    const tokens = vocabulary.encode(text);
    const { inputs, targets } = drawPieces(tokens, count, model.context, generator(SEED));
    return { x: [...inputs], y: [...targets], vocabulary: vocabulary.size };
  }
  if (model.data === 'digits') {
    const { pixels, labels } = await readDigits();
    const x = [...pixels.subarray(0, count * PIXELS)];
    return { x, y: [...labels.subarray(0, count)], vocabulary: 0 };
  }
  const { x, wanted } = spiralsTask().training.gather(
    Uint32Array.from({ length: count }, (_, i) => i),
  );
  return { x: [...x], y: [...wanted], vocabulary: 0 };
}
