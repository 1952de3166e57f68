// Reads from a compute shader in SPIR-V what a driver has to be told beside it.

export interface Interface {
  readonly entry: string;
  readonly workgroup: readonly [number, number, number];
  /** Slots with what is bound there. */
  readonly bindings: readonly { readonly slot: number; readonly kind: 'uniform' | 'storage' }[];
}

const MAGIC = 0x07230203;
const HEADER_WORDS = 5;

// Opcodes, execution modes, decorations and storage classes by the SPIR-V specification.
const ENTRY_POINT = 15;
const EXECUTION_MODE = 16;
const VARIABLE = 59;
const DECORATE = 71;
const LOCAL_SIZE = 17;
const BINDING = 33;
const UNIFORM = 2;

export function interfaceOf(bytes: Uint8Array): Interface {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const word = (i: number): number => view.getUint32(4 * i, true);
  if (word(0) !== MAGIC) throw new Error('not SPIR-V');
  let entry = '';
  let workgroup: [number, number, number] = [1, 1, 1];
  const slots = new Map<number, number>();
  const classes = new Map<number, number>();
  const words = bytes.byteLength / 4;
  for (let at = HEADER_WORDS; at < words; at += word(at) >>> 16) {
    const opcode = word(at) & 0xffff;
    if (opcode === ENTRY_POINT) {
      const name = bytes.subarray(4 * (at + 3));
      entry = new TextDecoder().decode(name.subarray(0, name.indexOf(0)));
    } else if (opcode === EXECUTION_MODE && word(at + 2) === LOCAL_SIZE) {
      workgroup = [word(at + 3), word(at + 4), word(at + 5)];
    } else if (opcode === DECORATE && word(at + 2) === BINDING) {
      slots.set(word(at + 1), word(at + 3));
    } else if (opcode === VARIABLE) {
      classes.set(word(at + 2), word(at + 3));
    }
  }
  const bindings = [...slots].map(([variable, slot]) => ({
    slot,
    kind: classes.get(variable) === UNIFORM ? ('uniform' as const) : ('storage' as const),
  }));
  return { entry, workgroup, bindings };
}
