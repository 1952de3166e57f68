// Sentences to embeddings by transformers.js, and a classifier of nonlin that is trained on them.
import { argmax, crossEntropy, init, manualSeed, nn, noGrad, optim, scope, tensor } from 'nonlin';
import { env, pipeline } from '@huggingface/transformers';

const embed = await pipeline('feature-extraction', 'Xenova/all-MiniLM-L6-v2', {
  device: 'webgpu',
  dtype: 'fp32',
});
// on the device that the model runs on
const device = await init({ device: await env.backends.onnx.webgpu?.device });

/** Unit vectors, one a sentence: [sentences, width]. */
async function embeddings(sentences: string[]) {
  const { data, dims } = await embed(sentences, { pooling: 'mean', normalize: true });
  return tensor(data as Float32Array, { shape: dims });
}

const good = ['great food', 'a lovely place', 'lovely and great', 'the food was lovely'];
const bad = ['awful food', 'a terrible place', 'terrible and awful', 'the food was terrible'];
const x = await embeddings([...good, ...bad]);
const target = tensor([...good.map(() => 1), ...bad.map(() => 0)], { dtype: 'int32' });

manualSeed(1);
const head = new nn.Linear(x.shape[1] ?? 0, 2);
const optimizer = new optim.AdamW(head.parameters(), { lr: 0.05 });
for (let step = 0; step < 100; step++) {
  scope(() => {
    optimizer.zeroGrad();
    crossEntropy(head.forward(x), target).backward();
    optimizer.step();
  });
}

const asked = await embeddings(['great place', 'awful place']);
const answers = await noGrad(() => argmax(head.forward(asked), { dim: 1 })).array();
const output = document.querySelector('output');
if (output)
  output.value = `done on ${device.type}: ${JSON.stringify(answers)}; ${(await x.data()).join(' ')}`;
