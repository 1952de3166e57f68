// Makes bind group layouts and pipeline layouts, one for each signature, and bind groups, one for each set of
// buffers.
import { UNIFORM_BYTES, type Binding } from '../core/kernel.ts';
import type { PooledBuffer } from './buffers.ts';

/** A binding with its buffer. */
export interface Resource {
  readonly binding: Binding;
  readonly buffer: PooledBuffer;
  readonly offset: number;
  readonly size: number;
}

interface Layout {
  readonly group: GPUBindGroupLayout;
  readonly pipeline: GPUPipelineLayout;
}

// GPUShaderStage.COMPUTE by value: the global is missing in Node.
const COMPUTE = 4;
// Enough for all ops of one training step of a large model. Beyond that the cache is emptied, so that it does not
// keep unused buffers alive.
const MAX_BIND_GROUPS = 4096;

export class Layouts {
  bindGroupsCreated = 0;
  /**
   * Increased when bind groups are dropped. Bind groups that are remembered elsewhere must then no longer be used.
   */
  generation = 0;
  readonly #device: GPUDevice;
  readonly #layouts = new Map<string, Layout>();
  readonly #groups = new Map<string, GPUBindGroup>();

  constructor(device: GPUDevice) {
    this.#device = device;
  }

  pipelineLayout(bindings: readonly Binding[]): GPUPipelineLayout {
    return this.#layout(bindings).pipeline;
  }

  /** Returns a cached bind group. Uniforms have a dynamic offset, so the same buffers always need the same group. */
  bindGroup(uniforms: PooledBuffer, resources: readonly Resource[]): GPUBindGroup {
    let key = String(uniforms.id);
    for (const { binding, buffer, offset, size } of resources) {
      key += `,${binding.slot}${binding.access}${buffer.id}:${offset}:${size}`;
    }
    const known = this.#groups.get(key);
    if (known) return known;
    if (this.#groups.size >= MAX_BIND_GROUPS) this.clear();
    const group = this.createGroup(uniforms, resources);
    this.#groups.set(key, group);
    return group;
  }

  createGroup(uniforms: PooledBuffer, resources: readonly Resource[]): GPUBindGroup {
    this.bindGroupsCreated++;
    const { group: layout } = this.#layout(resources.map(({ binding }) => binding));
    const entries = resources.map(({ binding, buffer, offset, size }) => ({
      binding: binding.slot,
      resource: { buffer: buffer.gpu, offset, size },
    }));
    const uniform = { binding: 0, resource: { buffer: uniforms.gpu, size: UNIFORM_BYTES } };
    return this.#device.createBindGroup({ layout, entries: [uniform, ...entries] });
  }

  /** Drops the bind groups, so that destroyed buffers are not kept. */
  clear(): void {
    this.#groups.clear();
    this.generation++;
  }

  #layout(bindings: readonly Binding[]): Layout {
    let key = '';
    for (const { slot, access } of bindings) key += `${slot}${access}`;
    let layout = this.#layouts.get(key);
    if (!layout) {
      const group = this.#device.createBindGroupLayout({
        entries: [
          {
            binding: 0,
            visibility: COMPUTE,
            buffer: { type: 'uniform', hasDynamicOffset: true, minBindingSize: 0 },
          },
          ...bindings.map(({ slot, access }) => ({
            binding: slot,
            visibility: COMPUTE,
            buffer: {
              type: access === 'read' ? ('read-only-storage' as const) : ('storage' as const),
            },
          })),
        ],
      });
      layout = {
        group,
        pipeline: this.#device.createPipelineLayout({ bindGroupLayouts: [group] }),
      };
      this.#layouts.set(key, layout);
    }
    return layout;
  }
}
