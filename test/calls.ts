// Takes the families of ops in test/calls, and gives every op under test, and its calls. Adding a family adds a line here.
import type fc from 'fast-check';
import { catalog } from '../src/catalog.ts';
import { activationFamily, preluFamily, rreluFamily } from './calls/activations.ts';
import { attentionFamily } from './calls/attention.ts';
import type { Call } from './calls/call.ts';
import { shapes, type Drawn, type Values } from './calls/draw.ts';
import { boxLossFamily } from './calls/box-losses.ts';
import { channelNormFamily } from './calls/channel-norms.ts';
import * as contrastive from './calls/contrastive.ts';
import { ctcFamily } from './calls/ctc.ts';
import * as distanceLosses from './calls/distance-losses.ts';
import { distillationFamily } from './calls/distillation.ts';
import * as embeddings from './calls/embeddings.ts';
import type { Family } from './calls/family.ts';
import { linearCrossEntropyFamily } from './calls/linear-cross-entropy.ts';
import { classLossFamily, lossFamily } from './calls/losses.ts';
import { pointwiseLossFamily } from './calls/pointwise-losses.ts';
import { preferenceLossFamily } from './calls/preference-losses.ts';
import { regressionLossFamily } from './calls/regression-losses.ts';
import { adaptiveFamily, marginLossFamily } from './calls/margin-losses.ts';
import { regionLossFamily } from './calls/region-losses.ts';
import * as math from './calls/math.ts';
import { localResponseFamily } from './calls/local-response.ts';
import { normalizeFamily } from './calls/normalize.ts';
import * as rowLosses from './calls/row-losses.ts';
import * as rows from './calls/rows.ts';
import * as tensorOps from './calls/tensor-ops.ts';

export * from './calls/call.ts';
export type { Values } from './calls/draw.ts';
export { randomNumbers, requiredOptions, shapes, upstreamOf } from './calls/draw.ts';
export { elementwise } from './calls/activations.ts';

const tensorFamilies = Object.values(tensorOps).filter((value) => 'ops' in value);

const families: readonly Family[] = [
  activationFamily,
  rreluFamily,
  preluFamily,
  ...Object.values(rows),
  ...Object.values(embeddings),
  attentionFamily,
  channelNormFamily,
  normalizeFamily,
  localResponseFamily,
  lossFamily,
  classLossFamily,
  pointwiseLossFamily,
  regressionLossFamily,
  preferenceLossFamily,
  boxLossFamily,
  ...Object.values(rowLosses),
  marginLossFamily,
  adaptiveFamily,
  regionLossFamily,
  ...Object.values(distanceLosses),
  ctcFamily,
  linearCrossEntropyFamily,
  distillationFamily,
  ...Object.values(contrastive),
  ...Object.values(math),
  ...tensorFamilies,
];

/** Ops that are not in the catalog. */
const SUPPORT = [
  ...Object.values(math).flatMap(({ ops }) => ops),
  ...tensorFamilies.flatMap(({ ops }) => ops),
  ...distanceLosses.pairwiseFamily.ops,
  ...distanceLosses.cosineFamily.ops,
];

/** Every op under test. */
export const opNames: readonly string[] = [...catalog.map(({ op }) => op), ...SUPPORT];

export function familyOf(op: string): Family {
  const family = families.find(({ ops }) => ops.includes(op));
  if (!family) throw new Error(`no calls are known of ${op}: add a family to test/calls`);
  return family;
}

/** Valid calls of an op; of [rows, columns], or shapes made of them, where such shapes are drawn. */
export function callsOf(
  op: string,
  kind: Values = 'any',
  drawn: Drawn = shapes,
): fc.Arbitrary<Call> {
  return familyOf(op).draw(op, kind, drawn);
}
