// A batch: commands that are submitted together, and what their submission needs.
import type { PooledBuffer } from './buffers.ts';
import type { Command } from './encoder.ts';
import type { Fate } from './fate.ts';
import type { Faults } from './faults.ts';
import type { Layouts } from './layouts.ts';
import type { PipelineCache } from './pipelines.ts';

/** The uniforms of the launches of a batch. */
export interface Block {
  /** The value of `KeptLaunch.block` for a launch whose uniforms are in this batch. */
  readonly number: number;
  bytes: Uint8Array<ArrayBuffer>;
  used: number;
}

export interface Batch {
  readonly number: number;
  readonly commands: Command[];
  /** One block, unless an op has more launches than a block has room for. */
  readonly blocks: Block[];
  /** The indices of the first commands of the second and later blocks. */
  readonly cuts: number[];
  /** Fates of buffers and pipelines that the batch must wait for. */
  births: readonly Fate[] | null;
  /** Buffers to destroy once the batch is submitted. */
  readonly doomed: PooledBuffer[];
  readonly submitted: () => void;
  readonly whenSubmitted: Promise<void>;
}

export interface QueueParts {
  readonly device: GPUDevice;
  readonly faults: Faults;
  readonly layouts: Layouts;
  readonly pipelines: PipelineCache;
}
