// Reference-counted memory of one device, shared by a tensor and its views.
import type { Device } from './device.ts';
import { boundsOf, fromHalf, type Bounds } from './dtype.ts';

/** Memory of one device. Tensors that share it (`reshape`, `detach`) hold one reference each. */
export abstract class Storage {
  readonly device: Device;
  /** Raised by every write after creation, so that autograd can tell a saved tensor from a changed one. */
  version = 0;
  /** int32 values as the host gave them, kept to check class indices without reading back; null once written elsewhere. */
  host: Int32Array | null = null;
  /** Float elements as the host gave them, where they are few: until their bounds are asked for, or they are written elsewhere. */
  given: Float32Array | Uint16Array | null = null;
  #bounds: Bounds | null = null;
  #references = 1;

  constructor(device: Device) {
    this.device = device;
  }

  retain(): this {
    this.#references++;
    return this;
  }

  /**
   * Smallest and largest element, where the host knows the elements. Computed when first asked for, as few tensors are
   * asked.
   */
  get bounds(): Bounds | null {
    const { given } = this;
    if (given) {
      this.#bounds = boundsOf(
        given instanceof Uint16Array ? Float32Array.from(given, fromHalf) : given,
      );
      this.given = null;
    }
    return this.#bounds;
  }

  /** The host no longer knows what is there. */
  forget(): void {
    this.host = null;
    this.given = null;
    this.#bounds = null;
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
