// Takes the bytes of an ONNX file, and gives its perceptron as a file of weights that says what is between its layers. A chunk
// of its own: few bring such a file.
import { tensor, type Device, type nn, type Tensor } from 'nonlin';
import { perceptronOfOnnx, type OnnxLayer } from './onnx-perceptron.ts';
import { readOnnx } from './onnx.ts';
import type { StateFile } from './state-file.ts';

/** Throws an OnnxError where it is something else. */
export function readOnnxState(bytes: ArrayBuffer): StateFile {
  const layers = perceptronOfOnnx(readOnnx(bytes));
  // as this page's networks name them: a linear layer and an activation take turns
  const names = layers.map((_, i) => ({ weight: `${2 * i}.weight`, bias: `${2 * i}.bias` }));
  return {
    params: undefined,
    accuracy: undefined,
    tensors: layers.flatMap(({ inputs, outputs }, i) => [
      { name: `${2 * i}.weight`, shape: [outputs, inputs] },
      { name: `${2 * i}.bias`, shape: [outputs] },
    ]),
    layers: {
      layers: names,
      sizes: [layers[0]?.inputs ?? 0, ...layers.map(({ outputs }) => outputs)],
      transposed: false,
    },
    between: layers.flatMap(({ activation }) => activation ?? []),
    into: (network, device) => fill(network, layers, device),
  };
}

function fill(network: nn.Module, layers: readonly OnnxLayer[], device: Device): void {
  const state: Record<string, Tensor> = {};
  try {
    layers.forEach(({ weight, bias, inputs, outputs }, i) => {
      state[`${2 * i}.weight`] = tensor(weight, { shape: [outputs, inputs], device });
      state[`${2 * i}.bias`] = tensor(bias, { device });
    });
    network.loadStateDict(state);
  } finally {
    for (const one of Object.values(state)) one.dispose();
  }
}
