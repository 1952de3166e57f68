// Takes a loss with its form, and gives the loss and its gradient over the moving number.
import type { Device } from 'nonlin';
import type { Picture } from '../../lab/card.ts';
import { places } from '../../lab/curve.ts';
import { lossCurve, type LossOp } from '../../lab/losses.ts';
import type { Values } from '../../lab/options.ts';
import { framedWithin, keys, Plot } from '../../lab/plot.ts';

export const POINTS = 301;

/** Losses rise without end: their foot is what there is to see. */
export const shown = framedWithin(8);

export class LossPicture implements Picture {
  readonly #loss: LossOp;
  readonly #plot: Plot;

  constructor(host: HTMLElement, loss: LossOp) {
    this.#loss = loss;
    host.className = 'picture';
    const frame = document.createElement('div');
    const axis = document.createElement('p');
    axis.className = 'axis-name';
    axis.textContent = loss.form.axis;
    const readout = keys(['c1', 'loss'], ['c2 dashed', 'gradient']);
    host.append(frame, axis, readout.element);
    this.#plot = new Plot(frame, { yRange: shown, readout: readout.show });
  }

  async draw(device: Device, values: Values): Promise<void> {
    const { op, form } = this.#loss;
    const x = places(...form.range, POINTS);
    const curve = await lossCurve(this.#loss, values, x, device);
    const at = [0.1, 0.5, 0.9].map((share) => {
      const i = Math.round(share * (POINTS - 1));
      const [place, value] = [x[i] ?? NaN, curve.loss[i] ?? NaN];
      return `${value.toPrecision(3)} at ${place.toPrecision(2)}`;
    });
    this.#plot.show(
      {
        x,
        series: [
          { label: 'gradient', y: curve.gradient, colour: '--c2', dashed: true, width: 1.5 },
          { label: 'loss', y: curve.loss, colour: '--c1', width: 2.5 },
        ],
      },
      `${op} and its gradient over the ${form.axis}: loss ${at.join(', ')}`,
    );
  }

  dispose(): void {
    this.#plot.dispose();
  }
}
