// Takes the losses of logits and a class, and gives what each makes of the probability of the true class: weighted,
// smoothed, focal.
import { html, render } from 'lit-html';
import { scope, tensor, type Device } from 'nonlin';
import type { Exhibit } from '../../lab/catalogue.ts';
import { optionControls } from '../../lab/option-controls.ts';
import { Comparison, type CurveAndSlope } from '../../lab/comparison.ts';
import { places } from '../../lab/curve.ts';
import type { LossFunction, LossOp } from '../../lab/losses.ts';
import { numberOption, type Value, type Values } from '../../lab/options.ts';

const POINTS = 199;
const OPTIONS = [
  { name: 'weight', value: 2, min: 0, max: 4, step: 0.1 },
  { name: 'labelSmoothing', value: 0.1, min: 0, max: 0.5, step: 0.01 },
  numberOption('gamma', 2, { min: 0 }),
];

export class ClassificationExhibit implements Exhibit {
  readonly element = document.createElement('section');
  readonly #controls = document.createElement('div');
  readonly #comparison: Comparison;
  readonly #find: (op: string) => LossFunction | undefined;
  #values: Values = Object.fromEntries(OPTIONS.map(({ name, value }) => [name, value]));

  constructor(losses: readonly LossOp[], failed: (error: unknown) => void) {
    this.#find = (op) => losses.find((loss) => loss.op === op)?.call;
    const plots = document.createElement('div');
    this.element.className = 'exhibit classification panel';
    this.element.append(plots, this.#controls);
    this.#comparison = new Comparison(plots, {
      title: 'What a confident mistake costs',
      captions: ['Loss', 'Gradient with respect to the logit'],
      plot: { yRange: (least, most) => [Math.max(-2.2, least - 0.1), Math.min(6, most + 0.1)] },
      failed,
    });
    this.element.hidden = !this.#find('crossEntropy');
    this.#update();
  }

  useDevice(device: Device | undefined): void {
    this.#comparison.useDevice(device);
  }

  dispose(): void {
    this.#comparison.dispose();
  }

  #set(name: string, value: Value): void {
    this.#values = { ...this.#values, [name]: value };
    this.#update();
  }

  #update(): void {
    const [crossEntropy, focal] = [this.#find('crossEntropy'), this.#find('focalLoss')];
    const { weight = 1, labelSmoothing = 0, gamma = 0 } = this.#values;
    const over = (call: LossFunction, options: object, weighted = false) => {
      const factor = weighted ? Number(weight) : undefined;
      return (device: Device) => overProbability(call, options, factor, device);
    };
    this.#comparison.show(
      crossEntropy
        ? [
            { name: 'cross-entropy', note: '', curve: over(crossEntropy, {}) },
            { name: 'weighted', note: `× ${weight}`, curve: over(crossEntropy, {}, true) },
            {
              name: 'smoothed',
              note: `by ${labelSmoothing}`,
              curve: over(crossEntropy, { labelSmoothing }),
            },
            ...(focal
              ? [{ name: 'focal', note: `gamma ${gamma}`, curve: over(focal, { gamma }) }]
              : []),
          ]
        : [],
      'probability of the true class (of two classes)',
    );
    render(
      html`<div class="exhibit-options">
        ${optionControls('classification', OPTIONS, this.#values, (name, value) =>
          this.#set(name, value),
        )}
      </div>`,
      this.#controls,
    );
  }
}

/** A loss and its gradient by the true class's logit, of logits [log(p / (1 - p)), 0]. */
async function overProbability(
  call: LossFunction,
  options: object,
  weight: number | undefined,
  device: Device,
): Promise<CurveAndSlope> {
  const x = places(0.005, 0.995, POINTS);
  const { loss, gradient } = scope(() => {
    const values = Float32Array.from({ length: 2 * POINTS }, (_, i) => {
      const p = x[i >> 1] ?? 0.5;
      return i % 2 === 0 ? Math.log(p / (1 - p)) : 0;
    });
    const logits = tensor(values, { shape: [POINTS, 2], device, requiresGrad: true });
    const target = tensor(new Int32Array(POINTS), { dtype: 'int32', device });
    const weights = weight === undefined ? {} : { weight: tensor([weight, 1], { device }) };
    const out = call(logits, target, { ...options, ...weights, reduction: 'none' });
    out.backward(tensor(new Float32Array(POINTS).fill(1), { device }));
    if (!logits.grad) throw new Error('no gradient');
    return { loss: out, gradient: logits.grad };
  });
  try {
    const [y, slopes] = await Promise.all([loss.data(), gradient.data()]);
    return { x, y: Float32Array.from(y), slope: x.map((_, i) => slopes[2 * i] ?? NaN) };
  } finally {
    loss.dispose();
    gradient.dispose();
  }
}
