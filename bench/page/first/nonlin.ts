// In: nothing. Out: this library for a program that uses relu and nothing else of it.
import { init, relu, tensor } from '../../../src/index.ts';
import type { Library } from '../types.ts';

export async function load(): Promise<Library> {
  const device = await init({ backend: 'webgpu' });
  return {
    prepare: (op, { shape, x: values }) => {
      if (op !== 'relu') return null;
      const x = tensor(values, { device, shape });
      return {
        run: (calls) => {
          for (let i = 0; i < calls; i++) relu(x).dispose();
        },
        sync: () => device.synchronize(),
        read: async () => [await relu(x).data()],
        free: () => {
          x.dispose();
        },
      };
    },
  };
}
