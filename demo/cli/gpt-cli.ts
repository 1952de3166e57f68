// Takes command-line options, and gives a GPT trained in Node, or one that writes on; progress goes to stderr.
import { readFile, writeFile } from 'node:fs/promises';
import { SingleBar } from 'cli-progress';
import { DeviceUnavailableError, init, type Device } from 'nonlin';
import { describeDevice } from '../shell/devices.ts';
import { formatDuration, formatLoss, formatRate, messageOf } from '../training/format.ts';
import { Pace } from '../training/pace.ts';
import { generator } from '../training/random.ts';
import { SettingError } from '../training/settings.ts';
import { loadModel, saveModel, type Written } from '../writing/file.ts';
import { parameterCount } from '../writing/gpt.ts';
import { sample } from '../writing/sample.ts';
import { splitText, Vocabulary } from '../writing/text.ts';
import { Writer } from '../writing/writer.ts';
import { HELP, parseGptCommandLine, type GptCommandLine } from './gpt-options.ts';
import { readMobyDick } from '../../scripts/moby.mjs';
import { nodeGpu } from './node-gpu.ts';

const say = (words: string): void => void process.stderr.write(`${words}\n`);

async function main(): Promise<void> {
  const line = parseGptCommandLine(process.argv.slice(2));
  if (line.help) {
    console.log(HELP);
    return;
  }
  const gpu = line.backend === 'cpu' ? undefined : await nodeGpu();
  const device = await init({ backend: line.backend, ...(gpu ? { gpu } : {}) });
  try {
    await (line.load === null ? train(line, device) : writeOn(line.load, line, device));
  } finally {
    device.dispose();
  }
}

async function writeOn(path: string, line: GptCommandLine, device: Device): Promise<void> {
  const written = await readModel(path, device);
  const text = await textOf(written, line, device, line.json ? null : process.stdout);
  console.log(line.json ? JSON.stringify({ prompt: line.prompt, text }) : '');
  written.model.dispose();
}

async function readModel(path: string, device: Device): Promise<Written> {
  try {
    return loadModel(new Uint8Array(await readFile(path)), device);
  } catch (error) {
    throw new SettingError(`--load ${path}: ${messageOf(error)}`, { cause: error });
  }
}

async function train(line: GptCommandLine, device: Device): Promise<void> {
  const { settings } = line;
  const text = readMobyDick();
  const vocabulary = Vocabulary.of(text);
  const corpus = splitText(vocabulary.encode(text));
  const config = { ...line.config, vocabulary: vocabulary.size };
  const writer = new Writer({ config, settings, corpus, device });
  const { model } = writer;
  say(
    `Training ${parameterCount(model).toLocaleString('en')} numbers on ${describeDevice(device)}`,
  );
  const bar = createBar(settings.steps);
  const pace = new Pace();
  const losses: number[] = [];
  const tests: { step: number; loss: number }[] = [];
  const start = performance.now();
  let since = start;
  for await (const report of writer.train()) {
    const now = performance.now();
    if (report.kind === 'steps') {
      losses.push(...report.losses);
      pace.add(report.losses.length, (now - since) / 1000);
      const left = formatDuration(pace.secondsFor(settings.steps - report.step) ?? 0);
      bar?.update(report.step, { loss: formatLoss(report.losses.at(-1) ?? NaN), left });
    } else {
      tests.push({ step: report.step, loss: report.loss });
      const written = await textOf({ model, vocabulary }, { ...line, length: 80 }, device, null);
      const words = `step ${report.step}: held-out loss ${formatLoss(report.loss)}  ${JSON.stringify(written)}`;
      // Above the bar, which is drawn anew.
      say(bar ? `\r\x1b[K${words}` : words);
    }
    since = performance.now();
  }
  bar?.stop();
  const seconds = (performance.now() - start) / 1000;
  if (line.save !== null) await writeFile(line.save, await saveModel({ model, vocabulary }));
  const heldOutLoss = tests.at(-1)?.loss ?? NaN;
  const { dispatches, submits, buffersCreated } = device.stats();
  if (line.json) {
    const { type, name } = device;
    const counts = { dispatches, submits, buffersCreated };
    const figures = { heldOutLoss, losses, tests, seconds, counts };
    console.log(JSON.stringify({ device: { type, name }, config, settings, ...figures }));
  } else {
    await textOf({ model, vocabulary }, line, device, process.stdout);
    console.log(
      `\n\nHeld-out loss ${formatLoss(heldOutLoss)} after ${settings.steps} steps in ${seconds.toFixed(1)} s (${formatRate(settings.steps / seconds)} steps/s)`,
    );
  }
  writer.dispose();
}

/** What the model writes on from the prompt, and both as they come on a stream. */
async function textOf(
  { model, vocabulary }: Written,
  { prompt, length: count, temperature, topK, settings }: GptCommandLine,
  device: Device,
  stream: NodeJS.WritableStream | null,
): Promise<string> {
  const tokens = vocabulary.encode(prompt);
  stream?.write(prompt);
  let text = '';
  const options = { count, temperature, topK, random: generator(settings.seed) };
  for await (const token of sample(model, device, tokens, options)) {
    const character = vocabulary.decode([token]);
    text += character;
    stream?.write(character);
  }
  return text;
}

/** A progress bar, where there is a terminal to draw it on. */
function createBar(total: number): SingleBar | undefined {
  if (!process.stderr.isTTY) return undefined;
  const bar = new SingleBar({
    format: '{bar} {percentage} %  step {value}/{total}  loss {loss}  {left} left',
    stream: process.stderr,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 28,
    hideCursor: true,
  });
  bar.start(total, 0, { loss: '–', left: '–' });
  return bar;
}

try {
  await main();
} catch (error) {
  // what the caller can repair needs a message, not a stack
  if (error instanceof SettingError) console.error(`${messageOf(error)}\nTry --help.`);
  else console.error(error instanceof DeviceUnavailableError ? messageOf(error) : error);
  process.exitCode = error instanceof SettingError ? 2 : 1;
}
