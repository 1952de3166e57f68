// The seed of random tests: the same in each run, so that a run that passed passes again. VITE_FC_SEED draws others.
import fc from 'fast-check';

const given: unknown = import.meta.env.VITE_FC_SEED;
fc.configureGlobal({ seed: typeof given === 'string' ? Number(given) : 20_261_129 });
