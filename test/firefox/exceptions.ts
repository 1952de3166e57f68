// Checks that do not hold in Firefox, each with the reason: the one place.

/** Mesa's compiler folds what is not hidden from it; all of these are to be mended in the kernels. */
const FOLDED =
  "not mended yet: Mesa's compiler takes (a + b) - a for b, and (a + Inf) - Inf for a, as WGSL lets it";

/** Reasons by `group: name`. */
export const exceptions: Readonly<Record<string, string>> = Object.fromEntries(
  ['matmul', 'multiMarginLoss', 'multilabelMarginLoss', 'sigmoidFocalLoss', 'sparsemax', 'swiglu']
    // of the hostile list
    .map((op) => [`hostile ${op}, hardware: ${op}`, FOLDED]),
);
