import { init, type Device } from 'nonlin';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findActivations, type ActivationChoice } from '../../demo/training/activations.ts';
import { breathe } from '../../demo/training/breathe.ts';
import type { Checkpoint } from '../../demo/training/checkpoint.ts';
import type { LossChoice } from '../../demo/training/loss.ts';
import { findLosses } from '../../demo/training/losses.ts';
import { DEFAULTS } from '../../demo/training/settings.ts';
import { spiralsTask } from '../../demo/training/tasks/spirals.ts';
import { Trainer, type Report } from '../../demo/training/trainer.ts';
import { announcementOf } from '../../demo/views/train/announce.ts';
import { Session, type Phase } from '../../demo/views/train/session.ts';

let activation: ActivationChoice;
let loss: LossChoice;
let device: Device;
let phases: Phase[];
let reports: { index: number; report: Report }[];
let errors: unknown[];
let diverged: { index: number; step: number }[];
let kept: number;
let session: Session;

beforeAll(async () => {
  device = await init({ backend: 'cpu' });
  const named = <T extends { readonly op: string }>(all: readonly T[], op: string): T => {
    const found = all.find((one) => one.op === op);
    if (!found) throw new Error(`no ${op}`);
    return found;
  };
  activation = named(await findActivations(device), 'relu');
  loss = named(await findLosses(device), 'crossEntropy');
}, 60_000);

beforeEach(() => {
  phases = [];
  diverged = [];
  kept = 0;
  reports = [];
  errors = [];
  session = new Session({
    phase: (phase) => phases.push(phase),
    report: (index, report) => reports.push({ index, report }),
    health: () => undefined,
    diverged: (index, step) => diverged.push({ index, step }),
    kept: () => kept++,
    failed: (error) => errors.push(error),
  });
});

function make(epochs: number, from?: Checkpoint, learningRate = 0.003): Trainer {
  const settings = { ...DEFAULTS, width: 8, batchSize: 60, epochs, learningRate };
  const task = spiralsTask();
  const known = from ? { from } : {};
  return new Trainer({ settings, activation, loss, task, device, breathe, ...known });
}

/** A creation that takes until it is let. */
function slowly(trainer: Trainer) {
  let finish = (): void => undefined;
  const created = new Promise<readonly Trainer[]>((resolve) => {
    finish = () => resolve([trainer]);
  });
  return { create: () => created, finish };
}

const until = async (phase: Phase): Promise<void> => {
  while (session.phase !== phase) await new Promise((resolve) => setTimeout(resolve, 1));
};
const isDisposed = async (trainer: Trainer): Promise<boolean> =>
  trainer.predict(new Float32Array(2)).then(
    () => false,
    () => true,
  );

describe('a session', () => {
  it('trains runs in step with each other, to the end', async () => {
    await session.start(() => Promise.resolve([make(2), make(2)]));
    await until('done');
    expect(phases).toEqual(['running', 'done']);
    const stepsOf = (run: number) =>
      reports.flatMap(({ index, report }) => (index === run ? [report.step] : []));
    expect(stepsOf(0)).toEqual(stepsOf(1));
    expect(stepsOf(0).at(-1)).toBe(20);
    expect(errors).toEqual([]);
  });

  it('grants the later of two wishes, and frees what the first made', async () => {
    const [first, second] = [make(1), make(1)];
    const slow = slowly(first);
    const one = session.start(slow.create);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const two = session.start(() => Promise.resolve([second]));
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(session.trainers).toEqual([]);
    slow.finish();
    await Promise.all([one, two]);
    await until('done');
    expect(session.trainers).toEqual([second]);
    expect(await isDisposed(first)).toBe(true);
    expect(new Set(reports.map(({ report }) => report.step)).size).toBeGreaterThan(1);
    expect(reports.filter(({ report }) => report.kind === 'epoch')).toHaveLength(2);
  });

  it('starts nothing that was reset while it was being made', async () => {
    const trainer = make(1);
    const slow = slowly(trainer);
    const starting = session.start(slow.create);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await session.reset();
    slow.finish();
    await starting;
    expect(session.phase).toBe('idle');
    expect(reports).toEqual([]);
    expect(await isDisposed(trainer)).toBe(true);
  });

  it('can be used after runs that could not be made', async () => {
    const failing = session.start(() => Promise.reject(new Error('no room')));
    await expect(failing).rejects.toThrow('no room');
    expect(session.phase).toBe('idle');
    await session.start(() => Promise.resolve([make(1)]));
    await until('done');
    expect(reports.at(-1)?.report.step).toBe(10);
  });

  it('keeps checkpoints of a run that fails, to go on from', async () => {
    await session.start(() => Promise.resolve([make(50)]));
    while (session.checkpoints.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    await session.fail(new Error('broken'));
    expect(phases).toEqual(['running', 'failed']);
    expect(errors).toHaveLength(1);
    const { checkpoints } = session;
    const at = checkpoints[0]?.step ?? NaN;
    reports = [];
    await session.start(() => Promise.resolve([make(50, checkpoints[0])]));
    await session.stop();
    expect(phases).toEqual(['running', 'failed', 'idle', 'running', 'stopped']);
    expect(reports[0]?.report.step).toBeGreaterThanOrEqual(at);
  });
});

describe('a session whose runs end early', () => {
  it('keeps what was learned until the stop, and goes on from there', async () => {
    await session.start(() => Promise.resolve([make(50)]));
    while (reports.length < 8) await new Promise((resolve) => setTimeout(resolve, 1));
    await session.stop();
    expect(session.checkpoints[0]?.step).toBe(session.trainers[0]?.step);
    expect(kept).toBeGreaterThan(1);
    const [checkpoint] = await session.reset();
    expect(checkpoint?.step).toBeGreaterThan(0);
    await session.show(() => Promise.resolve([make(50, checkpoint)]));
    expect(session.phase).toBe('stopped');
    expect(session.checkpoints).toEqual([checkpoint]);
  });

  it('trains a run no further whose loss is no number, and the others to the end', async () => {
    await session.start(() => Promise.resolve([make(3, undefined, 1e30), make(3)]));
    await until('done');
    expect(diverged).toEqual([{ index: 0, step: diverged[0]?.step }]);
    const last = (run: number) => reports.findLast(({ index }) => index === run)?.report.step;
    expect(last(0)).toBe(diverged[0]?.step);
    expect(last(0)).toBeLessThan(30);
    expect(last(1)).toBe(30);
    await session.start(() => Promise.resolve([make(3, undefined, 1e30)]));
    await until('stopped');
    expect(errors).toEqual([]);
  });
});

describe('what is read aloud', () => {
  const score = { loss: 0.5, accuracy: 0.9312, error: 0.0123 };
  const report = (epoch: number) =>
    ({
      kind: 'epoch',
      step: epoch,
      epoch,
      training: undefined,
      heldOut: score,
      verdicts: undefined,
      seconds: 0,
    }) as const;

  it('is at most ten times a run, and its end', () => {
    const spoken = Array.from({ length: 101 }, (_, epoch) =>
      announcementOf(report(epoch), 100, 'classes'),
    );
    expect(spoken.filter((words) => words !== undefined)).toHaveLength(10);
    expect(spoken[10]).toBe('Epoch 10 of 100: held-out accuracy 93.1 %.');
    expect(spoken[100]).toBe('Epoch 100 of 100: held-out accuracy 93.1 %. Finished.');
    expect(announcementOf(report(1), 3, 'values')).toBe('Epoch 1 of 3: squared error 0.012.');
  });
});
