// Takes a device, a number of steps, whether each is in a scope, and gives what memory training holds on the way, as a
// table.
import { parseArgs } from 'node:util';
import { nodeGpu } from '../demo/cli/node-gpu.ts';
import {
  init,
  manualSeed,
  mseLoss,
  nn,
  optim,
  relu,
  scope,
  tensor,
  type Device,
  type Tensor,
} from '../src/index.ts';

const { values } = parseArgs({
  options: {
    device: { type: 'string', default: 'cpu' },
    scope: { type: 'string', default: 'no' },
    steps: { type: 'string', default: '100000' },
    batch: { type: 'string', default: '4' },
    width: { type: 'string', default: '16' },
  },
});
const steps = Number(values.steps);
const batch = Number(values.batch);
const width = Number(values.width);

async function open(): Promise<Device | null> {
  if (values.device === 'cpu') return init({ backend: 'cpu' });
  const gpu = await nodeGpu();
  return gpu ? init({ backend: 'webgpu', gpu }).catch(() => null) : null;
}

const device = await open();
if (!device) {
  console.log(`${values.device}: not run, there is no adapter`);
  process.exit(0);
}
console.log(
  `\n${device.name}, ${steps} steps of ${batch} rows, width ${width}, ${
    values.scope === 'yes' ? 'each in a scope' : 'no scope'
  }`,
);

manualSeed(1);
const first = new nn.Linear(width, width);
const second = new nn.Linear(width, 1);
const optimizer = new optim.Adam([...first.parameters(), ...second.parameters()]);
const inputs = new Float32Array(batch * width);
const targets = new Float32Array(batch);

function step(i: number): Tensor {
  for (let k = 0; k < inputs.length; k++) inputs[k] = Math.sin(k + i);
  for (let k = 0; k < batch; k++) targets[k] = Math.cos(k + i);
  const x = tensor(inputs, { shape: [batch, width] });
  const y = second.forward(relu(first.forward(x)));
  const loss = mseLoss(y, tensor(targets, { shape: [batch, 1] }));
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
  return loss;
}

const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
const row = (cells: readonly string[]): void => {
  console.log(cells.map((cell) => cell.padStart(14)).join(''));
};
row(['steps', 'live buffers', 'live MiB', 'pooled MiB', 'created', 'RSS MiB', 's']);
const start = performance.now();
let most = 0;
for (let i = 0; i < steps; i++) {
  const loss = values.scope === 'yes' ? scope(() => step(i)) : step(i);
  await loss.item();
  if (values.scope === 'yes') loss.dispose();
  const stats = device.stats();
  most = Math.max(most, stats.liveBuffers);
  if ((i + 1) % Math.ceil(steps / 10) === 0) {
    row([
      String(i + 1),
      String(stats.liveBuffers),
      mib(stats.liveBytes),
      mib(stats.pooledBytes),
      String(stats.buffersCreated),
      mib(process.memoryUsage().rss),
      ((performance.now() - start) / 1000).toFixed(1),
    ]);
  }
}
console.log(`most live buffers: ${most}`);
process.exit(0);
