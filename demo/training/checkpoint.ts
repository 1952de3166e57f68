// Takes a model and its optimizer on a device that may be lost, and gives their state on the host, and that state on
// another device.
import { tensor, type Device, type Tensor, type nn, type optim } from 'nonlin';

interface Kept {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Everything that a run needs to go on. */
export interface Checkpoint {
  /** Steps done. */
  readonly step: number;
  readonly model: Readonly<Record<string, Kept>>;
  /** Of the optimizer of each layer. */
  readonly optimizers: readonly {
    readonly steps: readonly number[];
    readonly state: readonly (readonly Kept[])[];
  }[];
}

const keep = async (from: Tensor): Promise<Kept> => ({
  shape: from.shape,
  values: Float32Array.from(await from.data()),
});

export async function takeCheckpoint(
  step: number,
  model: nn.Module,
  optimizers: readonly optim.Optimizer[],
): Promise<Checkpoint> {
  // all reads are asked for before the first is awaited: later steps do not get in between
  const entries = Object.entries(model.stateDict()).map(
    async ([name, from]): Promise<[string, Kept]> => [name, await keep(from)],
  );
  const states = optimizers.map(async (optimizer) => {
    const { steps, state } = optimizer.stateDict();
    const moments = state.map((tensors) => Promise.all(tensors.map(keep)));
    return { steps, state: await Promise.all(moments) };
  });
  return {
    step,
    model: Object.fromEntries(await Promise.all(entries)),
    optimizers: await Promise.all(states),
  };
}

export function restoreCheckpoint(
  checkpoint: Checkpoint,
  model: nn.Module,
  optimizers: readonly optim.Optimizer[],
  device: Device,
): void {
  const made: Tensor[] = [];
  const back = ({ shape, values }: Kept) => {
    const restored = tensor(values, { shape, device });
    made.push(restored);
    return restored;
  };
  model.loadStateDict(
    Object.fromEntries(Object.entries(checkpoint.model).map(([name, kept]) => [name, back(kept)])),
  );
  checkpoint.optimizers.forEach(({ steps, state }, i) => {
    optimizers[i]?.loadStateDict({ steps, state: state.map((tensors) => tensors.map(back)) });
  });
  for (const restored of made) restored.dispose();
}
