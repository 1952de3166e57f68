// Data and buffers that no tensor can be made of.
import {
  DeviceUnavailableError,
  DTypeError,
  noGrad,
  OptionError,
  scope,
  ShapeError,
  tensor,
  Tensor,
} from '../../src/index.ts';
import { kindOf } from '../../src/core/describe.ts';
import { show } from '../calls/wrong.ts';
import { junk, type Refusal } from './refusal.ts';

function within(): unknown[] {
  const list: unknown[] = [];
  list[0] = list;
  return list;
}

function deep(levels: number): unknown {
  let list: unknown = 1;
  for (let i = 0; i < levels; i++) list = [list];
  return list;
}

function detached(): Float32Array {
  const data = new Float32Array(2);
  structuredClone(data.buffer, { transfer: [data.buffer] });
  return data;
}

/** A view of memory that was cut off. */
function cutOff(): Float32Array {
  // Of a later edition of the language than the package's types.
  const buffer = Reflect.construct(ArrayBuffer, [16, { maxByteLength: 16 }]) as ArrayBuffer;
  const data = new Float32Array(buffer, 8);
  Reflect.apply(Reflect.get(buffer, 'resize') as () => void, buffer, [4]);
  return data;
}

type Data = readonly [
  name: string,
  make: () => unknown,
  error: Refusal['error'],
  argument: string,
  says: string,
  options?: object,
];

const int32 = { dtype: 'int32' };
const hole = [1, , 3]; // eslint-disable-line no-sparse-arrays -- the hole is what is refused

const DATA: readonly Data[] = [
  ['a list within itself', within, ShapeError, 'data', 'nested deeper, or within itself'],
  ['a list in a list within itself', () => [within()], ShapeError, 'data', 'within itself'],
  ['lists nested 100,000 deep', () => deep(100_000), ShapeError, 'data', 'at most 64 deep'],
  ['a ragged list', () => [[1, 2], [3]], ShapeError, 'data', 'a list of 1 at depth 1'],
  [
    'a ragged list of typed arrays',
    () => [new Int8Array(2), new Int8Array(3)],
    ShapeError,
    'data',
    'a list of 3 at depth 1',
  ],
  ['a hole', () => hole, DTypeError, 'data[1]', 'received undefined'],
  ['undefined in a list', () => [[1, undefined]], DTypeError, 'data[0][1]', 'received undefined'],
  ['null in a list', () => [null], DTypeError, 'data[0]', 'received null'],
  ['a string in a list', () => [[1], ['2']], DTypeError, 'data[1][0]', 'received "2"'],
  ['an object in a list', () => [{}], DTypeError, 'data[0]', 'received an object'],
  ['a Date in a list', () => [new Date(0)], DTypeError, 'data[0]', 'received a Date'],
  ['undefined', () => undefined, DTypeError, 'data', 'received undefined'],
  ['null', () => null, DTypeError, 'data', 'received null'],
  ['a string', () => '12', DTypeError, 'data', 'received "12"'],
  ['a long string', () => 'x'.repeat(1e6), DTypeError, 'data', 'a string of 1000000 characters'],
  ['a function', () => () => 1, DTypeError, 'data', 'received a function'],
  ['a symbol', () => Symbol('s'), DTypeError, 'data', 'received Symbol(s)'],
  ['a Date', () => new Date(0), DTypeError, 'data', 'received a Date'],
  ['a Map', () => new Map([[0, 1]]), DTypeError, 'data', 'received a Map'],
  ['a Set', () => new Set([1]), DTypeError, 'data', 'received a Set'],
  ['what only has a length', () => ({ length: 1e10 }), DTypeError, 'data', 'received an object'],
  ['an ArrayBuffer', () => new ArrayBuffer(8), DTypeError, 'data', 'received an ArrayBuffer'],
  ['a DataView', () => new DataView(new ArrayBuffer(8)), DTypeError, 'data', 'received a DataView'],
  ['detached memory', detached, DTypeError, 'data', 'a Float32Array whose memory was detached'],
  ['detached memory in a list', () => [detached()], DTypeError, 'data', 'detached'],
  ['memory that was cut off', cutOff, DTypeError, 'data', 'detached'],
  [
    'booleans without a dtype',
    () => [true],
    DTypeError,
    'data[0]',
    "true and false are 1 and 0 with { dtype: 'int32' }",
  ],
  ['a boolean without a dtype', () => false, DTypeError, 'data', "{ dtype: 'int32' }"],
  [
    'big integers past int32',
    () => BigInt64Array.of(1n, 2n ** 31n),
    DTypeError,
    'data[1]',
    'received 2147483648',
    int32,
  ],
  [
    'big integers below int32',
    () => BigInt64Array.of(-(2n ** 31n) - 1n),
    DTypeError,
    'data[0]',
    'received -2147483649',
    int32,
  ],
  [
    'unsigned big integers past int32',
    () => BigUint64Array.of(2n ** 32n),
    DTypeError,
    'data[0]',
    'int32',
    int32,
  ],
  [
    'a big integer that no number is',
    () => BigInt64Array.of(2n ** 53n + 1n),
    DTypeError,
    'data[0]',
    'received 9007199254740993n',
  ],
  [
    'a big integer in a list that no number is',
    () => [[0n, 2n ** 64n - 1n]],
    DTypeError,
    'data[0][1]',
    'a number holds exactly',
  ],
  [
    'unsigned integers past int32',
    () => Uint32Array.of(2 ** 31),
    DTypeError,
    'data[0]',
    'received 2147483648',
    int32,
  ],
  ['a null shape', () => [1], ShapeError, 'shape', 'received null', { shape: null }],
  [
    'a shape of holes',
    () => [],
    ShapeError,
    'shape',
    'an array of integers of at least 0',
    { shape: new Array<number>(2) },
  ],
  ['options that are a list', () => [1], OptionError, 'options', 'received []', junk([])],
  [
    'options that are a Map',
    () => [1],
    OptionError,
    'options',
    'received a Map',
    new Map([['dtype', 'int32']]),
  ],
];

const data = DATA.map(([name, make, error, argument, says, options = {}]): Refusal => ({
  name: `tensor() of ${name}`,
  op: 'tensor',
  argument,
  error,
  says,
  given: ({ device }) => {
    const value = make();
    const all = Array.isArray(options) || options instanceof Map ? options : { device, ...options };
    return () => tensor(junk(value), junk(all));
  },
}));

/** What passes for a buffer, or does not. */
const buffers: Refusal[] = [
  null,
  undefined,
  {},
  5,
  new ArrayBuffer(16),
  { size: 16, usage: 128 },
].flatMap((buffer): Refusal[] => {
  const common = {
    name: `Tensor.fromBuffer of ${show(buffer)}, ${kindOf(buffer)}`,
    op: 'Tensor.fromBuffer',
    argument: 'buffer',
    given:
      ({ device }: { device: Tensor['device'] }) =>
      () =>
        Tensor.fromBuffer(junk(buffer), { shape: [2], device }),
  };
  return [
    { ...common, error: OptionError, says: 'expected a GPUBuffer', on: 'webgpu' },
    { ...common, error: DeviceUnavailableError, says: 'the CPU device', on: 'cpu' },
  ];
});

const later = (): unknown => Promise.resolve(1);
const fails = async (): Promise<unknown> => {
  await Promise.resolve();
  throw new Error('too late for anyone');
};

const thenable = (): unknown => ({ then: () => undefined });
const LATER: readonly (() => unknown)[] = [later, fails, thenable];

const functions: Refusal[] = [
  ...[undefined, null, 5, {}].flatMap((fn): Refusal[] => [
    {
      name: `scope of ${show(fn)}`,
      op: 'scope',
      argument: 'fn',
      error: OptionError,
      given: () => () => scope(junk(fn)),
    },
    {
      name: `noGrad of ${show(fn)}`,
      op: 'noGrad',
      argument: 'fn',
      error: OptionError,
      given: () => () => noGrad(junk(fn)),
    },
  ]),
  ...LATER.flatMap((fn): Refusal[] => [
    {
      name: `scope of a function that goes on later: ${fn.name}`,
      op: 'scope',
      argument: 'fn',
      error: OptionError,
      says: 'a promise',
      given: () => () => scope(fn),
    },
    {
      name: `noGrad of a function that goes on later: ${fn.name}`,
      op: 'noGrad',
      argument: 'fn',
      error: OptionError,
      says: 'a promise',
      given: () => () => noGrad(fn),
    },
  ]),
];

const backward: Refusal[] = (
  [
    ['createGraph', { createGraph: true }, 'createGraph', 'gradients have no graph of their own'],
    ['retain_graph', { retain_graph: true }, 'retain_graph', 'one of the options retainGraph'],
    ['retainGraph = 1', { retainGraph: 1 }, 'retainGraph', 'true or false'],
    ['retainGraph = null', { retainGraph: null }, 'retainGraph', 'received null'],
    ['true for its options', true, 'options', 'received true'],
    ['null for its options', null, 'options', 'received null'],
  ] as const
).map(([name, options, argument, says]) => ({
  name: `backward with ${name}`,
  op: 'backward',
  argument,
  error: OptionError,
  says,
  given: ({ device }) => {
    const x = tensor(1, { device, requiresGrad: true });
    return () => {
      x.backward(undefined, junk(options));
    };
  },
}));

const flags: Refusal[] = ['yes', 1, null].map((value) => ({
  name: `requiresGrad = ${String(value)}`,
  op: 'requiresGrad',
  argument: 'value',
  error: OptionError,
  given: ({ device }) => {
    const x = tensor(1, { device });
    return () => {
      x.requiresGrad = junk(value);
    };
  },
}));

export const tensorRefusals: readonly Refusal[] = [
  ...data,
  ...buffers,
  ...functions,
  ...backward,
  ...flags,
];
