// From the rounds of a client to the figures that are shown: medians, and how far the rounds were apart.

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Four digits are enough for everybody. */
export const rounded = (value) => (value === undefined ? undefined : Number(value.toPrecision(4)));

/** The middle of the rounds; undefined where they do not have it. */
const middle = (rounds, of) => {
  const values = rounds.map(of).filter((value) => value !== undefined && !Number.isNaN(value));
  return values.length === 0 ? undefined : rounded(median(values));
};

export function summarize(rounds) {
  const rates = rounds.map(({ operations, seconds }) => operations / seconds);
  return {
    /** Operations a second. */
    rate: rounded(median(rates)),
    least: rounded(Math.min(...rates)),
    most: rounded(Math.max(...rates)),
    /** Microseconds of the client's processor time, user and system, an operation. */
    cpu: middle(rounds, ({ cpu, operations }) => cpu / operations),
    /** Microseconds. */
    p50: middle(rounds, ({ p50 }) => p50),
    p99: middle(rounds, ({ p99 }) => p99),
    /** Bytes allocated on the heap, an operation. */
    heap: middle(rounds, ({ heapBytes, operations }) => (heapBytes === undefined ? undefined : heapBytes / operations)),
    /** Part of the time that was spent in garbage collections. */
    collecting: middle(rounds, ({ collecting, seconds }) =>
      collecting === undefined ? undefined : collecting / 1e6 / seconds,
    ),
  };
}
