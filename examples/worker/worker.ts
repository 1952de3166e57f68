// Trains in the worker, on a device of its own, and posts what the page shows.
import { init, manualSeed, mseLoss, mul, nn, optim, randn, scope } from 'nonlin';

const device = await init();
manualSeed(1);
const model = new nn.Sequential(new nn.Linear(4, 32), new nn.ReLU(), new nn.Linear(32, 4));
const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
const x = randn([64, 4]);
const target = mul(x, 2);

for (let i = 0; i <= 200; i++) {
  const loss = scope(() => {
    optimizer.zeroGrad();
    const value = mseLoss(model.forward(x), target);
    value.backward();
    optimizer.step();
    return value;
  });
  if (i % 20 === 0) postMessage({ step: i, loss: await loss.item(), device: device.type });
  loss.dispose();
}
postMessage('done');
