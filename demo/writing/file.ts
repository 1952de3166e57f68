// A trained model as a safetensors file and back: the weights, and in the header what else is needed to use them.
import { safetensors, type Device } from 'nonlin';
import { ACTIVATIONS, NORMS, POSITIONS, type GptConfig } from './config.ts';
import { Gpt } from './gpt.ts';
import { Vocabulary } from './text.ts';

export interface Written {
  readonly model: Gpt;
  readonly vocabulary: Vocabulary;
}

export async function saveModel({ model, vocabulary }: Written): Promise<Uint8Array> {
  const metadata = {
    config: JSON.stringify(model.config),
    characters: JSON.stringify(vocabulary.characters),
  };
  return safetensors.save(model.stateDict(), { metadata });
}

/** Throws where the file is not of this kind; nothing is made then. */
export function loadModel(file: Uint8Array, device: Device): Written {
  const { config, characters } = safetensors.metadata(file);
  if (config === undefined || characters === undefined) {
    throw new Error('the file has no model of this program: its header says nothing of one');
  }
  const vocabulary = new Vocabulary(readCharacters(JSON.parse(characters)));
  const wanted = readConfig(JSON.parse(config));
  if (wanted.vocabulary !== vocabulary.size) throw new Error('the file is damaged: vocabulary');
  const model = new Gpt(wanted, device);
  const state = safetensors.load(file, { device });
  try {
    model.loadStateDict(state);
  } catch (error) {
    model.dispose();
    throw error;
  } finally {
    for (const tensor of Object.values(state)) tensor.dispose();
  }
  return { model, vocabulary };
}

export function readCharacters(value: unknown): string[] {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  throw new Error('the file is damaged: characters');
}

export function readConfig(value: unknown): GptConfig {
  const given = new Map(Object.entries(value ?? {}));
  const number = (name: string): number => {
    const found: unknown = given.get(name);
    if (typeof found === 'number' && found >= 0) return found;
    throw new Error(`the file is damaged: ${name}`);
  };
  const oneOf = <N extends string>(names: readonly N[], name: string): N => {
    const found = names.find((known) => known === given.get(name));
    if (found !== undefined) return found;
    throw new Error(`the file is damaged: ${name}`);
  };
  return {
    vocabulary: number('vocabulary'),
    context: number('context'),
    layers: number('layers'),
    width: number('width'),
    heads: number('heads'),
    dropout: number('dropout'),
    activation: oneOf(ACTIVATIONS, 'activation'),
    norm: oneOf(NORMS, 'norm'),
    positions: oneOf(POSITIONS, 'positions'),
  };
}
