// What depends on when Firefox looks for finished work.
import { relu, tensor, type Device } from '../../src/index.ts';
import { ensure, type Check } from '../check.ts';

const READS = 21;

export const readChecks: readonly Check<Device>[] = [
  {
    name: 'reads do not wait for the 100 ms after which Firefox looks for finished work',
    run: async (device) => {
      const x = tensor([-1, 2], { device });
      const times: number[] = [];
      for (let i = 0; i < READS; i++) {
        const y = relu(x);
        const start = performance.now();
        await y.data();
        times.push(performance.now() - start);
        y.dispose();
      }
      x.dispose();
      const median = times.sort((a, b) => a - b)[(READS - 1) / 2] ?? NaN;
      ensure(median < 50, `${median.toFixed(1)} ms a read`);
    },
  },
];
