// In: phases and reports of a run. Out: buttons, progress, figures and the epoch table on the page.
import { byId } from './dom.ts';
import { formatDuration, formatLoss, formatPercent, formatRate } from './format.ts';
import { Pace } from './pace.ts';
import type { Phase } from './session.ts';
import type { EpochReport, Report, Trainer } from './trainer.ts';

const STATUS: Readonly<Record<Phase, string>> = {
  idle: 'Not started',
  running: 'Training',
  paused: 'Paused',
  done: 'Finished',
  stopped: 'Stopped',
  failed: 'Stopped by an error',
};

/** The state of the run section. */
export class View {
  readonly #app = byId('app', HTMLElement);
  readonly #fields = byId('fields', HTMLFieldSetElement);
  readonly #train = byId('train', HTMLButtonElement);
  readonly #pause = byId('pause', HTMLButtonElement);
  readonly #stop = byId('stop', HTMLButtonElement);
  readonly #reset = byId('reset', HTMLButtonElement);
  readonly #progress = byId('progress', HTMLProgressElement);
  readonly #progressText = byId('progress-text', HTMLElement);
  readonly #timeLeft = byId('time-left', HTMLElement);
  readonly #announcement = byId('announcement', HTMLElement);
  readonly #rows = byId('epoch-rows', HTMLElement);
  #phase: Phase = 'idle';
  #trainer: Trainer | undefined;
  #speed = new Pace();
  #pace = new Pace();
  #step = 0;
  #epoch = 0;
  #seconds = 0;
  #trainingLoss: number | undefined;
  #test: EpochReport | undefined;
  #frame: number | undefined;

  /** Clears the figures, for the run of `trainer` or for none. */
  begin(trainer: Trainer | undefined): void {
    this.#trainer = trainer;
    this.#speed = new Pace();
    this.#pace = new Pace();
    this.#step = this.#epoch = this.#seconds = 0;
    this.#trainingLoss = this.#test = undefined;
    this.#rows.replaceChildren();
    this.#render();
  }

  phase(phase: Phase): void {
    this.#phase = phase;
    const active = phase === 'running' || phase === 'paused';
    this.#fields.disabled = active;
    this.#train.disabled = active;
    this.#pause.disabled = this.#stop.disabled = !active;
    this.#pause.textContent = phase === 'paused' ? 'Resume' : 'Pause';
    this.#reset.disabled = phase === 'idle';
    // a disabled button would keep a keyboard user's focus and do nothing with it
    if (document.activeElement instanceof HTMLButtonElement && document.activeElement.disabled) {
      (active ? this.#pause : this.#train).focus();
    }
    if (phase !== 'idle' && phase !== 'done') this.#announcement.textContent = STATUS[phase];
    this.#render();
    this.#app.dataset.phase = phase;
  }

  /** Nothing can be done while a device is opened. */
  busy(): void {
    this.#app.dataset.phase = 'loading';
    for (const control of [this.#fields, this.#train, this.#pause, this.#stop, this.#reset]) {
      control.disabled = true;
    }
  }

  report(report: Report): void {
    this.#step = report.step;
    this.#epoch = report.epoch;
    this.#seconds += report.seconds;
    if (report.kind === 'steps') {
      this.#trainingLoss = report.score.loss;
      this.#speed.add(report.since, report.seconds);
      this.#pace.add(report.since, report.seconds);
    } else {
      this.#test = report;
      this.#pace.add(0, report.seconds);
      if (report.epoch > 0) this.#endOfEpoch(report);
    }
    this.#frame ??= requestAnimationFrame(() => this.#render());
  }

  #endOfEpoch({ epoch, training, heldOut }: EpochReport): void {
    this.#trainingLoss = training?.loss;
    const row = document.createElement('tr');
    const cells = [
      String(epoch),
      training ? formatLoss(training.loss) : '–',
      formatLoss(heldOut.loss),
      training ? formatPercent(training.accuracy) : '–',
      formatPercent(heldOut.accuracy),
    ];
    cells.forEach((text, i) => {
      const cell = document.createElement(i === 0 ? 'th' : 'td');
      if (i === 0) cell.scope = 'row';
      cell.textContent = text;
      row.append(cell);
    });
    this.#rows.append(row);
    const epochs = this.#trainer?.settings.epochs ?? epoch;
    const finished = epoch === epochs ? ' Finished.' : '';
    this.#announcement.textContent = `Epoch ${epoch} of ${epochs}: held-out accuracy ${formatPercent(heldOut.accuracy)}.${finished}`;
  }

  #render(): void {
    if (this.#frame !== undefined) cancelAnimationFrame(this.#frame);
    this.#frame = undefined;
    const steps = this.#trainer?.steps ?? 0;
    const epochs = this.#trainer?.settings.epochs ?? 0;
    this.#app.dataset.step = String(this.#step);
    this.#progress.value = steps > 0 ? this.#step / steps : 0;
    this.#progressText.textContent =
      steps === 0
        ? STATUS[this.#phase]
        : `${STATUS[this.#phase]}: epoch ${Math.max(1, this.#epoch)} of ${epochs}, step ${this.#step} of ${steps}`;
    this.#timeLeft.textContent = this.#timeWords(steps - this.#step);
    const heldOut = this.#test?.heldOut;
    const when = this.#test
      ? this.#test.epoch > 0
        ? `, epoch ${this.#test.epoch}`
        : ', untrained'
      : '';
    byId('held-out-name', HTMLElement).textContent = `Held-out accuracy${when}`;
    figure('held-out-accuracy', heldOut?.accuracy, formatPercent);
    figure('held-out-loss', heldOut?.loss, formatLoss);
    figure('training-loss', this.#trainingLoss, formatLoss);
    figure('speed', this.#speed.stepsPerSecond, formatRate);
  }

  #timeWords(stepsLeft: number): string {
    if (this.#phase === 'running') {
      const left = this.#pace.secondsFor(stepsLeft);
      return left === undefined ? '' : `about ${formatDuration(left)} left`;
    }
    return this.#phase === 'done' ? `took ${formatDuration(this.#seconds)}` : '';
  }
}

/** A figure with its exact value beside the rounded words. */
function figure(id: string, value: number | undefined, format: (value: number) => string): void {
  const element = byId(id, HTMLElement);
  element.textContent = value === undefined ? '–' : format(value);
  if (value === undefined) delete element.dataset.value;
  else element.dataset.value = String(value);
}
