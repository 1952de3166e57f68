// Takes the graph of an ONNX file, and gives the multilayer perceptron that it is, or says which of its operators stands in the
// way.
import { ELEMENTWISE, type Curve } from './onnx-elementwise.ts';
import { OnnxError, type OnnxGraph, type OnnxNode, type OnnxTensor } from './onnx.ts';

export interface OnnxLayer {
  /** [outputs, inputs], by rows. */
  readonly weight: Float32Array<ArrayBuffer>;
  readonly bias: Float32Array<ArrayBuffer>;
  readonly inputs: number;
  readonly outputs: number;
  /** What follows it, before the next layer; undefined after the last. */
  activation: { readonly curve: Curve; readonly ops: readonly string[] } | undefined;
}

/** What a value of the graph is: the network's numbers after a layer and some functions of each, or made without its input. */
interface Value {
  readonly layer: number;
  /** Of what the layer gave; undefined where that is bare. */
  readonly curve: Curve | undefined;
  readonly ops: readonly string[];
}

const START: Value = { layer: -1, curve: undefined, ops: [] };
/** Leave the numbers as they are. */
const SAME = new Set(['Identity', 'Dropout', 'Cast', 'Flatten']);
/** The same before the first layer: an image's rows become one. */
const ROWS = new Set(['Reshape', 'Squeeze', 'Unsqueeze']);
/** After the last layer: this page's networks give logits, and their softmax is taken where it is needed. */
const ENDS = new Set(['Softmax', 'LogSoftmax']);
const identity: Curve = (x) => x;

/** Throws an OnnxError where it is something else. */
export function perceptronOfOnnx(graph: OnnxGraph): OnnxLayer[] {
  return new Reading(graph).layers;
}

class Reading {
  readonly layers: OnnxLayer[] = [];
  readonly #constants: Map<string, OnnxTensor>;
  /** Values that follow from the input. */
  readonly #values = new Map<string, Value>();
  /** The output of a product that a bias may be added to. */
  #bare = '';
  /** What nothing may follow: the operator after the last layer. */
  #end = '';

  constructor({ nodes, constants, inputs, outputs }: OnnxGraph) {
    this.#constants = new Map(constants);
    const [input, another] = inputs;
    if (input === undefined) throw new OnnxError('its graph has no input');
    if (another !== undefined) {
      throw new OnnxError(`expected one input, got ${inputs.length}: ${inputs.join(', ')}`);
    }
    this.#values.set(input, START);
    for (const node of nodes) this.#take(node);
    const last = this.#values.get(outputs[0] ?? '');
    if (!last || this.layers.length === 0) throw new OnnxError('there is no linear layer in it');
    if (last.layer !== this.layers.length - 1) {
      throw new OnnxError('its output is not what its last layer gives');
    }
    if (last.curve) {
      throw new OnnxError(`${last.ops.join(', ')} after the last layer stands in the way`);
    }
  }

  #take(node: OnnxNode): void {
    const { op, inputs, outputs } = node;
    const [output = ''] = outputs;
    const places = inputs.flatMap((name, i) => (this.#values.has(name) ? [i] : []));
    const value = this.#values.get(inputs[places[0] ?? 0] ?? '');
    if (op === 'Shape') return;
    if (!value) {
      this.#compute(node, output);
      return;
    }
    if (this.#end !== '') {
      throw new OnnxError(`${op} after ${this.#end} stands in the way`);
    }
    if (SAME.has(op) || (ROWS.has(op) && value.layer < 0)) this.#values.set(output, value);
    else if (op === 'Gemm' || op === 'MatMul') this.#layer(node, value, output);
    else if (op === 'Add' && inputs.includes(this.#bare) && this.#addBias(node, output)) return;
    else if (ENDS.has(op) && value.layer >= 0 && !value.curve) {
      this.#end = op;
      this.#values.set(output, value);
    } else this.#elementwise(node, value, output);
  }

  /** A constant by itself, or turned; what else is computed of constants is no weight, and is looked at where it is used. */
  #compute({ op, inputs, tensor }: OnnxNode, output: string): void {
    const of = this.#constants.get(inputs[0] ?? '');
    if (op === 'Constant' && tensor) this.#constants.set(output, tensor);
    else if (of && (op === 'Identity' || op === 'Cast')) this.#constants.set(output, of);
    else if (of && op === 'Transpose') this.#constants.set(output, turned(of));
  }

  #layer(node: OnnxNode, value: Value, output: string): void {
    const { op, inputs, numbers } = node;
    const [x = '', second = '', third = ''] = inputs;
    const weight = this.#constants.get(second);
    if (!this.#values.has(x) || weight?.shape.length !== 2) {
      throw new OnnxError(`${op} stands in the way: expected a product of the input with a weight`);
    }
    if (number(numbers, 'transA', 0) !== 0) throw new OnnxError('Gemm: transA stands in the way');
    const byOutputs = number(numbers, 'transB', 0) === 1;
    const [outputs = 0, features = 0] = byOutputs ? weight.shape : weight.shape.toReversed();
    const before = this.layers[value.layer];
    const expected = before?.outputs ?? features;
    if (features !== expected) {
      throw new OnnxError(`${op}: expected a weight of ${expected} inputs, got ${features}`);
    }
    if (value.layer !== this.layers.length - 1) {
      throw new OnnxError(`${op} stands in the way: a layer takes what the one before gives`);
    }
    if (value.curve && !before) {
      throw new OnnxError(`${value.ops.join(', ')} before the first layer stands in the way`);
    }
    const [alpha, beta] = [number(numbers, 'alpha', 1), number(numbers, 'beta', 1)];
    const { values } = checked(byOutputs ? weight : turned(weight), second, outputs * features);
    const bias = new Float32Array(outputs);
    if (before) before.activation = { curve: value.curve ?? identity, ops: value.ops };
    this.layers.push({
      weight: Float32Array.from(values, (one) => alpha * one),
      bias,
      inputs: features,
      outputs,
      activation: undefined,
    });
    if (op === 'Gemm' && third !== '') this.#fill(bias, third, beta);
    this.#bare = op === 'MatMul' ? output : '';
    this.#values.set(output, { layer: this.layers.length - 1, curve: undefined, ops: [] });
  }

  /** False where it is none: numbers that are added to each output alike are an activation's. */
  #addBias({ inputs }: OnnxNode, output: string): boolean {
    const name = inputs.find((one) => one !== this.#bare) ?? '';
    const value = this.#values.get(this.#bare);
    const layer = this.layers.at(-1);
    if (!value || !layer || !this.#constants.has(name)) return false;
    this.#fill(layer.bias, name, 1);
    this.#bare = '';
    this.#values.set(output, value);
    return true;
  }

  #fill(bias: Float32Array, name: string, beta: number): void {
    const constant = this.#constants.get(name);
    if (!constant) throw new OnnxError(`the bias ${name} stands in the way: it is no constant`);
    const { values } = checked(constant, name, constant.values.length === 1 ? 1 : bias.length);
    bias.forEach((_, i) => (bias[i] = beta * (values[values.length === 1 ? 0 : i] ?? NaN)));
  }

  #elementwise(node: OnnxNode, value: Value, output: string): void {
    const { op, inputs } = node;
    const make = ELEMENTWISE[op];
    if (!make) {
      throw new OnnxError(
        `${op} stands in the way: a multilayer perceptron is made of Gemm, or MatMul and Add, and activations`,
      );
    }
    const args = inputs.map((name): Curve | undefined => {
      const of = this.#values.get(name);
      if (of && of.layer !== value.layer) {
        throw new OnnxError(`${op} stands in the way: it joins what two layers give`);
      }
      if (of) return of.curve ?? identity;
      if (name === '') return undefined;
      const constant = this.#constants.get(name);
      const [scalar] = constant?.values ?? [];
      if (scalar === undefined || constant?.values.length !== 1) {
        throw new OnnxError(`${op} with ${name} stands in the way: it is no single number`);
      }
      return () => scalar;
    });
    const curve = make(args, node);
    this.#values.set(output, { layer: value.layer, curve, ops: [...value.ops, op] });
  }
}

const number = (numbers: ReadonlyMap<string, number>, name: string, otherwise: number): number =>
  numbers.get(name) ?? otherwise;

function checked(tensor: OnnxTensor, name: string, count: number): OnnxTensor {
  if (tensor.values.length === count) return tensor;
  throw new OnnxError(
    `${name} [${tensor.shape.join(', ')}]: expected ${count} floating-point numbers, got ${tensor.values.length}`,
  );
}

function turned({ shape, values }: OnnxTensor): OnnxTensor {
  const [rows = 0, columns = 0] = shape;
  const at = (i: number) => values[(i % rows) * columns + Math.floor(i / rows)] ?? NaN;
  return { shape: [columns, rows], values: Float64Array.from(values, (_, i) => at(i)) };
}
