// Takes a GPUDevice, and gives the same, held to limits below those that browsers give, as a device with them would be.

/**
 * A device that says that its shaders may bind so many storage buffers, of so many bytes each, and refuses what binds more.
 * Its other limits are those it was asked for: browsers hold it to them.
 */
export function withLowLimits(
  device: GPUDevice,
  maxStorageBuffersPerShaderStage: number,
  maxStorageBufferBindingSize = device.limits.maxStorageBufferBindingSize,
): GPUDevice {
  const limits: Record<string, unknown> = {};
  for (const name in device.limits) limits[name] = Reflect.get(device.limits, name);
  Object.assign(limits, { maxStorageBuffersPerShaderStage, maxStorageBufferBindingSize });
  const refuse = (what: string, value: number, most: number): void => {
    if (value > most) throw new TypeError(`${value} ${what} of at most ${most}`);
  };
  const held: Record<PropertyKey, unknown> = {
    limits,
    createBindGroupLayout: (descriptor: GPUBindGroupLayoutDescriptor) => {
      const buffers = [...descriptor.entries].filter(({ buffer }) => buffer?.type !== 'uniform');
      refuse('storage buffers', buffers.length, maxStorageBuffersPerShaderStage);
      return device.createBindGroupLayout(descriptor);
    },
    createBindGroup: (descriptor: GPUBindGroupDescriptor) => {
      for (const { resource } of descriptor.entries) {
        const size = 'size' in resource ? (resource.size ?? 0) : 0;
        refuse('bytes of a binding', size, maxStorageBufferBindingSize);
      }
      return device.createBindGroup(descriptor);
    },
  };
  return new Proxy(device, {
    get(target, key) {
      if (key in held) return held[key];
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
