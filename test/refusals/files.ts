// safetensors files that are none, and what cannot be saved in one.
import {
  DisposedError,
  DTypeError,
  nn,
  OptionError,
  safetensors,
  tensor,
} from '../../src/index.ts';
import { show } from '../calls/wrong.ts';
import { junk, type Refusal } from './refusal.ts';

/** A file of a header's text, or bytes, and zeros behind it. */
function fileOf(header: string | Uint8Array, bytes = 0): Uint8Array<ArrayBuffer> {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header;
  const file = new Uint8Array(8 + text.length + bytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  return file;
}

const entry = (name: string, from: number, to: number, rest = '"dtype":"U8","shape":[4]'): string =>
  `"${name}":{${rest},"data_offsets":[${from},${to}]}`;

const FILES: readonly (readonly [name: string, file: Uint8Array, says: string])[] = [
  ['no bytes', new Uint8Array(0), 'one of 0 bytes'],
  ['seven bytes', new Uint8Array(7), 'one of 7 bytes'],
  [
    'a header longer than the file',
    Uint8Array.of(99, 0, 0, 0, 0, 0, 0, 0, 1),
    'a header of 99 bytes in a file of 9',
  ],
  ['a header too large', new Uint8Array(16).fill(255), 'a header of'],
  ['a header that is not UTF-8', fileOf(Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x7d)), 'not UTF-8'],
  [
    'a header behind a byte order mark',
    fileOf(Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d)),
    'not JSON',
  ],
  ['a header that is not JSON', fileOf('{"x":'), 'not JSON'],
  ['a header that is a list', fileOf('[]'), 'not an object'],
  ['a header that is null', fileOf('null'), 'not an object'],
  ['an entry that is null', fileOf('{"x":null}'), '"x" without dtype'],
  ['an entry without a shape', fileOf('{"x":{"dtype":"U8","data_offsets":[0,0]}}'), 'without'],
  [
    'a fractional shape',
    fileOf(`{${entry('x', 0, 4, '"dtype":"U8","shape":[4.5]')}}`, 4),
    'without',
  ],
  ['numbers past the end', fileOf(`{${entry('x', 0, 4)}}`), '"x" at bytes 0 to 4 of 0'],
  ['offsets that go back', fileOf(`{${entry('x', 4, 0)}}`, 4), '"x" at bytes 4 to 0'],
  [
    'offsets that do not fit the shape',
    fileOf(`{${entry('x', 0, 5)}}`, 5),
    '4 elements in 5 bytes',
  ],
  [
    'entries that overlap',
    fileOf(`{${entry('x', 0, 4)},${entry('y', 2, 6)}}`, 6),
    '"y" at bytes 2 to 6, which overlaps',
  ],
  ['entries of the same bytes', fileOf(`{${entry('x', 0, 4)},${entry('y', 0, 4)}}`, 4), 'overlaps'],
  [
    'a hole between entries',
    fileOf(`{${entry('x', 0, 4)},${entry('y', 5, 9)}}`, 9),
    '"y" at bytes 5 to 9, with a hole before it',
  ],
  ['a hole before the first', fileOf(`{${entry('x', 1, 5)}}`, 5), 'a hole before it'],
  [
    'bytes behind the last',
    fileOf(`{${entry('x', 0, 4)}}`, 6),
    'bytes after the last tensor, from 4 to 6',
  ],
  ['bytes of no tensor', fileOf('{}', 1), 'bytes after the last tensor, from 0 to 1'],
  ['a name that comes twice', fileOf(`{${entry('x', 0, 4)},${entry('x', 4, 8)}}`, 8), '"x" twice'],
  [
    'a name that comes twice, once escaped',
    fileOf(`{${entry('x', 0, 4)},${entry('\\u0078', 4, 8)}}`, 8),
    '"x" twice',
  ],
  [
    'a part that comes twice',
    fileOf(`{${entry('x', 0, 4, '"dtype":"U8","dtype":"I8","shape":[4]')}}`, 4),
    '"dtype" twice',
  ],
];

const METADATA: readonly (readonly [string, string])[] = [
  ['{"epoch":4}', '4 for "epoch"'],
  ['{"a":null}', 'null for "a"'],
  ['{"a":{}}', 'an object for "a"'],
  ['[]', '[]'],
  ['"pt"', '"pt"'],
  ['null', 'null'],
];

const loads: Refusal[] = [
  ...FILES.map(([name, file, says]): Refusal => ({
    name: `a file with ${name}`,
    op: 'safetensors.load',
    argument: 'file',
    error: OptionError,
    says,
    given:
      ({ device }) =>
      () =>
        safetensors.load(file, { device }),
  })),
  ...METADATA.flatMap(([text, says]): Refusal[] => {
    const file = fileOf(`{"__metadata__":${text}}`);
    const common = { argument: '__metadata__', error: OptionError, says };
    return [
      {
        ...common,
        name: `a file with metadata ${text}`,
        op: 'safetensors.load',
        given:
          ({ device }) =>
          () =>
            safetensors.load(file, { device }),
      },
      {
        ...common,
        name: `texts of ${text}`,
        op: 'safetensors.metadata',
        given: () => () => safetensors.metadata(file),
      },
    ];
  }),
  ...[{ length: 1e10 }, null, undefined, 8, '{}', [1], Promise.resolve()].flatMap(
    (file): Refusal[] => {
      const common = {
        argument: 'file',
        error: OptionError,
        says: 'an ArrayBuffer or a view of one',
      };
      return [
        {
          ...common,
          name: `load of ${show(file)}`,
          op: 'safetensors.load',
          given:
            ({ device }) =>
            () =>
              safetensors.load(junk(file), { device }),
        },
        {
          ...common,
          name: `metadata of ${show(file)}`,
          op: 'safetensors.metadata',
          given: () => () => safetensors.metadata(junk(file)),
        },
      ];
    },
  ),
  ...[(data: Uint8Array) => data, ({ buffer }: Uint8Array) => buffer].map((part, i): Refusal => ({
    name: `load of detached memory, ${i === 0 ? 'seen' : 'itself'}`,
    op: 'safetensors.load',
    argument: 'file',
    error: OptionError,
    says: 'not detached',
    given: ({ device }) => {
      const file = fileOf('{}');
      structuredClone(file.buffer, { transfer: [file.buffer] });
      return () => safetensors.load(junk(part(file)), { device });
    },
  })),
  {
    name: 'a file with a dtype that is not known',
    op: 'safetensors.load',
    argument: 'x',
    error: DTypeError,
    says: 'expected one of F32',
    given:
      ({ device }) =>
      () =>
        safetensors.load(fileOf(`{${entry('x', 0, 8, '"dtype":"C64","shape":[1]')}}`, 8), {
          device,
        }),
  },
  {
    name: 'a file with the dtype toString',
    op: 'safetensors.load',
    argument: 'x',
    error: DTypeError,
    says: 'expected one of F32',
    given:
      ({ device }) =>
      () =>
        safetensors.load(fileOf(`{${entry('x', 0, 0, '"dtype":"toString","shape":[0]')}}`), {
          device,
        }),
  },
];

type Save = readonly [name: string, tensors: unknown, argument: string, says: string];

const NOT_SAVED: readonly Save[] = [
  ['null', null, 'tensors', 'received null'],
  ['a list', [], 'tensors', 'received []'],
  ['a number', 5, 'tensors', 'received 5'],
  ['a model', new nn.ReLU(), 'tensors', 'model.stateDict()'],
  ['a name that is a number', new Map([[1, 1]]), 'tensors', 'names that are strings'],
  ['a name that is undefined', new Map([[undefined, 1]]), 'tensors', 'received undefined'],
  ['the name of the metadata', { __metadata__: 1 }, 'tensors', 'other than __metadata__'],
];

const saves: Refusal[] = [
  ...NOT_SAVED.map(([name, tensors, argument, says]): Refusal => ({
    name: `save of ${name}`,
    op: 'safetensors.save',
    argument,
    error: OptionError,
    says,
    given: () => () => safetensors.save(junk(tensors)),
  })),
  ...[1, null, undefined, [1], 'x', new Float32Array(2)].flatMap((value): Refusal[] =>
    [{ w: value }, new Map([['w', value]]), JSON.parse('{"__proto__":1}') as object].map(
      (tensors, i) => ({
        name: `save of ${show(value)} in the place of a tensor, way ${i}`,
        op: 'safetensors.save',
        argument: i === 2 ? '__proto__' : 'w',
        error: DTypeError,
        says: 'a tensor',
        given: () => () => safetensors.save(junk(tensors)),
      }),
    ),
  ),
  {
    name: 'save of a disposed tensor',
    op: 'safetensors.save',
    argument: 'w',
    error: DisposedError,
    given: ({ device }) => {
      const w = tensor(1, { device });
      w.dispose();
      return () => safetensors.save({ w });
    },
  },
  ...(
    [
      ['epoch', { epoch: 4 }],
      ['null', null],
      ['a list', []],
      ['a string', 'pt'],
    ] as const
  ).map(([name, metadata]): Refusal => ({
    name: `save with metadata that is no text: ${name}`,
    op: 'safetensors.save',
    argument: 'metadata',
    error: OptionError,
    says: 'strings by name',
    given: () => () => safetensors.save({}, { metadata: junk(metadata) }),
  })),
];

export const fileRefusals: readonly Refusal[] = [...loads, ...saves];
