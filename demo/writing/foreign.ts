// Takes the file of a GPT of this program, a text and a device, and gives the model. What the file's header does not say, as where
// another program has saved it again, is found out: sizes by its tensors' shapes, the rest by what foretells the text best.
import { noGrad, safetensors, scope, tensor, type Device, type Tensor } from 'nonlin';
import { shapesOf, type Shaped } from '../training/header.ts';
import { perceptronOf } from '../training/perceptron.ts';
import type { GptConfig } from './config.ts';
import { loadModel, readCharacters, readConfig, type Written } from './file.ts';
import { Gpt } from './gpt.ts';
import { isGpt, shapesOfGpt, type GptShapes } from './shapes.ts';
import { evenPieces, splitText, Vocabulary } from './text.ts';

export interface Opened extends Written {
  /** What was found out, in words. */
  readonly note?: string;
}

/** What the file does not say may be as it is here. */
export interface Known {
  readonly text: string;
  readonly context: number;
}

/** Of the text that candidates are compared on; the same for each. */
const PIECES = 16;

/** Throws where the file is not of this kind; nothing is made then. */
export async function openModel(
  file: Uint8Array<ArrayBuffer>,
  known: Known,
  device: Device,
): Promise<Opened> {
  const { config, characters } = safetensors.metadata(file);
  if (config !== undefined && characters !== undefined) return loadModel(file, device);
  const tensors = shapesOf(file.buffer);
  if (!isGpt(tensors)) throw new Error(whatElse(tensors));
  const shapes = shapesOfGpt(tensors);
  const vocabulary =
    characters === undefined
      ? Vocabulary.of(known.text)
      : new Vocabulary(readCharacters(JSON.parse(characters)));
  if (vocabulary.size !== shapes.vocabulary) {
    throw new Error(
      `its header does not say which characters its ${shapes.vocabulary} numbers are, and the text that is chosen has ${vocabulary.size} different ones`,
    );
  }
  const candidates =
    config === undefined ? candidatesOf(shapes, known.context) : [readConfig(JSON.parse(config))];
  const state = safetensors.load(file, { device });
  try {
    const model = await bestOf(candidates, state, splitText(vocabulary.encode(known.text)).heldOut);
    return { model, vocabulary, note: noteOf(model.config, shapes, candidates) };
  } finally {
    for (const one of Object.values(state)) one.dispose();
  }
}

function candidatesOf(shapes: GptShapes, context: number): GptConfig[] {
  const { heads: counts, activations, ...rest } = shapes;
  return activations.flatMap((activation) =>
    counts.map((heads) => ({
      ...rest,
      context: shapes.context ?? context,
      ...{ heads, activation, dropout: 0 },
    })),
  );
}

/** The one whose loss on the text is the smallest. */
async function bestOf(
  candidates: readonly GptConfig[],
  state: Readonly<Record<string, Tensor>>,
  text: Int32Array,
): Promise<Gpt> {
  const device = Object.values(state)[0]?.device;
  if (!device) throw new Error('there is no tensor in it');
  let best: { model: Gpt; loss: number } | undefined;
  try {
    for (const config of candidates) {
      const model = new Gpt(config, device);
      let loss = Infinity;
      try {
        model.loadStateDict(state, { cast: true });
        loss = candidates.length > 1 ? await lossOf(model, text, device) : 0;
      } catch (error) {
        model.dispose();
        throw error;
      }
      if (best && !(loss < best.loss)) model.dispose();
      else {
        best?.model.dispose();
        best = { model, loss };
      }
    }
  } catch (error) {
    best?.model.dispose();
    throw error;
  }
  if (!best) throw new Error('no number of heads fits its sizes');
  return best.model;
}

async function lossOf(model: Gpt, text: Int32Array, device: Device): Promise<number> {
  const { context } = model.config;
  if (text.length < context + 2) throw new Error('the text is too short to find out its heads');
  const { inputs, targets } = evenPieces(text, PIECES, context);
  const options = { dtype: 'int32', device } as const;
  const loss = scope(() =>
    noGrad(() =>
      model.loss(
        tensor(inputs, { shape: [PIECES, context], ...options }),
        tensor(targets, options),
      ),
    ),
  );
  const value = await loss.item();
  loss.dispose();
  return value;
}

function noteOf(
  { layers, width, heads, activation, context }: GptConfig,
  shapes: GptShapes,
  candidates: readonly GptConfig[],
): string {
  const sizes = `${layers} layers of ${width} numbers per character.`;
  if (candidates.length <= 1) return sizes;
  const several = shapes.activations.length > 1;
  const unsaid = several ? 'how many heads it has, and which activation' : 'how many heads it has';
  const found = `The file does not say ${unsaid}: ${heads}${several ? ` and ${activation}` : ''} foretell the text best.`;
  const seen = `It sees ${context} characters at a time, as the settings say.`;
  return [sizes, found, ...(shapes.context === undefined ? [seen] : [])].join(' ');
}

/** Why tensors are none of a GPT. */
function whatElse(tensors: readonly Shaped[]): string {
  try {
    const { sizes } = perceptronOf(tensors, () => true);
    return `it holds a multilayer perceptron of ${sizes.join(' → ')}, which the view Train of this page loads`;
  } catch {
    const names = tensors.map(({ name }) => name);
    const some = names.length > 3 ? [...names.slice(0, 3), '…'] : names;
    return `expected the tensors of a GPT as this page saves it (tokens.weight, blocks.0.attention.query.weight, …), got ${some.join(', ') || 'none'}`;
  }
}
