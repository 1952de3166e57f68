// In: memory of one device. Out: a reference-counted handle to it, shared by a tensor and its views.
import type { Device } from './device.ts';
import type { Bounds } from './dtype.ts';

/** Memory of one device. Tensors that share it (`reshape`, `detach`) hold one reference each. */
export abstract class Storage {
  readonly device: Device;
  /** Raised by every write after creation, so that autograd can tell a saved tensor from a changed one. */
  version = 0;
  /** int32 values as the host gave them, kept to check class indices without reading back; null once written elsewhere. */
  host: Int32Array | null = null;
  /** Of float elements as the host gave them, where they are few; null once written elsewhere. */
  bounds: Bounds | null = null;
  #references = 1;

  constructor(device: Device) {
    this.device = device;
  }

  retain(): this {
    this.#references++;
    return this;
  }

  /** The host no longer knows what is there. */
  forget(): void {
    this.host = null;
    this.bounds = null;
  }

  /** Whether more than one tensor holds it. */
  get shared(): boolean {
    return this.#references > 1;
  }

  release(): void {
    if (--this.#references === 0) this.free();
  }

  /** Returns the memory to the device. */
  protected abstract free(): void;
}
