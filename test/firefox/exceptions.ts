// Checks that do not hold in Firefox, each with the reason: the one place.

/** Mesa's software driver, not Firefox: a loop that should count to 200,000 gives up at 65,534. */
const LOOPS = 'lavapipe ends loops after 65,535 rounds, of all loops of an invocation together';

/** Reasons by `group: name`. */
export const exceptions: Readonly<Record<string, string>> = {
  'hostile entmax15, hardware: entmax15': LOOPS,
  'hostile matmul, hardware: matmul': LOOPS,
  'hostile sparsemax, hardware: sparsemax': LOOPS,
};
