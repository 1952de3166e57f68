// The reader of GPU assembly that `npm run isa` takes its figures from, and the budgets that it holds kernels to.
import { describe, expect, it } from 'vitest';
import { parseAssembly } from '../../scripts/isa/assembly.ts';
import { excess, lowered } from '../../scripts/isa/budgets.ts';
import { isProduct, multiplyShare, perPack } from '../../scripts/isa/figures.ts';
import { costOf, GPUS, instructionsPerByte, pressure } from '../../scripts/isa/gpus.ts';
import { interfaceOf } from '../../scripts/isa/spirv.ts';

/** relu on RDNA 3, as the driver prints it, shortened ahead of the loop. */
const RELU = `BB0:
	s_load_b128 s[8:11], s[2:3], null                           ; f4080201 f8000000
	v_bfe_u32 v0, v0, 0, 10                                     ; d6100000 02290100
	s_cbranch_scc0 BB14                                         ; bfa1003b
BB2:
	s_cmp_eq_i32 s4, 0                                          ; bf008004
	s_cbranch_scc1 BB14                                         ; bfa20025
BB5:
	v_cmpx_ge_u32_e32 v0, v1                                    ; 7d9c0300
BB13:
	v_min_u32_e32 v2, s4, v0                                    ; 26040004
	buffer_load_b128 v[4:7], v2, s[8:11], 0 offen               ; e05c0000 80420402
	v_cmp_gt_f32_e32 vcc, 0, v4                                 ; 7c280880
	v_cndmask_b32_e64 v8, v4, 0, vcc                            ; d5010008 01a90104
	buffer_store_b128 v[8:11], v2, s[12:15], 0 offen            ; e0740000 80430802
	s_branch BB2                                                ; bfa0ffd9
BB14:
BB16:
	s_endpgm                                                    ; bfb00000
`;

/** A loop over tiles that loads them in a loop of its own, and multiplies in another. */
const PRODUCT = `BB0:
	v_mov_b32_e32 v0, 0
BB1:
	v_lshlrev_b32_e32 v1, 2, v0
BB2:
	buffer_load_dword v2, v1, s[4:7], 0 offen
	ds_write_b32 v3, v2
	v_add_nc_u32_e32 v1, 4, v1
	s_cbranch_scc1 BB2
BB3:
	s_barrier
BB4:
	ds_read_b128 v[4:7], v8
${'\tv_fmac_f32_e32 v10, v4, v5\n'.repeat(32)}	v_add_nc_u32_e32 v8, 16, v8
	s_cbranch_scc1 BB4
BB5:
	s_cbranch_scc0 BB1
BB6:
	s_endpgm
`;

describe('an assembly', () => {
  it('is read loop by loop', () => {
    const { whole, outside, loops, main } = parseAssembly(RELU);
    expect(loops.map(({ label, depth }) => [label, depth])).toEqual([['BB2', 0]]);
    expect(main).toMatchObject({ vector: 4, memory: 2, memoryBytes: 32, elements: 4 });
    expect(outside.vector).toBe(1);
    expect(whole.vector).toBe(5);
    expect(perPack(main)).toBe(4);
  });

  it('has the loop that most is done in as its main part, whatever stands around it', () => {
    const { loops, main } = parseAssembly(PRODUCT);
    expect(Object.fromEntries(loops.map(({ label, depth }) => [label, depth]))).toEqual({
      BB1: 0,
      BB2: 1,
      BB4: 1,
    });
    expect(main).toMatchObject({ label: 'BB4', multiplyAdds: 32, vector: 33, shared: 1 });
    expect(isProduct(main)).toBe(true);
    expect(multiplyShare(main)).toBeCloseTo(32 / 34);
  });

  it('is its own main part where there is no loop', () => {
    const straight = RELU.replace('s_branch BB2', 's_nop 0');
    const { loops, main, whole } = parseAssembly(straight);
    expect(loops).toEqual([]);
    expect(main).toEqual(whole);
  });

  it('does not take a jump ahead for a loop', () => {
    expect(parseAssembly('BB0:\n\ts_branch BB1\n\tv_nop\nBB1:\n\ts_endpgm\n').loops).toEqual([]);
  });

  it('takes two jumps to one label for one loop', () => {
    const text = 'BB0:\n\tv_nop\n\ts_cbranch_scc1 BB0\n\tv_nop\n\ts_branch BB0\n\ts_endpgm\n';
    const { loops } = parseAssembly(text);
    expect(loops).toHaveLength(1);
    expect(loops[0]?.vector).toBe(2);
  });

  const counts = (...lines: string[]) =>
    parseAssembly(lines.map((line) => `\t${line}`).join('\n')).whole;

  it('tells multiply-adds in the names of each generation', () => {
    const names = [
      'v_fma_f32 v0, v1, v2, v3',
      'v_fmac_f32_e32 v0, v1, v2',
      'v_fmaak_f32 v0, v1, v2, 0x3f000000',
      'v_mad_f32 v0, v1, v2, v3',
      'v_mac_f32_e32 v0, v1, v2',
      'v_pk_fma_f16 v0, v1, v2, v3',
    ];
    expect(counts(...names)).toMatchObject({ vector: 6, multiplyAdds: 6 });
    expect(counts('v_mad_u32_u24 v0, v1, v2, v3', 'v_mul_f32_e32 v0, v1, v2')).toMatchObject({
      vector: 2,
      multiplyAdds: 0,
    });
  });

  it('counts an instruction that does two things once, and both of its multiply-adds', () => {
    const dual = 'v_dual_fmac_f32 v0, v1, v2 :: v_dual_fmac_f32 v3, v4, v5';
    expect(counts(dual)).toMatchObject({ vector: 1, multiplyAdds: 2 });
    const mixed = 'v_dual_mul_f32 v0, v1, v2 :: v_dual_fmac_f32 v3, v4, v5';
    expect(counts(mixed)).toMatchObject({ vector: 1, multiplyAdds: 1 });
  });

  it('tells transcendental instructions, barriers and workgroup memory', () => {
    const lines = [
      'v_rcp_f32_e32 v0, v1',
      'v_exp_f32_e32 v0, v1',
      's_barrier',
      'ds_load_b64 v0, v1',
    ];
    expect(counts(...lines)).toMatchObject({
      vector: 2,
      transcendental: 2,
      barriers: 1,
      shared: 1,
      memory: 0,
    });
  });

  it('knows what loads and stores move, by the names of each generation', () => {
    const bytes = (name: string): number => counts(`${name} v0, v1, s[4:7], 0 offen`).memoryBytes;
    expect(['buffer_load_b128', 'buffer_load_dwordx4'].map(bytes)).toEqual([16, 16]);
    expect(['buffer_load_b96', 'buffer_store_dwordx3'].map(bytes)).toEqual([12, 12]);
    expect(['global_load_b64', 'global_store_dwordx2'].map(bytes)).toEqual([8, 8]);
    expect(['buffer_load_b32', 'buffer_store_dword'].map(bytes)).toEqual([4, 4]);
    expect(['buffer_load_u16', 'buffer_load_ushort', 'buffer_store_short'].map(bytes)).toEqual([
      2, 2, 2,
    ]);
    expect(counts('s_load_b128 s[4:7], s[2:3], null').memory).toBe(0);
  });

  it('knows elements by what is loaded from one tensor, not from all', () => {
    const text = ['s[4:7]', 's[8:11]']
      .map((buffer) => `\tbuffer_load_b128 v[0:3], v4, ${buffer}, 0 offen`)
      .join('\n');
    expect(parseAssembly(text).whole.elements).toBe(4);
    expect(parseAssembly(`${text}\n${text}`).whole.elements).toBe(8);
    const half = '\tbuffer_load_b64 v[0:1], v4, s[4:7], 0 offen';
    expect(parseAssembly(half, 2).whole.elements).toBe(4);
    expect(parseAssembly(half, 4).whole.elements).toBe(2);
  });
});

describe('what bounds a kernel', () => {
  const gpu = GPUS.gfx1100;
  const some = { multiplyAdds: 0, memory: 2, memoryBytes: 32, shared: 0, barriers: 0 };

  it('follows from what a GPU does while its memory moves a byte', () => {
    expect(instructionsPerByte(gpu)).toBeCloseTo(16, 1);
    expect(pressure({ ...some, vector: 256, transcendental: 0 }, gpu)).toBeCloseTo(0.5, 2);
    expect(pressure({ ...some, vector: 1024, transcendental: 0 }, gpu)).toBeGreaterThan(1);
  });

  it('counts a transcendental instruction four times', () => {
    expect(costOf({ ...some, vector: 10, transcendental: 2 })).toBe(16);
  });
});

describe('a budget', () => {
  it('is kept by what is within it', () => {
    expect(excess({ vector: 200, waves: 16 }, { vector: 200, waves: 16 })).toEqual([]);
    expect(excess({ multiply: 80, waves: 8 }, { multiply: 80, waves: 8 })).toEqual([]);
  });

  it('is left by more instructions, fewer multiply-adds, fewer waves, or none given', () => {
    expect(excess({ vector: 201, waves: 16 }, { vector: 200, waves: 16 })).toHaveLength(1);
    expect(excess({ multiply: 79, waves: 8 }, { multiply: 80, waves: 8 })).toHaveLength(1);
    expect(excess({ vector: 200, waves: 15 }, { vector: 200, waves: 16 })).toHaveLength(1);
    expect(excess({ vector: 1, waves: 16 }, undefined)).toHaveLength(1);
    expect(
      excess({ vector: 1, waves: 8, scalarsSpilled: 2 }, { vector: 1, waves: 8 }),
    ).toHaveLength(1);
    // A product that no longer is one must not pass for want of a figure.
    expect(excess({ vector: 1, waves: 16 }, { multiply: 80, waves: 16 })).toHaveLength(1);
  });
});

describe('a lowered budget', () => {
  it('is 2 % above what a better kernel needs', () => {
    const budget = { vector: 200, waves: 16, scalarsSpilled: 3 };
    const need = { vector: 100, waves: 18 };
    expect(lowered(budget, need)).toEqual({ vector: 102, waves: 18, scalarsSpilled: 3 });
  });

  it('is the same where the kernel needs as much, or more', () => {
    const budget = { vector: 200, waves: 16 };
    expect(lowered(budget, { vector: 199, waves: 16 })).toEqual(budget);
    expect(lowered(budget, { vector: 300, waves: 8 })).toEqual(budget);
    expect(lowered({ multiply: 80, waves: 8 }, { multiply: 90, waves: 8 })).toEqual({
      multiply: 80,
      waves: 8,
    });
  });
});

describe('the interface of a shader in SPIR-V', () => {
  const instruction = (opcode: number, ...operands: number[]): number[] => [
    ((operands.length + 1) << 16) | opcode,
    ...operands,
  ];

  it('is read from its instructions', () => {
    const words = [
      ...[0x07230203, 0x10400, 0, 10, 0],
      // OpEntryPoint GLCompute %4 "main"
      ...instruction(15, 5, 4, 0x6e69616d, 0),
      // OpExecutionMode %4 LocalSize 64 2 1
      ...instruction(16, 4, 17, 64, 2, 1),
      // OpDecorate %1 Binding 0, %2 Binding 3
      ...instruction(71, 1, 33, 0),
      ...instruction(71, 2, 33, 3),
      // OpVariable %1 Uniform, %2 StorageBuffer
      ...instruction(59, 9, 1, 2),
      ...instruction(59, 9, 2, 12),
    ];
    const bytes = new Uint8Array(new Uint32Array(words).buffer);
    expect(interfaceOf(bytes)).toEqual({
      entry: 'main',
      workgroup: [64, 2, 1],
      bindings: [
        { slot: 0, kind: 'uniform' },
        { slot: 3, kind: 'storage' },
      ],
    });
    expect(() => interfaceOf(new Uint8Array(64))).toThrow('not SPIR-V');
  });
});
