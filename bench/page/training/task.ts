// Takes a model and a lesson, and gives what each library learns from: first weights, batches, and how weights are updated.
import { init, manualSeed, nn, type Device } from 'nonlin';
import { createModel } from '../../../demo/training/model.ts';
import { Gpt } from '../../../demo/writing/gpt.ts';
import type {
  AdamRule,
  GptModel,
  Lesson,
  PerceptronModel,
  Task,
  TrainedModel,
  TrainingBatch,
} from './types.ts';

const SEED = 1;

export async function taskOf(model: TrainedModel, lesson: Lesson): Promise<Task> {
  const device = await init({ backend: 'cpu' });
  const module = moduleOf(model, lesson.vocabulary, device);
  const weights = await Promise.all(
    [...module.namedParameters()].map(async ([name, parameter]) => ({
      name,
      shape: parameter.shape,
      data: Float32Array.from(await parameter.data()),
    })),
  );
  device.dispose();
  return {
    model,
    vocabulary: lesson.vocabulary,
    weights,
    batches: batchesOf(model, lesson),
    rule: ruleOf(model),
  };
}

/** The model on a device, with the same first weights each time. */
export function moduleOf(model: TrainedModel, vocabulary: number, device: Device): Gpt | nn.Module {
  manualSeed(SEED);
  return model.kind === 'gpt' ? gptOf(model, vocabulary, device) : perceptronOf(model, device);
}

export function gptOf(model: GptModel, vocabulary: number, device: Device): Gpt {
  const { layers, width, heads, context } = model;
  const config = { vocabulary, context, layers, width, heads, dropout: 0 };
  return new Gpt(
    { ...config, activation: 'gelu', norm: 'layerNorm', positions: 'learned' },
    device,
  );
}

function perceptronOf({ sizes, activation }: PerceptronModel, device: Device): nn.Sequential {
  const [inputs, width] = sizes;
  const create = (): nn.Module => (activation === 'relu' ? new nn.ReLU() : new nn.Tanh());
  const { network } = createModel({
    task: { inputs, outputs: sizes.at(-1) ?? 0 },
    activation: {
      op: activation,
      use: '',
      group: 'Elementwise',
      ratio: 1,
      create,
      curve: undefined,
    },
    width,
    layers: sizes.length - 2,
    device,
  });
  return network;
}

/** A GPT is updated as demo/writing does it, a perceptron as demo/training. */
function ruleOf(model: TrainedModel): AdamRule {
  return model.kind === 'gpt'
    ? { learningRate: 1e-3, betas: [0.9, 0.99], decay: 0.1, maxNorm: 1 }
    : { learningRate: model.learningRate, betas: [0.9, 0.999], decay: 0, maxNorm: 0 };
}

function batchesOf(model: TrainedModel, { x, y }: Lesson): TrainingBatch[] {
  const targets = model.kind === 'gpt' ? model.batch * model.context : model.batch;
  const inputs = model.kind === 'gpt' ? targets : model.batch * model.sizes[0];
  const ink = model.kind === 'perceptron' && model.data === 'digits' ? 255 : 1;
  return Array.from({ length: Math.floor(y.length / targets) }, (_, i) => {
    const own = x.slice(i * inputs, (i + 1) * inputs);
    return {
      x: model.kind === 'gpt' ? Int32Array.from(own) : Float32Array.from(own, (v) => v / ink),
      y: Int32Array.from(y.slice(i * targets, (i + 1) * targets)),
    };
  });
}
