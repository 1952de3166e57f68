// safetensors files: the bytes that the format's description asks for, both ways, and refusals.
import { beforeEach, describe, expect, it } from 'vitest';
import {
  DTypeError,
  init,
  nn,
  OptionError,
  safetensors,
  tensor,
  type Device,
  type Tensor,
} from '../../src/index.ts';

let device: Device;
beforeEach(async () => {
  device = await init({ backend: 'cpu' });
});

/** A file written by hand: header text, then bytes. */
function fileOf(header: unknown, ...parts: ArrayBufferView[]): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(
    typeof header === 'string' ? header : JSON.stringify(header),
  );
  const bytes = parts.map((part) => new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  const total = bytes.reduce((sum, { length }) => sum + length, 0);
  const file = new Uint8Array(8 + text.length + total);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  let at = 8 + text.length;
  for (const part of bytes) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}

const entry = (dtype: string, shape: number[], from: number, to: number) => ({
  dtype,
  shape,
  data_offsets: [from, to],
});

describe('save', () => {
  it('writes length, header and little-endian numbers, wide ones first', async () => {
    const file = await safetensors.save(
      {
        b: tensor([1, 2], { dtype: 'float16' }),
        'net.0.weight': tensor([
          [1, -2],
          [0.5, NaN],
        ]),
        classes: tensor([7, -1], { dtype: 'int32' }),
      },
      { metadata: { format: 'pt' } },
    );
    const length = Number(new DataView(file.buffer).getBigUint64(0, true));
    expect((8 + length) % 8).toBe(0);
    const header: unknown = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)));
    expect(header).toEqual({
      __metadata__: { format: 'pt' },
      classes: entry('I32', [2], 0, 8),
      'net.0.weight': entry('F32', [2, 2], 8, 24),
      b: entry('F16', [2], 24, 28),
    });
    expect(file.length).toBe(8 + length + 28);
    const view = new DataView(file.buffer, 8 + length);
    expect([view.getInt32(0, true), view.getInt32(4, true)]).toEqual([7, -1]);
    expect([0, 4, 8, 12].map((at) => view.getFloat32(8 + at, true))).toEqual([1, -2, 0.5, NaN]);
    expect([view.getUint16(24, true), view.getUint16(26, true)]).toEqual([0x3c00, 0x4000]);
  });

  it('keeps every name, __proto__ among them, and takes a Map', async () => {
    const named: [string, number][] = [
      ['__proto__', 1],
      ['constructor', 2],
      ['toString', 3],
      ['', 4],
    ];
    const made = named.map(([name, value]) => [name, tensor(value)] as const);
    for (const tensors of [new Map(made), Object.fromEntries(made)]) {
      const back = safetensors.load(await safetensors.save(tensors));
      expect(Object.keys(back).sort()).toEqual(named.map(([name]) => name).sort());
      for (const [name, value] of named) {
        const found = Object.getOwnPropertyDescriptor(back, name)?.value as Tensor;
        expect(await found.item()).toBe(value);
      }
    }
    const texts = JSON.parse('{"__proto__":"x"}') as Record<string, string>;
    const read = safetensors.metadata(await safetensors.save({}, { metadata: texts }));
    expect(Object.entries(read)).toEqual([['__proto__', 'x']]);
  });

  it('refuses what is no tensor', async () => {
    await expect(safetensors.save({ a: 1 as never })).rejects.toThrow(DTypeError);
  });
});

describe('load', () => {
  it('reads back what save wrote, bit by bit', async () => {
    const values = Float32Array.from([0, -0, 1e-45, -3.4e38, Infinity, -Infinity, Math.PI]);
    const halves = tensor([65504, -6e-8, 0.1], { dtype: 'float16' });
    const file = await safetensors.save({
      values: tensor(values),
      halves,
      empty: tensor([], { shape: [0, 3] }),
      scalar: tensor(5),
    });
    const back = safetensors.load(file);
    expect(await back.values?.data()).toEqual(values);
    expect(back.halves?.dtype).toBe('float16');
    expect(await back.halves?.data()).toEqual(await halves.data());
    expect(back.empty?.shape).toEqual([0, 3]);
    expect(back.scalar?.shape).toEqual([]);
    expect(await back.scalar?.item()).toBe(5);
  });

  it.each<[string, ArrayBufferView, number[], string]>([
    ['F64', Float64Array.from([0.1, 2]), [Math.fround(0.1), 2], 'float32'],
    ['BF16', Uint16Array.from([0x3fc0, 0xff80]), [1.5, -Infinity], 'float32'],
    ['I64', BigInt64Array.from([-5n, 6n]), [-5, 6], 'int32'],
    ['I16', Int16Array.from([-5, 6]), [-5, 6], 'int32'],
    ['U16', Uint16Array.from([65535, 6]), [65535, 6], 'int32'],
    ['I8', Int8Array.from([-5, 6]), [-5, 6], 'int32'],
    ['U8', Uint8Array.from([255, 6]), [255, 6], 'int32'],
    ['BOOL', Uint8Array.from([1, 0]), [1, 0], 'int32'],
  ])('takes %s', async (name, data, values, dtype) => {
    const back = safetensors.load(fileOf({ x: entry(name, [2], 0, data.byteLength) }, data));
    expect(back.x?.dtype).toBe(dtype);
    expect([...((await back.x?.data()) ?? [])]).toEqual(values);
  });

  it('takes a header padded with blanks, an ArrayBuffer, a view into one, and metadata', async () => {
    const data = Float32Array.from([3]);
    const text = `${JSON.stringify({ __metadata__: { epoch: '4' }, x: entry('F32', [1], 0, 4) })}   `;
    const file = fileOf(text, data);
    expect(await safetensors.load(file.buffer).x?.item()).toBe(3);
    const within = new Uint8Array(file.length + 3);
    within.set(file, 3);
    expect(await safetensors.load(within.subarray(3)).x?.item()).toBe(3);
    expect(await safetensors.load(new DataView(within.buffer, 3)).x?.item()).toBe(3);
    const shared = new Uint8Array(new SharedArrayBuffer(file.length));
    shared.set(file);
    expect(await safetensors.load(shared).x?.item()).toBe(3);
    expect(await safetensors.load(shared.buffer).x?.item()).toBe(3);
    expect(safetensors.metadata(file)).toEqual({ epoch: '4' });
    expect(Object.keys(safetensors.load(file))).toEqual(['x']);
  });

  it.each<[string, Uint8Array]>([
    ['an empty file', new Uint8Array()],
    ['a header longer than the file', Uint8Array.from([99, 0, 0, 0, 0, 0, 0, 0, 1])],
    ['a huge header', new Uint8Array(16).fill(255)],
    ['text that is not JSON', fileOf('{"x":')],
    ['an array', fileOf([])],
    ['an entry without a shape', fileOf({ x: { dtype: 'F32', data_offsets: [0, 0] } })],
    ['numbers past the end', fileOf({ x: entry('F32', [1], 0, 4) })],
    [
      'offsets that do not fit the shape',
      fileOf({ x: entry('F32', [2], 0, 4) }, new Float32Array(1)),
    ],
    ['negative offsets', fileOf({ x: entry('F32', [1], -4, 0) }, new Float32Array(1))],
  ])('refuses %s', (_, file) => {
    const before = device.stats();
    expect(() => safetensors.load(file)).toThrow(OptionError);
    expect(device.stats()).toEqual(before);
  });

  it('refuses unknown dtypes and integers that do not fit', () => {
    const complex = fileOf({ x: entry('C64', [1], 0, 8) }, new Float64Array(1));
    expect(() => safetensors.load(complex)).toThrow('safetensors.load: x: expected one of F32');
    const large = fileOf({ x: entry('I64', [1], 0, 8) }, BigInt64Array.from([2n ** 40n]));
    expect(() => safetensors.load(large)).toThrow('fits int32');
  });
});

describe('load of a stream', () => {
  /** A file of four tensors, of which one is empty, in another order than they lie in. */
  const file = async (): Promise<Uint8Array<ArrayBuffer>> =>
    safetensors.save({
      b: tensor([1, 2, 3], { dtype: 'float16' }),
      values: tensor(Float32Array.from({ length: 1000 }, (_, i) => i / 7)),
      empty: tensor([], { shape: [0, 2] }),
      classes: tensor([7, -1], { dtype: 'int32' }),
    });
  const stream = (bytes: Uint8Array, size: number, then?: unknown): ReadableStream<Uint8Array> => {
    let at = 0;
    return new ReadableStream({
      pull: (controller) => {
        if (at < bytes.length) controller.enqueue(bytes.slice(at, (at += size)));
        else if (then !== undefined) controller.error(then);
        else controller.close();
      },
    });
  };
  const valuesOf = async (tensors: Record<string, Tensor>): Promise<unknown[]> =>
    Promise.all(
      Object.entries(tensors).map(async ([name, x]) => [name, x.dtype, x.shape, await x.data()]),
    );

  it('gives what load of the file gives, from chunks of any size and of every source', async () => {
    const bytes = await file();
    const want = await valuesOf(safetensors.load(bytes));
    const chunks = async function* (): AsyncGenerator<Uint8Array> {
      for await (const chunk of stream(bytes, 100)) yield Buffer.from(chunk);
    };
    const sources = [
      ...[1, 7, 4096, 1e6].map((size) => stream(bytes, size)),
      new Response(bytes),
      new Response(stream(bytes, 64)),
      new Blob([bytes]),
      chunks(),
    ];
    for (const source of sources)
      expect(await valuesOf(await safetensors.load(source))).toEqual(want);
  });

  it('says how far it is', async () => {
    const bytes = await file();
    const seen: safetensors.LoadProgress[] = [];
    await safetensors.load(stream(bytes, 1024), { onProgress: (progress) => seen.push(progress) });
    expect(seen.length).toBeGreaterThan(4);
    expect(seen.every(({ total }) => total === bytes.length)).toBe(true);
    expect(seen.at(-1)?.loaded).toBe(bytes.length);
    expect(seen).toEqual(seen.toSorted((a, b) => a.loaded - b.loaded));
  });

  it('holds no more than a tensor and a chunk', async () => {
    const n = 2 ** 20;
    const layers = Array.from({ length: 16 }, (_, i) => [
      `w${i}`,
      entry('F32', [n], 4 * n * i, 4 * n * (i + 1)),
    ]);
    const header = fileOf(Object.fromEntries(layers));
    const chunk = new Uint8Array(2 ** 16);
    let sent = 0;
    const source = (async function* () {
      yield header;
      for (; sent < 64 * n; sent += chunk.length) yield chunk;
    })();
    let most = 0;
    await safetensors.load(source, {
      onProgress: ({ loaded }) => {
        most = Math.max(most, loaded - header.length - device.memory().liveBytes);
      },
    });
    // what has arrived and is not on the device
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(4 * n + chunk.length);
  });

  it('leaves no tensor where it fails, and stops the stream', async () => {
    const bytes = await file();
    const gone = new TypeError('network');
    const live = device.stats().liveBuffers;
    const wrong: [ReadableStream<Uint8Array>, RegExp][] = [
      [stream(bytes.slice(0, -1), 100), /ends at byte/],
      [stream(bytes.slice(0, 5), 100), /ends at byte 5/],
      [stream(new Uint8Array([...bytes, 0]), 100), /after the last tensor/],
      [stream(bytes.slice(0, 500), 100, gone), /network/],
      [stream(fileOf({ x: entry('C64', [1], 0, 8) }, new Float64Array(1)), 9), /one of F32/],
      [stream(new Uint8Array(20).fill(255), 9), /a header of/],
    ];
    for (const [source, message] of wrong)
      await expect(safetensors.load(source)).rejects.toThrow(message);
    expect(device.stats().liveBuffers).toBe(live);
    let stopped = false;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        controller.enqueue(new Uint8Array(20).fill(255));
      },
      cancel: () => {
        stopped = true;
      },
    });
    await expect(safetensors.load(endless)).rejects.toThrow(OptionError);
    expect(stopped).toBe(true);
  });

  it('refuses what is no file, and says why', async () => {
    const bytes = await file();
    const missing = new Response('not found', { status: 404 });
    await expect(safetensors.load(missing)).rejects.toThrow(/file: .*status 404/);
    const read = new Response(bytes);
    await read.arrayBuffer();
    await expect(safetensors.load(read)).rejects.toThrow(/with its body/);
    const locked = stream(bytes, 10);
    locked.getReader();
    await expect(safetensors.load(locked)).rejects.toThrow(/locked/);
    const texts = stream(bytes, 10).pipeThrough(
      new TransformStream<Uint8Array, string>({
        transform: (_, controller) => {
          controller.enqueue('text');
        },
      }),
    );
    await expect(safetensors.load(texts as never)).rejects.toThrow(/Uint8Array/);
    expect(() => safetensors.load(bytes, { onProgress: () => undefined } as never)).toThrow(
      OptionError,
    );
  });
});

it("carries a model's state to another one, by PyTorch's names", async () => {
  const make = () => new nn.Sequential(new nn.Linear(3, 4), new nn.PReLU(), new nn.Linear(4, 2));
  const [from, to] = [make(), make()];
  const file = await safetensors.save(from.stateDict());
  const state = safetensors.load(file);
  expect(Object.keys(state).sort()).toEqual([
    '0.bias',
    '0.weight',
    '1.weight',
    '2.bias',
    '2.weight',
  ]);
  to.loadStateDict(state);
  const x = tensor([[1, 2, 3]]);
  expect(await to.forward(x).array()).toEqual(await from.forward(x).array());
});
