// The cache of compute pipelines. Each is compiled once, and callers share compilations in progress.
import { OutOfMemoryError, ShaderError, type ShaderMessage } from '../core/errors.ts';
import type { Launch } from '../core/kernel.ts';
import type { Watch } from './buffers.ts';
import type { Fate } from './fate.ts';
import { codeOf } from '../shader/lengths.ts';
import type { Program } from '../shader/link.ts';
import { wholeOf } from '../shader/whole.ts';
import type { Layouts } from './layouts.ts';
import { bounded } from './waiting.ts';

/** A pipeline that is compiled or being compiled. */
export interface PipelineEntry {
  readonly label: string;
  readonly program: Program;
  pipeline: GPUComputePipeline | null;
  error: ShaderError | null;
  /** Whether it compiles, if it was made synchronously: then `pipeline` is set before this is known. */
  birth: Fate | null;
  /** Settles when `pipeline` or `error` is set; never rejects. */
  ready: Promise<void>;
  readonly describe: () => GPUComputePipelineDescriptor;
}

export class PipelineCache {
  /** Number of pipelines compiled so far. */
  compiled = 0;
  readonly #device: GPUDevice;
  readonly #layouts: Layouts;
  readonly #watch: Watch;
  readonly #hoistArrayLengths: boolean;
  readonly #modules = new Map<string, GPUShaderModule>();
  readonly #entries = new Map<string, PipelineEntry>();

  /** `watch` runs WebGPU calls inside error scopes. For `hoistArrayLengths` see `lengths.ts`. */
  constructor(device: GPUDevice, layouts: Layouts, watch: Watch, hoistArrayLengths: boolean) {
    this.#device = device;
    this.#layouts = layouts;
    this.#watch = watch;
    this.#hoistArrayLengths = hoistArrayLengths;
  }

  /**
   * Returns the pipeline's entry. On first use it begins compilation in the background, or leaves it to `compileNow`.
   */
  get(launch: Launch, background = true): PipelineEntry {
    const key = keyOf(launch);
    const known = this.#entries.get(key);
    if (known && !mayPass(known)) return known;
    const label = `${launch.program.label}:${launch.entry}`;
    const entry: PipelineEntry = {
      label,
      program: launch.program,
      describe: () => this.#describe(launch, label),
      pipeline: null,
      error: null,
      birth: null,
      ready: Promise.resolve(),
    };
    if (background) entry.ready = this.#compile(entry);
    this.compiled++;
    this.#entries.set(key, entry);
    return entry;
  }

  /** Compiles an entry synchronously if it is not ready. This is for commands that a caller submits. */
  compileNow(entry: PipelineEntry): PipelineEntry {
    if (entry.pipeline || entry.error) return entry;
    try {
      entry.pipeline = this.#watch(entry.label, (scopes) => {
        entry.birth = scopes?.fate ?? null;
        return this.#device.createComputePipeline(entry.describe());
      });
    } catch (cause) {
      entry.error = asShaderError(entry, cause);
    }
    return entry;
  }

  async #compile(entry: PipelineEntry): Promise<void> {
    try {
      const pipeline = await this.#watch(entry.label, (scopes) => {
        if (scopes) scopes.shaders = true;
        return this.#device.createComputePipelineAsync(entry.describe());
      });
      entry.pipeline ??= pipeline;
    } catch (cause) {
      const error = asShaderError(entry, cause, await this.#messagesOf(entry, cause));
      // Meanwhile it may have been compiled synchronously, inside error scopes of its own.
      if (!entry.pipeline) entry.error = error;
    }
  }

  /**
   * The compiler's messages, if the compiler reported an error. They are asked for of the whole text, where an op's own
   * lines are as they were written: what was compiled is shorter and in another order.
   */
  async #messagesOf(entry: PipelineEntry, cause: unknown): Promise<ShaderMessage[]> {
    if (cause instanceof ShaderError) return [];
    const { text, lineOf } = wholeOf(entry.program);
    const whole = this.#watch(entry.label, (scopes) => {
      if (scopes) scopes.shaders = true;
      return this.#device.createShaderModule({ code: text, label: entry.label });
    });
    const found = await this.#heard(whole, lineOf);
    if (!found || found.some(({ type }) => type === 'error')) return found ?? [];
    return (await this.#heard(entry.describe().compute.module, () => undefined)) ?? [];
  }

  async #heard(
    module: GPUShaderModule,
    lineOf: (line: number) => number | undefined,
  ): Promise<ShaderMessage[] | null> {
    const info = await bounded(this.#device, () => module.getCompilationInfo());
    if (!info) return null;
    return info.messages.map(({ type, message, lineNum, linePos }) => {
      const line = lineOf(lineNum);
      return { type, message, line, column: line === undefined ? undefined : linePos };
    });
  }

  #describe(launch: Launch, label: string): GPUComputePipelineDescriptor {
    const { program, entry, constants } = launch;
    const key = `${program.id}:${entry}`;
    let module = this.#modules.get(key);
    if (!module) {
      const code = codeOf(program, entry, this.#hoistArrayLengths);
      module = this.#device.createShaderModule({ code, label: program.label });
      this.#modules.set(key, module);
    }
    return {
      label,
      layout: this.#layouts.pipelineLayout(launch.bindings),
      compute: { module, entryPoint: entry, ...(constants ? { constants: { ...constants } } : {}) },
    };
  }
}

/**
 * Whether a pipeline failed for a reason that may be temporary: no memory, or a cause that the browser does not know.
 */
function mayPass({ error, birth }: PipelineEntry): boolean {
  if (birth?.error) return birth.error instanceof OutOfMemoryError;
  const { cause } = error ?? {};
  return cause instanceof Error && 'reason' in cause && cause.reason === 'internal';
}

function keyOf({ program, entry, constants }: Launch): string {
  const base = `${program.id}:${entry}`;
  return constants ? `${base}:${JSON.stringify(constants)}` : base;
}

function asShaderError(
  { label }: PipelineEntry,
  cause: unknown,
  messages: readonly ShaderMessage[] = [],
): ShaderError {
  if (cause instanceof ShaderError) return cause;
  const said = messages.map(({ message, line, column }) =>
    line === undefined ? message : `line ${line}:${column ?? 1}: ${message}`,
  );
  const details = {
    op: label,
    expected: 'a shader that compiles',
    received: [String(cause), ...said].join('\n'),
  };
  return new ShaderError(details, { cause, messages });
}
