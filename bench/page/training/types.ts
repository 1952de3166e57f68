// What lessons, learners and measurements of training say to each other, and the results that leave the page.

/** The GPT of demo/writing: learned positions, layer norm before each part of a block, erf-gelu, a head tied to the tokens. */
export interface GptModel {
  readonly kind: 'gpt';
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly context: number;
  readonly batch: number;
}

/** The perceptron of demo/training. */
export interface PerceptronModel {
  readonly kind: 'perceptron';
  readonly data: 'digits' | 'spirals';
  readonly activation: 'relu' | 'tanh';
  /** Of the layers, inputs first. */
  readonly sizes: readonly [inputs: number, hidden: number, ...more: number[]];
  readonly batch: number;
  readonly learningRate: number;
}

export type TrainedModel = GptModel | PerceptronModel;

export type LearnerName = 'nonlin' | 'tfjs' | 'jax';

export interface TrainingRequest {
  readonly name: string;
  readonly model: TrainedModel;
  /** The first is this library: the others' losses and times are held against its own. */
  readonly libraries: readonly LearnerName[];
  /** Steps whose losses are compared, before any is timed. */
  readonly steps: number;
  readonly rounds: number;
  /** Each turn has so many steps that they take about so long, in milliseconds. */
  readonly span: number;
}

/** Batches one after another: of a GPT tokens and what follows each; of a perceptron examples and their classes. */
export interface Lesson {
  /** Of the digits bytes of ink, 0 to 255. */
  readonly x: readonly number[];
  readonly y: readonly number[];
  /** Number of different tokens; 0 without tokens. */
  readonly vocabulary: number;
}

/** A parameter's first values. */
export interface Weight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}

export interface TrainingBatch {
  readonly x: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
  readonly y: Int32Array<ArrayBuffer>;
}

/** Adam with decoupled weight decay: of matrices alone. */
export interface AdamRule {
  readonly learningRate: number;
  readonly betas: readonly [number, number];
  readonly decay: number;
  /** Gradients are scaled down to this norm of all together; 0: never. */
  readonly maxNorm: number;
}

/** What a library is given to learn. */
export interface Task {
  readonly model: TrainedModel;
  readonly vocabulary: number;
  readonly weights: readonly Weight[];
  readonly batches: readonly TrainingBatch[];
  readonly rule: AdamRule;
}

/** A model of one library in training. */
export interface Learner {
  /** One step on the next batch, sent off: loss, gradients, update. */
  readonly step: () => void;
  /** The losses of the steps since the last call, once all of them are done. */
  readonly losses: () => Promise<readonly number[]>;
  readonly free: () => void;
}

/** One library's training. */
export interface Trained {
  readonly library: LearnerName;
  /** Milliseconds of a step, the median over rounds. */
  readonly ms: number;
  /** Multiple of this library's time in the same round, the median over rounds. */
  readonly ratio: number;
  /** The loss of the last step that was compared. */
  readonly loss: number;
  /** The largest difference to this library's losses, step by step. */
  readonly difference: number;
}

/** What a step asks of WebGPU, in the steady state, a read of the losses after the last one included. */
export interface StepCounts {
  readonly library: LearnerName;
  readonly dispatches: number;
  readonly submits: number;
  readonly buffers: number;
  readonly bindGroups: number;
  readonly pipelines: number;
  /** Bytes of all buffers alive at the worst moment, weights and optimizer's state included. */
  readonly peak: number;
}

export interface TrainingResult {
  readonly name: string;
  readonly model: TrainedModel;
  readonly steps: number;
  readonly rounds: number;
  readonly trained: readonly Trained[];
  readonly counts: readonly StepCounts[];
  /** What was not as it has to be; any fails the benchmark. */
  readonly failures: readonly string[];
}

export interface AttentionRequest {
  readonly length: number;
  /** Heads times batch elements. */
  readonly heads: number;
  /** Numbers per head. */
  readonly width: number;
  /** 0: memory alone is measured. */
  readonly rounds: number;
  readonly span: number;
}

/** Attention in one kernel, and composed of a product, a softmax and a product. */
export interface Pair {
  readonly fused: number;
  readonly composed: number;
}

export interface AttentionResult extends AttentionRequest {
  /** Milliseconds, and how many times as long the composed form takes; null where only memory is measured. */
  readonly forward: (Pair & { readonly ratio: number }) | null;
  readonly both: (Pair & { readonly ratio: number }) | null;
  /** Bytes alive at the worst moment, as multiples of query, key, value and result. */
  readonly memory: { readonly forward: Pair; readonly both: Pair };
  readonly failures: readonly string[];
}
