// Takes the bytes of an ONNX file, and gives its graph: nodes in the order in which they are computed, and constants. Only what a
// perceptron may need of the format is read: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, whose field numbers these are.
import { PbfReader } from 'pbf';

/** A file that is no ONNX, or holds something else than a perceptron; the message says what. */
export class OnnxError extends Error {
  override readonly name = 'OnnxError';
}

export interface OnnxTensor {
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly numbers: ReadonlyMap<string, number>;
  readonly words: ReadonlyMap<string, string>;
  /** Of a Constant. */
  readonly tensor: OnnxTensor | undefined;
}

export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly constants: ReadonlyMap<string, OnnxTensor>;
  /** Without constants, which older files name here too. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

const HALF = 10;
/** ONNX's numbers for dtypes, with how an element is read. Others are integers or texts: no weights, only shapes. */
const DTYPES: Readonly<
  Record<number, { bytes: number; at: (view: DataView, at: number) => number }>
> = {
  1: { bytes: 4, at: (view, at) => view.getFloat32(at, true) },
  6: { bytes: 4, at: (view, at) => view.getInt32(at, true) },
  7: { bytes: 8, at: (view, at) => Number(view.getBigInt64(at, true)) },
  [HALF]: { bytes: 2, at: (view, at) => halfOf(view.getUint16(at, true)) },
  11: { bytes: 8, at: (view, at) => view.getFloat64(at, true) },
};

function halfOf(bits: number): number {
  const [sign, exponent, fraction] = [bits >> 15 ? -1 : 1, (bits >> 10) & 31, bits & 1023];
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (exponent ? 2 ** (exponent - 25) * (1024 + fraction) : 2 ** -24 * fraction);
}

/** Throws an OnnxError where the bytes are no ONNX file. */
export function readOnnx(bytes: ArrayBuffer): OnnxGraph {
  let graph: OnnxGraph | undefined;
  try {
    new PbfReader(bytes).readFields((tag, _, pbf) => {
      if (tag === 7) graph = graphOf(pbf);
    }, undefined);
  } catch (error) {
    if (error instanceof OnnxError) throw error;
    throw new OnnxError('it is no ONNX file, or a damaged one', { cause: error });
  }
  if (!graph || graph.nodes.length === 0) throw new OnnxError('there is no graph in it');
  return graph;
}

function graphOf(pbf: PbfReader): OnnxGraph {
  const nodes: OnnxNode[] = [];
  const constants = new Map<string, OnnxTensor>();
  const inputs: string[] = [];
  const outputs: string[] = [];
  message(pbf, (tag) => {
    if (tag === 1) nodes.push(nodeOf(pbf));
    else if (tag === 5) {
      const { name, tensor } = tensorOf(pbf);
      constants.set(name, tensor);
    } else if (tag === 11) inputs.push(nameOf(pbf));
    else if (tag === 12) outputs.push(nameOf(pbf));
  });
  return { nodes, constants, inputs: inputs.filter((name) => !constants.has(name)), outputs };
}

function nodeOf(pbf: PbfReader): OnnxNode {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const numbers = new Map<string, number>();
  const words = new Map<string, string>();
  let op = '';
  let tensor: OnnxTensor | undefined;
  message(pbf, (tag) => {
    if (tag === 1) inputs.push(pbf.readString());
    else if (tag === 2) outputs.push(pbf.readString());
    else if (tag === 4) op = pbf.readString();
    else if (tag === 5) {
      let name = '';
      let number: number | undefined;
      let word: string | undefined;
      message(pbf, (field) => {
        if (field === 1) name = pbf.readString();
        else if (field === 2) number = pbf.readFloat();
        else if (field === 3) number = pbf.readVarint(true);
        else if (field === 4) word = pbf.readString();
        else if (field === 5) ({ tensor } = tensorOf(pbf));
      });
      if (number !== undefined) numbers.set(name, number);
      if (word !== undefined) words.set(name, word);
    }
  });
  return { op, inputs, outputs, numbers, words, tensor };
}

function tensorOf(pbf: PbfReader): { name: string; tensor: OnnxTensor } {
  const shape: number[] = [];
  const found: number[] = [];
  let name = '';
  let dtype = 0;
  let raw: Uint8Array | undefined;
  message(pbf, (tag) => {
    if (tag === 1) pbf.readPackedVarint(shape, true);
    else if (tag === 2) dtype = pbf.readVarint();
    else if (tag === 4) pbf.readPackedFloat(found);
    else if (tag === 5 || tag === 7) pbf.readPackedVarint(found, true);
    else if (tag === 8) name = pbf.readString();
    else if (tag === 9) raw = pbf.readBytes();
    else if (tag === 10) pbf.readPackedDouble(found);
    else if (tag === 14 && pbf.readVarint() === 1) {
      throw new OnnxError(`the values of ${name} are in another file`);
    }
  });
  const whole = Float64Array.from(found, (value) => (dtype === HALF ? halfOf(value) : value));
  return { name, tensor: { shape, values: raw ? valuesOf(raw, dtype) : whole } };
}

function valuesOf(raw: Uint8Array, dtype: number): Float64Array {
  const type = DTYPES[dtype];
  if (!type) return new Float64Array();
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const { bytes, at } = type;
  return Float64Array.from({ length: raw.byteLength / bytes }, (_, i) => at(view, i * bytes));
}

function nameOf(pbf: PbfReader): string {
  let name = '';
  message(pbf, (tag) => {
    if (tag === 1) name = pbf.readString();
  });
  return name;
}

function message(pbf: PbfReader, field: (tag: number) => void): void {
  pbf.readMessage((tag) => field(tag), undefined);
}
