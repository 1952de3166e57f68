// Takes ops by name, and gives ONNX Runtime Web's calls on WebGPU: one model per op and shape, inputs and outputs in GPU
// buffers.
import * as ort from 'onnxruntime-web/webgpu';
import type { Inputs, Library, OpName, Runner } from '../types.ts';
import { modelOf, type Graph, type Node, type Value } from './onnx-model.ts';

const node = (
  op: string,
  inputs: string[],
  output: string,
  attributes: Record<string, number | string> = {},
): Node => ({ op, inputs, output, attributes });

const GELU = node('Gelu', ['x'], 'z');

/** It has LogSoftmax on the CPU only. */
const LOG_SUM = node('ReduceLogSumExp', ['x', 'axes'], 's', { keepdims: 1 });

/** No op has a gradient. */
const NODES: Partial<Record<OpName, readonly Node[]>> = {
  relu: [node('Relu', ['x'], 'z')],
  leakyRelu: [node('LeakyRelu', ['x'], 'z', { alpha: 0.01 })],
  gelu: [GELU],
  geluTanh: [node('Gelu', ['x'], 'z', { approximate: 'tanh' })],
  tanh: [node('Tanh', ['x'], 'z')],
  sigmoid: [node('Sigmoid', ['x'], 'z')],
  silu: [node('Sigmoid', ['x'], 's'), node('Mul', ['x', 's'], 'z')],
  softplus: [node('Softplus', ['x'], 'z')],
  biasGelu: [node('Add', ['x', 'bias'], 's'), { ...GELU, inputs: ['s'] }],
  mse: [
    node('Sub', ['x', 'y'], 'd'),
    node('Mul', ['d', 'd'], 's'),
    node('ReduceMean', ['s'], 'z', { keepdims: 0 }),
  ],
  softmax: [node('Softmax', ['x'], 'z', { axis: -1 })],
  logSoftmax: [LOG_SUM, node('Sub', ['x', 's'], 'z')],
  crossEntropy: [
    LOG_SUM,
    node('GatherElements', ['x', 'classes'], 'g', { axis: 1 }),
    node('Sub', ['s', 'g'], 'l'),
    node('ReduceMean', ['l'], 'z', { keepdims: 0 }),
  ],
};

function graphOf(op: OpName, nodes: readonly Node[], { shape }: Inputs): Graph {
  const [rows, columns] = shape;
  const all: Value[] = [
    { name: 'x', type: 'float32', shape },
    { name: 'y', type: 'float32', shape },
    { name: 'bias', type: 'float32', shape: [columns] },
    { name: 'classes', type: 'int32', shape: [rows, 1] },
  ];
  const used = new Set(nodes.flatMap(({ inputs }) => inputs));
  const scalar = op === 'mse' || op === 'crossEntropy';
  return {
    nodes,
    inputs: all.filter(({ name }) => used.has(name)),
    output: { name: 'z', type: 'float32', shape: scalar ? [] : shape },
    constants: used.has('axes') ? { axes: [1] } : {},
  };
}

export async function load(): Promise<Library> {
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = 'error';
  const usage = GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_DST | GPUBufferUsage.COPY_SRC;
  return {
    prepare: async (op: OpName, inputs: Inputs): Promise<Runner | null> => {
      const nodes = NODES[op];
      if (!nodes) return null;
      const graph = graphOf(op, nodes, inputs);
      const session = await ort.InferenceSession.create(modelOf(graph), {
        executionProviders: ['webgpu'],
        preferredOutputLocation: 'gpu-buffer',
        // An op that WebGPU lacks would be computed on the CPU in silence.
        extra: { session: { disable_cpu_ep_fallback: '1' } },
      });
      // There from the first session on.
      const device = await ort.env.webgpu.device;
      const buffers: GPUBuffer[] = [];
      const tensorOf = (
        { type, shape }: Value,
        data?: ArrayBufferView<ArrayBuffer>,
      ): ort.Tensor => {
        const bytes = shape.reduce((n, extent) => n * extent, 4);
        const buffer = device.createBuffer({ size: Math.ceil(bytes / 16) * 16, usage });
        buffers.push(buffer);
        if (data) device.queue.writeBuffer(buffer, 0, data.buffer, 0, data.byteLength);
        return ort.Tensor.fromGpuBuffer(buffer, { dataType: type, dims: [...shape] });
      };
      const host: Record<string, ArrayBufferView<ArrayBuffer>> = {
        x: inputs.x,
        y: inputs.y,
        bias: inputs.bias,
        classes: inputs.classes,
      };
      const feeds = Object.fromEntries(
        graph.inputs.map((value) => [value.name, tensorOf(value, host[value.name])]),
      );
      // Written in place of a new output: the cheaper of the two ways.
      const fetches = { z: tensorOf(graph.output) };
      return {
        run: async (calls) => {
          for (let i = 0; i < calls; i++) await session.run(feeds, fetches);
        },
        sync: () => device.queue.onSubmittedWorkDone(),
        read: async () => {
          await session.run(feeds, fetches);
          const data = await readBack(device, buffers.at(-1), graph.output.shape);
          return [data];
        },
        free: () => {
          void session.release();
          for (const buffer of buffers) buffer.destroy();
        },
      };
    },
  };
}

async function readBack(
  device: GPUDevice,
  buffer: GPUBuffer | undefined,
  shape: readonly number[],
): Promise<Float32Array> {
  if (!buffer) throw new Error('no output');
  const bytes = shape.reduce((n, extent) => n * extent, 4);
  const staging = device.createBuffer({
    size: bytes,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  const encoder = device.createCommandEncoder();
  encoder.copyBufferToBuffer(buffer, 0, staging, 0, bytes);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const data = new Float32Array(staging.getMappedRange().slice(0));
  staging.destroy();
  return data;
}
