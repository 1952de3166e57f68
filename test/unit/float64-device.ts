// Takes the CPU loops of every kernel, and gives a device that stores float64, so that finite differences are exact enough.
import {
  Device,
  type DeviceLostDetails,
  type DeviceStats,
  type Operand,
} from '../../src/core/device.ts';
import type { HostArray } from '../../src/core/dtype.ts';
import type { Kernel } from '../../src/core/kernel.ts';
import { Storage } from '../../src/core/storage.ts';
import type { Tensor } from '../../src/core/tensor.ts';

class Float64Storage extends Storage {
  readonly values: Float64Array;

  constructor(device: Device, values: Float64Array) {
    super(device);
    this.values = values;
  }

  protected override free(): void {}
}

function valuesIn(storage: Storage): Float64Array {
  if (!(storage instanceof Float64Storage)) throw new Error('a tensor of another device');
  return storage.values;
}

/** The elements of a tensor on a `Float64Device`, to be read and written. */
export function valuesOf(tensor: Tensor): Float64Array {
  return valuesIn(tensor.storage('test'));
}

export class Float64Device extends Device {
  override readonly type = 'cpu';
  override readonly name = 'float64';
  override readonly gpuDevice = null;
  override readonly lost = new Promise<DeviceLostDetails>(() => undefined);

  override stats(): DeviceStats {
    throw new Error('not counted');
  }
  override async synchronize(): Promise<void> {}
  override record(): never {
    throw new Error('no encoder');
  }
  override async prepare(): Promise<void> {}
  override dispose(): void {}
  override check(): void {}

  override allocate(_op: string, bytes: number): Storage {
    return new Float64Storage(this, new Float64Array(bytes / 4));
  }

  override upload(data: HostArray): Storage {
    const storage = new Float64Storage(this, Float64Array.from(data));
    if (data instanceof Int32Array) storage.host = data;
    return storage;
  }

  override borrow(): never {
    throw new Error('no GPU');
  }
  override expose(): never {
    throw new Error('no GPU');
  }

  override read(storage: Storage): Promise<Float32Array> {
    return Promise.resolve(Float32Array.from(valuesIn(storage)));
  }

  override isPadded(): boolean {
    return true;
  }

  override overlaps(a: Storage, b: Storage): boolean {
    return a === b;
  }

  override copy(_op: string, from: Storage, to: Storage): void {
    valuesIn(to).set(valuesIn(from));
  }

  override execute<A>(
    kernel: Kernel<A>,
    args: A,
    inputs: readonly Operand[],
    outputs: readonly Operand[],
  ): void {
    kernel.cpu(
      args,
      inputs.map(({ storage }) => valuesIn(storage)),
      outputs.map(({ storage }) => valuesIn(storage)),
      inputs.map(({ shape }) => shape),
    );
  }
}
