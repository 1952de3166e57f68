// Takes a device and a number of steps, and gives what training without a scope holds at most, as a number of buffers.
import { mseLoss, nn, optim, relu, tensor, type Device } from '../src/index.ts';

/**
 * Trains a small network, awaiting nothing but the loss of each step; every 250 steps garbage is collected, as an engine
 * does it under pressure. Returns the most live buffers, and how many more a step leaves.
 */
export async function train(
  device: Device,
  steps: number,
  collect: () => void,
): Promise<[most: number, perStep: number]> {
  const [first, second] = [new nn.Linear(8, 8, { device }), new nn.Linear(8, 1, { device })];
  const parameters = [...first.parameters(), ...second.parameters()];
  const optimizer = new optim.Adam(parameters);
  const step = async (): Promise<void> => {
    const x = tensor(new Float32Array(32).fill(1), { device, shape: [4, 8] });
    const loss = mseLoss(
      second.forward(relu(first.forward(x))),
      tensor([[1], [2], [3], [4]], { device }),
    );
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    await loss.item();
  };
  await step();
  const before = device.stats().liveBuffers;
  await step();
  const perStep = device.stats().liveBuffers - before;
  let most = 0;
  for (let i = 0; i < steps; i++) {
    await step();
    most = Math.max(most, device.stats().liveBuffers);
    if (i % 250 === 249) collect();
  }
  optimizer.dispose();
  for (const parameter of parameters) parameter.dispose();
  return [most, perStep];
}
