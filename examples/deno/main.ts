// In Deno, whose WebGPU is built in: `deno run --unstable-webgpu main.ts`
import { crossEntropy, init, tensor } from 'nonlin';

const device = await init();
console.log(`${device.type}: ${device.name}`);
const logits = tensor([[2, 1, 0.1]], { requiresGrad: true });
const loss = crossEntropy(logits, tensor([0], { dtype: 'int32' }));
loss.backward();
console.log(`loss ${(await loss.item()).toFixed(4)}`);
console.log(String(await logits.grad?.array()));
device.dispose();
