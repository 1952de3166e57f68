// Takes command-line options, and gives a training run in Node with its figures on stdout; progress goes to stderr.
import { writeFile } from 'node:fs/promises';
import { SingleBar } from 'cli-progress';
import { DeviceUnavailableError, init, type Device } from 'nonlin';
import { findActivations } from '../training/activations.ts';
import { HELP, parseCommandLine, type CommandLine } from './cli-options.ts';
import { sliceDigits, splitDigits } from '../training/digits.ts';
import { readDigits } from './digits-node.ts';
import { describeDevice } from '../shell/devices.ts';
import { findLosses } from '../training/losses.ts';
import { nodeGpu } from './node-gpu.ts';
import {
  formatDuration,
  formatLoss,
  formatPercent,
  formatRate,
  messageOf,
} from '../training/format.ts';
import { Pace } from '../training/pace.ts';
import { parseName, SettingError } from '../training/settings.ts';
import { readState, saveState } from '../training/state-file.ts';
import { digitsTask } from '../training/tasks/digits.ts';
import { Trainer, type EpochReport, type Score } from '../training/trainer.ts';

/** Held-out digits per training digit, also where `--limit` takes fewer. */
const HELD_OUT_SHARE = 1 / 4;

async function main(): Promise<void> {
  const line = parseCommandLine(process.argv.slice(2));
  const cpu = await init({ backend: 'cpu' });
  const activations = await findActivations(cpu);
  const losses = await findLosses(cpu);
  cpu.dispose();
  const activationNames = activations.map(({ op }) => op);
  const lossNames = losses.map(({ op }) => op);
  if (line.help) {
    console.log(
      `${HELP}\n\nActivations: ${activationNames.join(', ')}\nLosses: ${lossNames.join(', ')}`,
    );
    return;
  }
  const activationName = parseName(activationNames, line.settings.activation, '--activation');
  const lossName = parseName(lossNames, line.settings.loss, '--loss');
  const activation = activations.find(({ op }) => op === activationName);
  const loss = losses.find(({ op }) => op === lossName);
  if (!activation || !loss) throw new Error('a name without its op');

  const digits = splitDigits(await readDigits());
  const training = sliceDigits(digits.training, 0, line.limit);
  const heldOut = sliceDigits(digits.heldOut, 0, Math.ceil(training.count * HELD_OUT_SHARE));
  const settings = { ...line.settings, activation: activationName, loss: lossName };
  const device = await openDevice(line);
  try {
    const trainer = new Trainer({
      settings,
      activation,
      loss,
      task: digitsTask({ training, heldOut }),
      device,
    });
    const last = await train(trainer, device, line.json);
    if (line.save !== undefined) await save(trainer, line, last.heldOut.accuracy);
    trainer.dispose();
  } finally {
    device.dispose();
  }
}

/** WebGPU where Node has it, as the npm package `webgpu`. */
async function openDevice({ backend }: CommandLine): Promise<Device> {
  const gpu = backend === 'cpu' ? undefined : await nodeGpu();
  return init({ backend, ...(gpu ? { gpu } : {}) });
}

/** The file says what it got right as it is in the file, after rounding. */
async function save(trainer: Trainer, { save, dtype }: CommandLine, accuracy: number) {
  if (save === undefined) return;
  const config = { task: 'digits', runs: [trainer.settings] } as const;
  let right = accuracy;
  if (dtype === 'float16') {
    const rounded = readState((await saveState(trainer.network, config, { dtype })).buffer);
    rounded.into(trainer.network, trainer.device);
    right = (await testOf(trainer)).heldOut.accuracy;
  }
  await writeFile(save, await saveState(trainer.network, config, { dtype, accuracy: right }));
  process.stderr.write(`${save}: held-out accuracy ${formatPercent(right)}\n`);
}

async function testOf(trainer: Trainer): Promise<EpochReport> {
  const test = trainer.test(trainer.settings.epochs, undefined);
  let now = await test.next();
  while (!now.done) now = await test.next();
  return now.value;
}

async function train(trainer: Trainer, device: Device, json: boolean): Promise<EpochReport> {
  const say = (words: string) => process.stderr.write(`${words}\n`);
  say(`Training on ${describeDevice(device)}`);
  const bar = createBar(trainer.steps);
  const pace = new Pace();
  const epochs: EpochReport[] = [];
  let steps = 0;
  let stepSeconds = 0;
  const start = performance.now();
  for await (const report of trainer.train()) {
    if (report.kind === 'steps') {
      steps = report.step;
      stepSeconds += report.seconds;
      pace.add(report.since, report.seconds);
      const left = formatDuration(pace.secondsFor(trainer.steps - report.step) ?? 0);
      bar?.update(report.step, { epoch: report.epoch, loss: formatLoss(report.score.loss), left });
    } else if (report.kind === 'epoch' && report.epoch > 0) {
      epochs.push(report);
      if (!bar) say(epochLine(report, trainer.settings.epochs));
    }
  }
  bar?.stop();
  const last = epochs.at(-1);
  if (!last) throw new Error('no epoch was trained');
  const seconds = (performance.now() - start) / 1000;
  const stepsPerSecond = steps / stepSeconds;
  if (json) {
    const scores = epochs.map(({ epoch, training, heldOut }) => ({
      epoch,
      training: training && shortened(training),
      heldOut: shortened(heldOut),
    }));
    const { type, name } = device;
    const { loss, accuracy } = last.heldOut;
    const { settings } = trainer;
    console.log(
      JSON.stringify({
        device: { type, name },
        settings,
        loss,
        accuracy,
        epochs: scores,
        steps,
        seconds,
        stepsPerSecond,
      }),
    );
  } else {
    if (bar) for (const epoch of epochs) console.log(epochLine(epoch, trainer.settings.epochs));
    console.log(
      `Held-out accuracy ${formatPercent(last.heldOut.accuracy)}, held-out loss ${formatLoss(last.heldOut.loss)}` +
        ` after ${steps} steps in ${seconds.toFixed(1)} s (${formatRate(stepsPerSecond)} steps/s)`,
    );
  }
  return last;
}

/** Of digits there is no squared error. */
const shortened = ({ loss, accuracy }: Score) => ({ loss, accuracy });

/** A progress bar, where there is a terminal to draw it on. */
function createBar(total: number): SingleBar | undefined {
  if (!process.stderr.isTTY) return undefined;
  const format =
    '{bar} {percentage} %  epoch {epoch}  step {value}/{total}  loss {loss}  {left} left';
  const bar = new SingleBar({
    format,
    stream: process.stderr,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 28,
    hideCursor: true,
  });
  bar.start(total, 0, { epoch: 1, loss: '–', left: '–' });
  return bar;
}

function epochLine({ epoch, training, heldOut }: EpochReport, epochs: number): string {
  return (
    `Epoch ${epoch} of ${epochs}: training loss ${training ? formatLoss(training.loss) : '–'}, ` +
    `held-out loss ${formatLoss(heldOut.loss)}, held-out accuracy ${formatPercent(heldOut.accuracy)}`
  );
}

try {
  await main();
} catch (error) {
  // what the caller can repair needs a message, not a stack
  if (error instanceof SettingError) console.error(`${messageOf(error)}\nTry --help.`);
  else console.error(error instanceof DeviceUnavailableError ? messageOf(error) : error);
  process.exitCode = error instanceof SettingError ? 2 : 1;
}
