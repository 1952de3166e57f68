/** Ops that make other pipelines for nearly each of their many golden cases: `npm test` takes a part of these. */
export const MANY_PIPELINES: readonly string[] = ['cross_entropy', 'focal_loss', 'nll_loss'];
