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
  readonly #atOnce: () => boolean;
  readonly #modules = new Map<string, GPUShaderModule>();
  readonly #entries = new Map<string, PipelineEntry>();

  /** Compilations that the device works on. */
  #compiling = 0;
  /** The entry whose compilation waits until another one's is asked for, or its commands are to be submitted. */
  #held: { readonly entry: PipelineEntry; readonly compiled: () => void } | null = null;

  /** `watch` runs WebGPU calls under error scopes; `atOnce` tells whether a single pipeline is better compiled on the spot. */
  constructor(
    device: GPUDevice,
    layouts: Layouts,
    watch: <T>(op: string, call: () => T) => T,
    atOnce: () => boolean,
  ) {
    this.#device = device;
    this.#layouts = layouts;
    this.#watch = watch;
    this.#atOnce = atOnce;
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
    if (background) entry.ready = this.#begin(entry);
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

  /** Compiles in the background what waits to be compiled on the spot. */
  beginHeld(): void {
    const held = this.#held;
    this.#held = null;
    if (held) void this.#compile(held.entry).then(held.compiled);
  }

  /** Compiles what waits on the spot: its commands are about to be submitted. */
  compileHeld(): void {
    const held = this.#held;
    this.#held = null;
    if (!held) return;
    try {
      this.compileNow(held.entry);
    } catch (cause) {
      held.entry.error = asShaderError(held.entry, cause);
    }
    held.compiled();
  }

  /**
   * Several pipelines are compiled side by side by the browser's threads. A software adapter's takes no longer
   * than the way to such a thread and back: where the device has nothing else to do, and it stays the only one until
   * it is needed, on the spot.
   */
  #begin(entry: PipelineEntry): Promise<void> {
    this.beginHeld();
    if (this.#compiling > 0 || !this.#atOnce()) return this.#compile(entry);
    return new Promise((compiled) => {
      this.#held = { entry, compiled };
    });
  }

  async #compile(entry: PipelineEntry): Promise<void> {
    this.#compiling++;
    try {
      const pipeline = await this.#device.createComputePipelineAsync(entry.describe());
      entry.pipeline ??= pipeline;
    } catch (cause) {
      entry.error = asShaderError(entry, cause, await messagesOf(entry, cause));
    } finally {
      this.#compiling--;
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

/** The compiler's words, where it was the compiler that refused. */
async function messagesOf({ describe }: PipelineEntry, cause: unknown): Promise<string[]> {
  if (cause instanceof ShaderError) return [];
  const { module } = describe().compute;
  const { messages } = await module.getCompilationInfo().catch(() => ({ messages: [] }));
  return messages.map((m) => `${String(m.lineNum)}:${String(m.linePos)} ${m.message}`);
}

function asShaderError(
  { label }: PipelineEntry,
  cause: unknown,
  messages: readonly string[] = [],
): ShaderError {
  if (cause instanceof ShaderError) return cause;
  const received = [String(cause), ...messages].join('\n');
  return new ShaderError({ op: label, expected: 'a shader that compiles', received }, { cause });
}
