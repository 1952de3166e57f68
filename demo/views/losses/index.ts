// Takes an empty element, the lab, and gives the view of all losses: two exhibits, comparison, cards.
import '../../styles/pictures.css';
import './losses.css';
import { html } from 'lit-html';
import formulas from 'virtual:formulas/losses';
import type { CardOp } from '../../lab/card.ts';
import { Catalogue } from '../../lab/catalogue.ts';
import { places } from '../../lab/curve.ts';
import { LOSS_GROUPS } from '../../lab/loss-form.ts';
import { findLossOps, lossCurve, type LossOp } from '../../lab/losses.ts';
import { describeValues } from '../../lab/options.ts';
import type { Mount } from '../../shell/lab.ts';
import { ClassificationExhibit } from './classification-exhibit.ts';
import { LossPicture, POINTS, shown } from './loss-picture.ts';
import { OutlierExhibit } from './outlier-exhibit.ts';

export const mount: Mount = async (host, lab) => {
  const losses = await findLossOps();
  const failed = (error: unknown) => lab.report(error);
  return new Catalogue(host, lab, {
    view: 'losses',
    intro: html`<h1>Losses</h1>
      <p class="lead">
        Every loss of nonlin and its gradient, computed on your device: which errors it punishes,
        how strongly it corrects them, and how it reacts to an outlier or a wrong label.
      </p>`,
    noun: 'losses',
    placeholder: 'Search: outliers, imbalance…',
    groups: LOSS_GROUPS,
    ops: losses.map(cardOf),
    captions: ['Loss', 'Gradient'],
    plot: { yRange: shown },
    comparedAtFirst: ['mseLoss', 'l1Loss', 'huberLoss'],
    exhibits: [new OutlierExhibit(losses, failed), new ClassificationExhibit(losses, failed)],
  });
};

function cardOf(op: LossOp): CardOp {
  const { form } = op;
  const x = places(...form.range, POINTS);
  const options = [form.setting, ...op.options];
  return {
    ...op,
    formulas,
    options,
    group: form.group,
    picture: (host) => new LossPicture(host, op),
    compared: (values) => ({
      name: op.op,
      note: describeValues(options, values),
      axis: form.axis,
      curve: async (device) => {
        const curve = await lossCurve(op, values, x, device);
        return { x, y: curve.loss, slope: curve.gradient };
      },
    }),
  };
}
