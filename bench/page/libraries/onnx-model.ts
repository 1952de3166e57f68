// Takes an ONNX graph in plain words, and gives its model file. Field numbers are those of onnx.proto.
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

export interface Node {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly attributes?: Readonly<Record<string, number | string>>;
}

export interface Value {
  readonly name: string;
  readonly type: 'float32' | 'int32';
  readonly shape: readonly number[];
}

export interface Graph {
  readonly nodes: readonly Node[];
  readonly inputs: readonly Value[];
  readonly output: Value;
  /** Lists of int64. */
  readonly constants?: Readonly<Record<string, readonly number[]>>;
}

const ELEMENT_TYPES = { float32: 1, int32: 6, int64: 7 } as const;
const ATTRIBUTE_TYPES = { float: 1, int: 2, string: 3 } as const;
/** The first with Gelu. */
const OPSET = 20;

type Write = (writer: BinaryWriter) => void;

function message(writer: BinaryWriter, field: number, write: Write): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  write(writer);
  writer.join();
}

function text(writer: BinaryWriter, field: number, value: string): void {
  writer.tag(field, WireType.LengthDelimited).string(value);
}

function integer(writer: BinaryWriter, field: number, value: number): void {
  writer.tag(field, WireType.Varint).int64(value);
}

/** An integer attribute is one whose name ONNX gives that type; all others of ours that are numbers are floats. */
const INTEGERS: ReadonlySet<string> = new Set(['axis', 'keepdims']);

function attribute(name: string, value: number | string): Write {
  return (w) => {
    text(w, 1, name);
    if (typeof value === 'string') {
      w.tag(4, WireType.LengthDelimited).bytes(new TextEncoder().encode(value));
      integer(w, 20, ATTRIBUTE_TYPES.string);
    } else if (INTEGERS.has(name)) {
      integer(w, 3, value);
      integer(w, 20, ATTRIBUTE_TYPES.int);
    } else {
      w.tag(2, WireType.Bit32).float(value);
      integer(w, 20, ATTRIBUTE_TYPES.float);
    }
  };
}

function valueInfo({ name, type, shape }: Value): Write {
  return (w) => {
    text(w, 1, name);
    message(w, 2, (typeProto) =>
      message(typeProto, 1, (tensor) => {
        integer(tensor, 1, ELEMENT_TYPES[type]);
        message(tensor, 2, (shapeProto) => {
          for (const extent of shape) message(shapeProto, 1, (dim) => integer(dim, 1, extent));
        });
      }),
    );
  };
}

export function modelOf({ nodes, inputs, output, constants = {} }: Graph): Uint8Array {
  const writer = new BinaryWriter();
  integer(writer, 1, 9); // ir_version
  message(writer, 8, (opset) => integer(opset, 2, OPSET));
  message(writer, 7, (graph) => {
    for (const node of nodes) {
      message(graph, 1, (w) => {
        for (const input of node.inputs) text(w, 1, input);
        text(w, 2, node.output);
        text(w, 4, node.op);
        for (const [name, value] of Object.entries(node.attributes ?? {})) {
          message(w, 5, attribute(name, value));
        }
      });
    }
    text(graph, 2, 'graph');
    for (const [name, values] of Object.entries(constants)) {
      message(graph, 5, (tensor) => {
        integer(tensor, 1, values.length); // dims
        integer(tensor, 2, ELEMENT_TYPES.int64);
        message(tensor, 7, (data) => {
          for (const value of values) data.int64(value);
        });
        text(tensor, 8, name);
      });
    }
    for (const input of inputs) message(graph, 11, valueInfo(input));
    message(graph, 12, valueInfo(output));
  });
  return writer.finish();
}
