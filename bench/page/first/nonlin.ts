// This library for a program that uses relu and nothing else of it.
import { init, relu, tensor } from '../../../src/index.ts';
import type { Program } from './result.ts';

export async function load(): Promise<Program> {
  const device = await init({ backend: 'webgpu' });
  return {
    prepare: (op, { shape, x: values }) => {
      if (op !== 'relu') return null;
      const x = tensor(values, { device, shape });
      return { read: async () => [await relu(x).data()] };
    },
  };
}
