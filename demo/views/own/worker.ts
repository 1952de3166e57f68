// Takes a person's code by message, and gives by message what is wrong with it, its curve, whether it is right, and networks
// that learn with it. In a worker with a device of its own, so that code without an end holds up nothing but itself.
import { checkGradient, init, NonlinError, ShaderError, type Device } from 'nonlin';
import { compute, places } from '../../lab/curve.ts';
import { messageOf } from '../../training/format.ts';
import type { Race } from '../../training/race.ts';
import { declare } from './declare.ts';
import { startDuel } from './duel.ts';
import type { CheckJob, FromWorker, Problem, ToWorker, TrainJob } from './protocol.ts';
import { ReferenceFault } from './reference.ts';
import { sweepOf } from './sweep.ts';

const REACH = 5;
const POINTS = 401;

let device: Device | undefined;
let race: Race | undefined;

const post = (message: FromWorker): void => postMessage(message);

addEventListener('message', ({ data }: MessageEvent<ToWorker>) => {
  switch (data.type) {
    case 'ping':
      post({ type: 'pong' });
      break;
    case 'open':
      void open(data.backend);
      break;
    case 'stop':
      race?.stop();
      race = undefined;
      break;
    case 'check':
      void attempt(data, () => check(data));
      break;
    case 'train':
      void attempt(data, () => train(data));
      break;
  }
});

async function open(backend: 'webgpu' | 'cpu'): Promise<void> {
  device = await init({ backend }).catch(() => init({ backend: 'cpu' }));
  void device.lost.then(() => post({ type: 'lost' }));
  post({ type: 'ready', gpu: device.type === 'webgpu' });
}

/** Does a job, and says what is wrong with the code where it cannot be done. */
async function attempt(
  { type: job, id }: CheckJob | TrainJob,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (error instanceof ReferenceFault || error instanceof NonlinError)
      post({ type: 'problems', id, problems: problemsOf(error) });
    else post({ type: 'failed', words: messageOf(error) });
  }
  post({ type: 'over', id, job });
}

function problemsOf(error: ReferenceFault | NonlinError): Problem[] {
  if (error instanceof ReferenceFault) return [error.problem];
  if (!(error instanceof ShaderError)) return [{ where: 'wgsl', words: error.message }];
  const found = error.messages
    .filter(({ type }) => type === 'error')
    .map(({ message, line, column }): Problem => ({ where: 'wgsl', words: message, line, column }));
  if (found.length > 0) return found;
  const { argument, received, message } = rootOf(error);
  const words =
    argument === undefined
      ? message
      : `There is no file ${argument.replace('#include ', '')} to include. There are: ${received ?? ''}.`;
  return [{ where: 'wgsl', words }];
}

/** An error names the op that was called; what it was at first says more. */
function rootOf(error: NonlinError): NonlinError {
  return error.cause instanceof NonlinError ? rootOf(error.cause) : error;
}

async function check(job: CheckJob): Promise<void> {
  const { id } = job;
  const op = declare(job.code, job.values);
  post({ type: 'declared', id, declared: op.declared });
  const x = places(-REACH, REACH, POINTS);
  const reference = {
    y: x.map((at) => op.value(at, job.target)),
    slope: x.map((at) => op.slope(at, job.target)),
  };
  post({ type: 'curves', id, curves: { x, reference, device: undefined } });
  const on = opened();
  const gpu = on.type === 'webgpu';
  if (gpu) {
    const curve = await compute((input) => op.apply(input, () => job.target), x, [x.length], on);
    post({ type: 'curves', id, curves: { x, reference, device: curve } });
  }
  const gradient = await checkGradient(op.op, { device: on, options: op.options });
  post({ type: 'checked', id, gradient, sweep: gpu ? await sweepOf(op, on) : undefined });
}

async function train(job: TrainJob): Promise<void> {
  const op = declare(job.code, job.values);
  race?.stop();
  await new Promise<void>((resolve, reject) => {
    startDuel(op, job, opened(), {
      moved: (standings, step, steps) =>
        post({ type: 'moved', id: job.id, standings, step, steps }),
      ended: resolve,
      failed: reject,
    }).then((started) => {
      race = started;
    }, reject);
  });
}

function opened(): Device {
  if (!device) throw new Error('no device');
  return device;
}
