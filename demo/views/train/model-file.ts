// Takes a trained network with its configuration, or a file, and gives the other: safetensors, in PyTorch's names and
// layouts.
import { safetensors, type nn, type Device } from 'nonlin';
import { formatConfig, type TaskName } from '../../training/config.ts';
import type { Trainer } from '../../training/trainer.ts';

/** Where the file says how the network was made: an address's parameters. */
const KEY = 'nonlin.config';

/** Offers a network's state as a download. */
export async function saveTrainer({ network, settings }: Trainer, task: TaskName): Promise<void> {
  const config = { task, runs: [settings] };
  const entries = Object.entries(formatConfig(config)).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  const metadata = { format: 'pt', [KEY]: new URLSearchParams(entries).toString() };
  const file = await safetensors.save(network.stateDict(), { metadata });
  const address = URL.createObjectURL(new Blob([file]));
  const link = document.createElement('a');
  link.href = address;
  link.download = `nonlin-${task}-${settings.activation}.safetensors`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

export interface ModelFile {
  /** Undefined in files of other programs. */
  readonly params: URLSearchParams | undefined;
  /** Copies the file's values into a network. */
  readonly into: (network: nn.Module, device: Device) => void;
}

export function readModel(bytes: ArrayBuffer): ModelFile {
  const text = safetensors.metadata(bytes)[KEY];
  return {
    params: text === undefined ? undefined : new URLSearchParams(text),
    into: (network, device) => {
      const state = safetensors.load(bytes, { device });
      try {
        network.loadStateDict(state);
      } finally {
        for (const tensor of Object.values(state)) tensor.dispose();
      }
    },
  };
}
