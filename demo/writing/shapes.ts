// Takes the names and shapes of a file's tensors, and gives what they say of the GPT that they are of, or says why they are of none.
import type { Shaped } from '../training/header.ts';
import { ACTIVATIONS, type GptConfig } from './config.ts';

/** What shapes alone tell. */
export interface GptShapes extends Pick<
  GptConfig,
  'vocabulary' | 'layers' | 'width' | 'norm' | 'positions'
> {
  /** Undefined where positions have no table: attention may look as far back as one likes. */
  readonly context: number | undefined;
  /** How many heads there may be. */
  readonly heads: readonly number[];
  readonly activations: readonly GptConfig['activation'][];
}

export const GPT_ELSEWHERE = 'it holds a GPT, which the view Write of this page loads';

/** Whether the tensors have the names of this program's GPT. */
export function isGpt(tensors: readonly Shaped[]): boolean {
  const names = new Set(tensors.map(({ name }) => name));
  return names.has('tokens.weight') && names.has('blocks.0.attention.query.weight');
}

/** Of tensors for which `isGpt` holds. */
export function shapesOfGpt(tensors: readonly Shaped[]): GptShapes {
  const shapes = new Map(tensors.map(({ name, shape }) => [name, shape]));
  const shapeOf = (name: string): readonly number[] => {
    const shape = shapes.get(name);
    if (shape) return shape;
    throw new Error(`the GPT has no ${name}`);
  };
  const [vocabulary = 0, width = 0] = shapeOf('tokens.weight');
  const blocks = tensors.flatMap(({ name }) => /^blocks\.(\d+)\./.exec(name)?.[1] ?? []);
  const [up = 0] = shapeOf('blocks.0.mlp.up.weight');
  const [, down = 0] = shapeOf('blocks.0.mlp.down.weight');
  const gated = up === 2 * down;
  const positions = shapes.get('positions.weight');
  return {
    vocabulary,
    width,
    layers: 1 + Math.max(...blocks.map(Number)),
    norm: shapes.has('norm.bias') ? 'layerNorm' : 'rmsNorm',
    positions: positions ? 'learned' : 'rotary',
    context: positions?.[0],
    // pairs of a head's numbers turn by their position
    heads: Array.from({ length: width }, (_, i) => i + 1).filter(
      (heads) => width % heads === 0 && (positions !== undefined || (width / heads) % 2 === 0),
    ),
    activations: ACTIVATIONS.filter((name) => (name === 'swiglu') === gated),
  };
}
