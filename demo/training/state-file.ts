// Takes a trained network with its configuration, or a file, and gives the other: safetensors, in PyTorch's names and
// layouts, with an address's parameters in the header.
import { cast, noGrad, safetensors, type Device, type nn } from 'nonlin';
import { formatConfig, type Config } from './config.ts';

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

export interface StateFile {
  /** Undefined in files of other programs. */
  readonly params: URLSearchParams | undefined;
  /** As the program that wrote the file has measured it. */
  readonly accuracy: number | undefined;
  /** Copies the file's values into a network. */
  readonly into: (network: nn.Module, device: Device) => void;
}

/** Throws where the bytes are no such file. */
export function readState(bytes: ArrayBuffer): StateFile {
  const { [CONFIG]: params, [ACCURACY]: accuracy } = safetensors.metadata(bytes);
  return {
    params: params === undefined ? undefined : new URLSearchParams(params),
    accuracy: accuracy === undefined ? undefined : Number(accuracy),
    into: (network, device) => {
      const state = safetensors.load(bytes, { device });
      try {
        network.loadStateDict(state, { cast: true });
      } finally {
        for (const tensor of Object.values(state)) tensor.dispose();
      }
    },
  };
}
