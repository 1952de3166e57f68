// Takes a GPUDevice, and gives how long its compute passes take, by its own clock.

/** Most passes between `start` and `stop`. */
const PASSES = 2048;

/** Times every compute pass of every encoder that the device makes while it runs. */
export class GpuClock {
  readonly #device: GPUDevice;
  readonly #queries: GPUQuerySet;
  readonly #resolved: GPUBuffer;
  readonly #readable: GPUBuffer;
  #passes = 0;
  #running = false;

  /** Null where the adapter has no timestamps. */
  static of(device: GPUDevice): GpuClock | null {
    return device.features.has('timestamp-query') ? new GpuClock(device) : null;
  }

  private constructor(device: GPUDevice) {
    this.#device = device;
    this.#queries = device.createQuerySet({ type: 'timestamp', count: 2 * PASSES });
    const size = 16 * PASSES;
    this.#resolved = device.createBuffer({
      size,
      usage: GPUBufferUsage.QUERY_RESOLVE | GPUBufferUsage.COPY_SRC,
    });
    this.#readable = device.createBuffer({
      size,
      usage: GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ,
    });
    const create = device.createCommandEncoder.bind(device);
    device.createCommandEncoder = (descriptor) => {
      const encoder = create(descriptor);
      const begin = encoder.beginComputePass.bind(encoder);
      encoder.beginComputePass = (pass) => begin({ ...pass, ...this.#writes() });
      return encoder;
    };
  }

  start(): void {
    this.#passes = 0;
    this.#running = true;
  }

  /** Milliseconds that all passes since `start` took together; they must be done. */
  async stop(): Promise<number> {
    this.#running = false;
    const bytes = 16 * this.#passes;
    if (bytes === 0) return NaN;
    const encoder = this.#device.createCommandEncoder();
    encoder.resolveQuerySet(this.#queries, 0, 2 * this.#passes, this.#resolved, 0);
    encoder.copyBufferToBuffer(this.#resolved, 0, this.#readable, 0, bytes);
    this.#device.queue.submit([encoder.finish()]);
    await this.#readable.mapAsync(GPUMapMode.READ, 0, bytes);
    const times = new BigUint64Array(this.#readable.getMappedRange(0, bytes).slice(0));
    this.#readable.unmap();
    let nanoseconds = 0;
    for (let i = 0; i < times.length; i += 2) {
      nanoseconds += Number((times[i + 1] ?? 0n) - (times[i] ?? 0n));
    }
    return nanoseconds / 1e6;
  }

  #writes(): GPUComputePassDescriptor {
    if (!this.#running) return {};
    if (this.#passes === PASSES) throw new Error('more passes than the clock has room for');
    const first = 2 * this.#passes++;
    return {
      timestampWrites: {
        querySet: this.#queries,
        beginningOfPassWriteIndex: first,
        endOfPassWriteIndex: first + 1,
      },
    };
  }
}
