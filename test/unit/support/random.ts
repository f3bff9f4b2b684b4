/** A generator of numbers from 0 up to, not including, 1 that gives the same ones in each run (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Always the same number. */
export function always(value: number): () => number {
  return () => value;
}

/** The largest number below 1. */
export const ALMOST_ONE = 1 - 2 ** -53;
