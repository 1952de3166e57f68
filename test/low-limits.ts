// In: a GPUDevice. Out: the same, held to fewer storage buffers than it takes, as a device with that limit would be.

/**
 * A device that says that its shaders may bind `most` storage buffers, and refuses layouts with more. Its other limits are
 * those it was asked for: browsers hold it to them.
 */
export function withFewBuffers(device: GPUDevice, most: number): GPUDevice {
  const limits: Record<string, unknown> = {};
  for (const name in device.limits) limits[name] = Reflect.get(device.limits, name);
  limits.maxStorageBuffersPerShaderStage = most;
  const createBindGroupLayout: GPUDevice['createBindGroupLayout'] = (descriptor) => {
    const buffers = [...descriptor.entries].filter(({ buffer }) => buffer?.type !== 'uniform');
    if (buffers.length > most) {
      throw new TypeError(`${String(buffers.length)} storage buffers of at most ${String(most)}`);
    }
    return device.createBindGroupLayout(descriptor);
  };
  return new Proxy(device, {
    get(target, key) {
      if (key === 'limits') return limits;
      if (key === 'createBindGroupLayout') return createBindGroupLayout;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
