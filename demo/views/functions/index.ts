// Takes an empty element, the lab, and gives the view of all activations.
import '../../styles/pictures.css';
import { html } from 'lit-html';
import formulas from 'virtual:formulas/functions';
import type { CardOp } from '../../lab/card.ts';
import { Catalogue } from '../../lab/catalogue.ts';
import { places } from '../../lab/curve.ts';
import { findFunctions, type FunctionOp } from '../../lab/functions.ts';
import { describeValues } from '../../lab/options.ts';
import type { Mount } from '../../shell/lab.ts';
import { clipped, CurvePicture, curveOf, pictureOptions, POINTS, REACH } from './curve-picture.ts';
import { ROW_OPTIONS, RowPicture } from './row-picture.ts';

export const mount: Mount = async (host, lab) =>
  new Catalogue(host, lab, {
    view: 'functions',
    intro: html`<h1>Activation functions</h1>
      <p class="lead">
        Every activation of nonlin and its gradient, computed on your device. Move the sliders to
        change options, compare up to four activations, and copy the code.
      </p>`,
    noun: 'functions',
    placeholder: 'Search: gelu, dead units, Hinton…',
    groups: ['Elementwise', 'Gated', 'Row-wise'],
    ops: (await findFunctions()).map(cardOf),
    captions: ['f(x)', 'f′(x)'],
    plot: { yRange: clipped },
    comparedAtFirst: ['relu', 'gelu', 'silu'],
    exhibits: [],
  });

function cardOf(op: FunctionOp): CardOp {
  if (op.group === 'Row-wise') {
    const options = [...ROW_OPTIONS, ...op.options];
    return { ...op, formulas, options, picture: (host, set) => new RowPicture(host, op, set) };
  }
  const x = places(-REACH, REACH, POINTS);
  const options = [...pictureOptions(op), ...op.options];
  return {
    ...op,
    formulas,
    options,
    picture: (host) => new CurvePicture(host, op),
    compared: (values) => ({
      name: op.op,
      note: describeValues(options, values),
      curve: async (device) => ({ x, ...(await curveOf(op, values, x, device)) }),
    }),
  };
}
