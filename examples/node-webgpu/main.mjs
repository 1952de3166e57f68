// In Node: `npm install nonlin webgpu`, then `node main.mjs`; `node main.mjs webgpu` takes a software adapter too, `cpu` the CPU.
import { init, manualSeed, mseLoss, nn, optim, scope, tensor } from 'nonlin';
import { create, globals } from 'webgpu';

Object.assign(globalThis, globals); // GPUBufferUsage and the like
const [wanted] = process.argv.slice(2);
const backend = wanted === 'cpu' || wanted === 'webgpu' ? wanted : 'auto';
const device = await init({ backend, gpu: create([]) });
console.log(`${device.type}: ${device.name}`);

manualSeed(3);
const model = new nn.Sequential({
  hidden: new nn.Linear(1, 16),
  act: new nn.Tanh(),
  out: new nn.Linear(16, 1),
});
const optimizer = new optim.Adam(model.parameters(), { lr: 0.03 });
const xs = Array.from({ length: 64 }, (_, i) => [i / 32 - 1]);
const x = tensor(xs);
const y = tensor(xs.map(([value = 0]) => [Math.sin(3 * value)]));
for (let i = 0; i <= 200; i++) {
  const loss = scope(() => {
    optimizer.zeroGrad();
    const value = mseLoss(model.forward(x), y);
    value.backward();
    optimizer.step();
    return value;
  });
  if (i % 50 === 0) console.log(`step ${i}: loss ${(await loss.item()).toFixed(5)}`);
  loss.dispose();
}
console.log(String(device.memory()));
device.dispose();
