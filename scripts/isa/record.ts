// Notes what a program asks of WebGPU: which pipelines it dispatches, over how many workgroups, on which memory.

/** A compute pipeline in plain data: what a driver would compile. */
export interface Pipeline {
  readonly label: string;
  readonly code: string;
  readonly entry: string;
  readonly constants: Readonly<Record<string, number>>;
}

export interface Dispatch {
  /** Its place among the pipelines. */
  readonly pipeline: number;
  readonly workgroups: readonly [number, number, number];
  /** Bytes of each buffer, by `@binding`. */
  readonly bytes: Readonly<Record<number, number>>;
}

export interface Recording {
  readonly pipelines: Pipeline[];
  /** Since they were last taken away. */
  dispatches: Dispatch[];
}

/** The classes of WebGPU, as a browser has them; in Node those of the npm package `webgpu`. */
interface Classes {
  GPUDevice: { prototype: GPUDevice };
  GPUComputePassEncoder: { prototype: GPUComputePassEncoder };
}

/**
 * Begins to record, in `scope.recording`. It changes WebGPU's classes, and uses nothing outside itself: the benchmark's page
 * gets it as text.
 */
export function record(scope: Classes & { recording?: Recording }): Recording {
  const recording: Recording = { pipelines: [], dispatches: [] };
  const codes = new WeakMap<object, string>();
  const numbers = new WeakMap<object, number>();
  const groups = new WeakMap<object, Record<number, number>>();
  const passes = new WeakMap<object, { pipeline: number; groups: Record<number, number>[] }>();
  const known = new Map<string, number>();

  /** Calls `note` with what a method was given and what it gave. */
  const after = (
    prototype: object,
    name: string,
    note: (self: object, args: never[], result: object) => void,
  ): void => {
    const method = Reflect.get(prototype, name) as (this: object, ...args: never[]) => object;
    Reflect.set(prototype, name, function (this: object, ...args: never[]) {
      const result = method.apply(this, args);
      note(this, args, result);
      return result;
    });
  };
  const passOf = (pass: object): { pipeline: number; groups: Record<number, number>[] } => {
    const state = passes.get(pass) ?? { pipeline: -1, groups: [] };
    passes.set(pass, state);
    return state;
  };
  const notePipeline = (descriptor: GPUComputePipelineDescriptor, pipeline: object): void => {
    const { module, entryPoint, constants = {} } = descriptor.compute;
    const code = codes.get(module) ?? '';
    const only = /@compute[^{]*?\bfn\s+(\w+)/.exec(code);
    const entry = entryPoint ?? only?.[1] ?? 'main';
    const key = JSON.stringify([code, entry, constants]);
    const number = known.get(key) ?? recording.pipelines.length;
    if (!known.has(key)) {
      known.set(key, number);
      recording.pipelines.push({
        label: descriptor.label ?? '',
        code,
        entry,
        constants: { ...constants },
      });
    }
    numbers.set(pipeline, number);
  };

  const device = scope.GPUDevice.prototype;
  after(device, 'createShaderModule', (_, args, module) => {
    const [{ code }] = args as unknown as [GPUShaderModuleDescriptor];
    codes.set(module, code);
  });
  after(device, 'createComputePipeline', (_, args, pipeline) => {
    notePipeline((args as unknown as [GPUComputePipelineDescriptor])[0], pipeline);
  });
  after(device, 'createComputePipelineAsync', (_, args, promise) => {
    const [descriptor] = args as unknown as [GPUComputePipelineDescriptor];
    // Before the caller's own continuation. A failure is the caller's to see.
    void (promise as Promise<object>).then(
      (pipeline) => {
        notePipeline(descriptor, pipeline);
      },
      () => undefined,
    );
  });
  after(device, 'createBindGroup', (_, args, group) => {
    const [{ entries }] = args as unknown as [GPUBindGroupDescriptor];
    const bytes: Record<number, number> = {};
    for (const { binding, resource } of entries) {
      const whole = 'buffer' in resource ? resource : { buffer: resource as GPUBuffer };
      const { buffer, offset = 0, size = buffer.size - offset } = whole;
      bytes[binding] = size;
    }
    groups.set(group, bytes);
  });
  const pass = scope.GPUComputePassEncoder.prototype;
  after(pass, 'setPipeline', (self, args) => {
    passOf(self).pipeline = numbers.get((args as unknown as [object])[0]) ?? -1;
  });
  after(pass, 'setBindGroup', (self, args) => {
    const [index, group] = args as unknown as [number, object];
    passOf(self).groups[index] = groups.get(group) ?? {};
  });
  after(pass, 'dispatchWorkgroups', (self, args) => {
    const [x, y = 1, z = 1] = args as unknown as [number, number?, number?];
    const { pipeline, groups: bound } = passOf(self);
    recording.dispatches.push({
      pipeline,
      workgroups: [x, y, z],
      bytes: Object.assign({}, ...bound) as Record<number, number>,
    });
  });
  scope.recording = recording;
  return recording;
}
