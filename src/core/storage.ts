// Reference-counted memory of one device, shared by a tensor and its views.
import type { Device } from './device.ts';
import { boundsOf, fromHalf, type Bounds } from './dtype.ts';

/** Memory of one device. Tensors that share it (`reshape`, `detach`) hold one reference each. */
export abstract class Storage {
  readonly device: Device;
  /** Increased by every write after creation, so that autograd notices if a saved tensor was changed. */
  version = 0;
  /** Whether tensors of a graph that are not the same share the memory: one is a reshaped other. */
  aliased = false;
  /** int32 values from the host, kept to check class indices without reading back; null once the device has written the memory. */
  host: Int32Array | null = null;
  /** Few float elements from the host, kept until their bounds are asked for or the device has written the memory. */
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
   * The smallest and the largest element, if the host knows the elements. They are computed when they are first asked for,
   * because that happens for few tensors.
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

  /** Called when the device writes the memory: the host no longer knows its contents. */
  forget(): void {
    this.host = null;
    this.given = null;
    this.#bounds = null;
  }

  /** Whether more than one tensor holds a reference. */
  get shared(): boolean {
    return this.#references > 1;
  }

  /** Whether nobody holds a reference any more. */
  get freed(): boolean {
    return this.#references <= 0;
  }

  release(): void {
    if (--this.#references === 0) this.free();
  }

  /** Returns the memory to the device. */
  protected abstract free(): void;
}
