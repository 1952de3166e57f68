// Two spirals that a small network learns to tell apart.
import { argmax, capture, crossEntropy, init, manualSeed, nn, noGrad, optim, tensor } from 'nonlin';

const device = await init(); // a GPU if there is one, else the CPU
manualSeed(1);

const POINTS = 200;
const points = Array.from({ length: POINTS }, (_, i) => {
  const t = Math.floor(i / 2) / (POINTS / 2);
  const angle = 4 * t + Math.PI * (i % 2);
  return [t * Math.cos(angle), t * Math.sin(angle)];
});
const x = tensor(points);
const classes = Array.from({ length: POINTS }, (_, i) => i % 2);
const target = tensor(classes, { dtype: 'int32' });

const model = new nn.Sequential(
  new nn.Linear(2, 32),
  new nn.SiLU(),
  new nn.Linear(32, 32),
  new nn.SiLU(),
  new nn.Linear(32, 2),
);
const optimizer = new optim.AdamW(model.parameters(), { lr: 0.02 });
const scheduler = new optim.lrScheduler.CosineAnnealingLR(optimizer, 300);

// The first call runs the function and keeps its launches; later calls replay them as one submit.
const step = capture((inputs, labels) => {
  optimizer.zeroGrad();
  const loss = crossEntropy(model.forward(inputs), labels);
  loss.backward();
  optimizer.step();
  return loss;
});

const output = document.querySelector('output');
for (let i = 0; i < 300; i++) {
  const loss = step(x, target);
  scheduler.step();
  // Reading waits for the GPU, so it is done now and then.
  if (output && i % 50 === 0) output.value = `step ${i}: loss ${(await loss.item()).toFixed(3)}`;
  loss.dispose();
}

const guesses = await noGrad(() => argmax(model.forward(x), { dim: 1 })).array({ rank: 1 });
const right = guesses.filter((guess, i) => guess === classes[i]).length;
if (output)
  output.value = `done on ${device.type}: ${right} of ${POINTS} right; ${String(device.memory())}`;
