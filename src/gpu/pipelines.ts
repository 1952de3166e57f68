// In: a program, entry point and overrides. Out: its compute pipeline, compiled once; compilations in flight are shared.
import { ShaderError } from '../errors.ts';
import type { Launch } from '../kernel.ts';
import { shaderOf } from './link.ts';
import type { Layouts } from './layouts.ts';

/** A pipeline that is compiled or being compiled. */
export interface PipelineEntry {
  readonly label: string;
  pipeline: GPUComputePipeline | null;
  error: ShaderError | null;
  /** Settles when `pipeline` or `error` is set; never rejects. */
  ready: Promise<void>;
  readonly describe: () => GPUComputePipelineDescriptor;
}

export class PipelineCache {
  /** Pipelines compiled so far. */
  compiled = 0;
  readonly #device: GPUDevice;
  readonly #layouts: Layouts;
  readonly #watch: <T>(op: string, call: () => T) => T;
  readonly #modules = new Map<string, GPUShaderModule>();
  readonly #entries = new Map<string, PipelineEntry>();

  /** `watch` runs WebGPU calls under error scopes. */
  constructor(device: GPUDevice, layouts: Layouts, watch: <T>(op: string, call: () => T) => T) {
    this.#device = device;
    this.#layouts = layouts;
    this.#watch = watch;
  }

  /** The pipeline's entry; on first use it is compiled in the background, or left to `compileNow`. */
  get(launch: Launch, background = true): PipelineEntry {
    const key = keyOf(launch);
    const known = this.#entries.get(key);
    if (known) return known;
    const label = `${launch.program.label}:${launch.entry}`;
    const entry: PipelineEntry = {
      label,
      describe: () => this.#describe(launch, label),
      pipeline: null,
      error: null,
      ready: Promise.resolve(),
    };
    if (background) entry.ready = this.#compile(entry);
    this.compiled++;
    this.#entries.set(key, entry);
    return entry;
  }

  /** Compiles an entry here and now if it is not ready: for commands that a caller submits. */
  compileNow(entry: PipelineEntry): PipelineEntry {
    entry.pipeline ??= this.#watch(entry.label, () =>
      this.#device.createComputePipeline(entry.describe()),
    );
    return entry;
  }

  async #compile(entry: PipelineEntry): Promise<void> {
    try {
      const pipeline = await this.#device.createComputePipelineAsync(entry.describe());
      entry.pipeline ??= pipeline;
    } catch (cause) {
      entry.error = cause instanceof ShaderError ? cause : await explained(entry, cause);
    }
  }

  #describe(launch: Launch, label: string): GPUComputePipelineDescriptor {
    const { program, entry, constants } = launch;
    const key = `${String(program.id)}:${entry}`;
    let module = this.#modules.get(key);
    if (!module) {
      const code = shaderOf(program, entry);
      module = this.#watch(label, () =>
        this.#device.createShaderModule({ code, label: program.label }),
      );
      this.#modules.set(key, module);
    }
    return {
      label,
      layout: this.#layouts.pipelineLayout(launch.bindings),
      compute: { module, entryPoint: entry, ...(constants ? { constants: { ...constants } } : {}) },
    };
  }
}

function keyOf({ program, entry, constants }: Launch): string {
  const base = `${String(program.id)}:${entry}`;
  return constants ? `${base}:${JSON.stringify(constants)}` : base;
}

/** With the compiler's words. */
async function explained(entry: PipelineEntry, cause: unknown): Promise<ShaderError> {
  const { module } = entry.describe().compute;
  const { messages } = await module.getCompilationInfo().catch(() => ({ messages: [] }));
  const lines = messages.map((m) => `${String(m.lineNum)}:${String(m.linePos)} ${m.message}`);
  const received = [String(cause), ...lines].join('\n');
  return new ShaderError(
    { op: entry.label, expected: 'a shader that compiles', received },
    { cause },
  );
}
