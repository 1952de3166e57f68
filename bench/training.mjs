// @ts-check
// In: what of training and attention is to be measured. Out: its measurements, from the pages that take them.
import { withPage } from './pages.mjs';

/**
 * @typedef {import('./page/training/types.ts').AttentionRequest} AttentionRequest
 * @typedef {import('./page/training/types.ts').AttentionResult} AttentionResult
 * @typedef {import('./page/training/types.ts').Lesson} Lesson
 * @typedef {import('./page/training/types.ts').StepCounts} StepCounts
 * @typedef {import('./page/training/types.ts').TrainedModel} TrainedModel
 * @typedef {import('./page/training/types.ts').TrainingRequest} TrainingRequest
 * @typedef {import('./page/training/types.ts').TrainingResult} TrainingResult
 */

/**
 * Losses and times of all libraries side by side in one page, then what each asks of WebGPU in a page of its own.
 * @param {string} url
 * @param {TrainingRequest} request
 * @param {Lesson} lesson
 * @param {{ cpuTime: boolean }} options
 * @returns {Promise<TrainingResult>}
 */
export async function trainingOf(url, request, lesson, options) {
  const { name, model, steps, rounds } = request;
  const { trained, failures } = await withPage(
    url,
    (page) =>
      page.evaluate((bench, { request: one, lesson: own }) => bench.training(one, own), {
        request,
        lesson,
      }),
    options,
  );
  /** @type {StepCounts[]} */
  const counts = [];
  /** @type {string[]} */
  const faults = [];
  for (const { library } of trained) {
    const counted = await withPage(url, (page) =>
      page.evaluate(
        (bench, { library: one, model: own, lesson: data }) => bench.stepCounts(one, own, data),
        { library, model, lesson },
      ),
    );
    counts.push(counted.counts);
    faults.push(...counted.faults.map((fault) => `${library}: ${fault}`));
  }
  const all = [...failures, ...faults].map((fault) => `${name}: ${fault}`);
  return { name, model, steps, rounds, trained, counts, failures: all };
}

/**
 * @param {string} url
 * @param {AttentionRequest} request
 * @param {{ cpuTime: boolean }} options
 * @returns {Promise<AttentionResult>}
 */
export async function attentionOf(url, request, options) {
  const times =
    request.rounds === 0
      ? { forward: null, both: null, failures: [] }
      : await withPage(
          url,
          (page) => page.evaluate((bench, one) => bench.attention(one), request),
          options,
        );
  const { memory, failures } = await withPage(url, (page) =>
    page.evaluate((bench, one) => bench.attentionMemory(one), request),
  );
  return { ...request, ...times, memory, failures: [...times.failures, ...failures] };
}
