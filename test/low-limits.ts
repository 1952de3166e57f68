// Takes a GPUDevice, and gives the same, held to other limits than it has, as a device with them would be.

export type Limits = Partial<Record<keyof GPUSupportedLimits, number>>;

/**
 * A device that says that it has these limits, and refuses what binds more storage buffers than they allow, or more bytes of
 * one. Its other limits are those it was asked for: browsers hold it to them.
 */
export function withLimits(device: GPUDevice, others: Limits): GPUDevice {
  const limits: Record<string, unknown> = {};
  for (const name in device.limits) limits[name] = Reflect.get(device.limits, name);
  Object.assign(limits, others);
  const refuse = (what: string, value: number, most: unknown): void => {
    if (value > Number(most)) throw new TypeError(`${value} ${what} of at most ${String(most)}`);
  };
  const held = {
    limits,
    createBindGroupLayout: (descriptor: GPUBindGroupLayoutDescriptor) => {
      const buffers = [...descriptor.entries].filter(({ buffer }) => buffer?.type !== 'uniform');
      refuse('storage buffers', buffers.length, limits.maxStorageBuffersPerShaderStage);
      return device.createBindGroupLayout(descriptor);
    },
    createBindGroup: (descriptor: GPUBindGroupDescriptor) => {
      for (const { resource } of descriptor.entries) {
        const size = 'size' in resource ? (resource.size ?? 0) : 0;
        refuse('bytes of a binding', size, limits.maxStorageBufferBindingSize);
      }
      return device.createBindGroup(descriptor);
    },
  };
  return overridden(device, held);
}

/** The same object, but for what is held instead of it: the object itself stays as it is for others. */
export function overridden<T extends object>(
  object: T,
  held: Readonly<Record<PropertyKey, unknown>>,
): T {
  return new Proxy(object, {
    get(target, key) {
      if (key in held) return held[key];
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** A device of so many storage buffers a shader, of so many bytes each. */
export function withLowLimits(
  device: GPUDevice,
  maxStorageBuffersPerShaderStage: number,
  maxStorageBufferBindingSize = device.limits.maxStorageBufferBindingSize,
): GPUDevice {
  return withLimits(device, { maxStorageBuffersPerShaderStage, maxStorageBufferBindingSize });
}
