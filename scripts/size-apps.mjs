// @ts-check
/** Apps of which the size is measured: by `npm run size`, and with limits by `test/package/sizes.test.ts`. */

/**
 * What an app does with its imports does not matter here, only that they are not dropped.
 * @param {string} names
 */
const using = (names) => `import { ${names} } from 'nonlin';\nglobalThis.used = { ${names} };\n`;

/** @param {string} imports */
const trainer = (imports) => `
${imports}
await init();
const model = new nn.Sequential(new nn.Linear(2, 8), new nn.ReLU(), new nn.Linear(8, 2));
const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
const output = model.forward(tensor([[0, 1]]));
const loss = new nn.CrossEntropyLoss().forward(output, tensor([1], { dtype: 'int32' }));
loss.backward();
optimizer.step();
`;

/**
 * @param {string} op
 * @param {string} request
 */
const planning = (op, request) => `
import { planOf, ${op} } from 'nonlin/kernels';
const { forward } = planOf(${op}, ${request});
console.log(forward.launches.length);
`;

/** The source of each app by its name. */
export const APPS = {
  // tensors, gradients, the CPU path, a shader
  relu: using('relu'),
  'relu and init, so both devices': using('init, relu, tensor'),
  crossEntropy: using('crossEntropy'),
  'attention and init': using('init, scaledDotProductAttention, tensor'),
  'a trainer': trainer("import { init, nn, optim, tensor } from 'nonlin';"),
  'a trainer from nonlin/nn and nonlin/optim': trainer(
    "import { init, tensor } from 'nonlin';\nimport * as nn from 'nonlin/nn';\nimport * as optim from 'nonlin/optim';",
  ),
  all: "import * as nonlin from 'nonlin';\nglobalThis.used = { ...nonlin };\n",
  'planOf(relu)': planning('relu', '{ shape: [4] }'),
  'planOf(softmax)': planning('softmax', '{ shape: [4, 8], options: { dim: 1 } }'),
  'planOf(crossEntropy)': planning('crossEntropy', '{ shape: [4, 8] }'),
};
