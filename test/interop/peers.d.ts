// What the tests use of libraries that the lane installs: the checks of `npm test` do without them.

declare module 'onnx-proto' {
  interface Attribute {
    readonly name: string;
    readonly type: number;
    readonly i?: number;
  }
  interface Node {
    readonly opType: string;
    readonly input: readonly string[];
    readonly output: readonly string[];
    readonly attribute?: readonly Attribute[];
  }
  interface Initializer {
    readonly name: string;
    readonly dims: readonly number[];
    readonly dataType: number;
    readonly floatData: readonly number[];
  }
  interface Dimension {
    readonly dimValue?: number;
    readonly dimParam?: string;
  }
  interface Value {
    readonly name: string;
    readonly type: {
      readonly tensorType: {
        readonly elemType: number;
        readonly shape: { readonly dim: readonly Dimension[] };
      };
    };
  }
  interface Model {
    readonly irVersion: number;
    readonly opsetImport: readonly { readonly version: number }[];
    readonly graph: {
      readonly name: string;
      readonly node: readonly Node[];
      readonly initializer: readonly Initializer[];
      readonly input: readonly Value[];
      readonly output: readonly Value[];
    };
  }
  const proto: {
    readonly onnx: {
      readonly ModelProto: {
        fromObject(model: Model): Model;
        encode(model: Model): { finish(): Uint8Array };
      };
    };
  };
  export default proto;
}
