import fc from 'fast-check';

// A failing property prints its seed; STAFFETTA_SEED=<seed> runs every property with it again.
const { STAFFETTA_SEED } = process.env;
if (STAFFETTA_SEED) {
  const seed = Number(STAFFETTA_SEED);
  if (!Number.isInteger(seed)) throw new Error(`STAFFETTA_SEED is ${STAFFETTA_SEED}, expected a whole number`);
  fc.configureGlobal({ seed });
}
