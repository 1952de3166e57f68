// Takes a trained network with its configuration, or a file, and gives the other: safetensors, in PyTorch's names and
// layouts, with an address's parameters in the header.
import {
  cast,
  noGrad,
  safetensors,
  tensor,
  transpose,
  type Device,
  type nn,
  type Tensor,
} from 'nonlin';
import { formatConfig, type Config } from './config.ts';
import { shapesOf, type Shaped } from './header.ts';
import type { Perceptron } from './perceptron.ts';

/** Where the file says how the network was made, and what share of the held-out examples it got right. */
const CONFIG = 'nonlin.config';
const ACCURACY = 'nonlin.accuracy';

export interface Saving {
  /** float16 halves the file; each weight loses all but 11 bits. */
  readonly dtype?: 'float32' | 'float16';
  readonly accuracy?: number;
}

export async function saveState(
  network: nn.Module,
  config: Config,
  { dtype = 'float32', accuracy }: Saving = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const entries = Object.entries(formatConfig(config)).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  const metadata = {
    format: 'pt',
    [CONFIG]: new URLSearchParams(entries).toString(),
    ...(accuracy === undefined ? {} : { [ACCURACY]: String(accuracy) }),
  };
  const state = network.stateDict();
  if (dtype === 'float32') return safetensors.save(state, { metadata });
  const halved = noGrad(() =>
    Object.fromEntries(Object.entries(state).map(([name, tensor]) => [name, cast(tensor, dtype)])),
  );
  try {
    return await safetensors.save(halved, { metadata });
  } finally {
    for (const tensor of Object.values(halved)) tensor.dispose();
  }
}

/** What a hidden layer's numbers go through, and its names in the file. */
export interface Between {
  readonly curve: (x: number) => number;
  readonly ops: readonly string[];
}

export interface StateFile {
  /** Undefined in files of other programs. */
  readonly params: URLSearchParams | undefined;
  /** As the program that wrote the file has measured it. */
  readonly accuracy: number | undefined;
  /** What the file holds. */
  readonly tensors: readonly Shaped[];
  /** The order of its layers, where the file says it. */
  readonly layers?: Perceptron;
  /** What is between them, where the file says it. */
  readonly between?: readonly Between[];
  /** Copies the file's values into a network; `layers`: of another program's file, which names them its own way. */
  readonly into: (network: nn.Module, device: Device, layers?: Perceptron) => void;
}

/** Throws where the bytes are no such file. */
export function readState(bytes: ArrayBuffer): StateFile {
  const { [CONFIG]: params, [ACCURACY]: accuracy } = safetensors.metadata(bytes);
  return {
    params: params === undefined ? undefined : new URLSearchParams(params),
    accuracy: accuracy === undefined ? undefined : Number(accuracy),
    tensors: shapesOf(bytes),
    into: (network, device, layers) => {
      const state = safetensors.load(bytes, { device });
      const made = Object.values(state);
      try {
        const named = layers ? renamed(state, layers, device, made) : state;
        network.loadStateDict(named, { cast: true });
      } finally {
        for (const one of made) one.dispose();
      }
    },
  };
}

/** The layers' tensors as this page's networks name and lay them; a layer without a bias gets one of zeros. */
function renamed(
  state: Readonly<Record<string, Tensor>>,
  { layers, sizes, transposed }: Perceptron,
  device: Device,
  made: Tensor[],
): Record<string, Tensor> {
  const named: Record<string, Tensor> = {};
  layers.forEach(({ weight, bias }, i) => {
    const own = state[weight];
    if (!own) throw new Error(`no ${weight}`);
    const weights = transposed ? noGrad(() => transpose(own, 0, 1)) : own;
    const zeros = () => tensor(new Float32Array(sizes[i + 1] ?? 0), { device });
    const biases = (bias === undefined ? undefined : state[bias]) ?? zeros();
    made.push(weights, biases);
    // a linear layer and an activation take turns
    named[`${2 * i}.weight`] = weights;
    named[`${2 * i}.bias`] = biases;
  });
  return named;
}
