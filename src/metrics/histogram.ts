import type { LatencyMetrics } from './snapshot.js';

/** Sub-buckets of each power of two, as a power of two: 32. */
const PRECISION = 5;
const SUB_BUCKETS = 1 << PRECISION;
/** The longest time that is told apart, microseconds: about 36 minutes. Longer ones count as this one. */
const LONGEST = 2 ** 31 - 1;
const BUCKETS = bucketOf(LONGEST) + 1;

/** Upper bounds of the cumulative buckets in a snapshot, milliseconds. */
const BOUNDS = [0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000] as const;

/**
 * How long things took, in buckets that grow with what they hold, as in HdrHistogram: microseconds up to 32 have a
 * bucket each, and from there each power of two is cut into 32. So a bucket is at most 1/32 as wide as its lower end,
 * and its middle is wrong by 1/64 (1.6 %) or half a microsecond at most. Memory is fixed, about 7 KiB, and recording
 * allocates nothing.
 */
export class Histogram {
  readonly #counts = new Float64Array(BUCKETS);
  #sum = 0;
  #longest = 0;

  /** Takes a time, milliseconds. */
  record(milliseconds: number): void {
    const microseconds = milliseconds * 1_000;
    const value = microseconds < LONGEST ? (microseconds > 0 ? microseconds | 0 : 0) : LONGEST;
    const bucket = bucketOf(value);
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1;
    this.#sum += milliseconds;
    if (milliseconds > this.#longest) this.#longest = milliseconds;
  }

  /** How many times were taken. */
  get count(): number {
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }

  /** Takes everything that another one has taken. */
  add(other: Histogram): void {
    other.#counts.forEach((count, bucket) => {
      this.#counts[bucket] = (this.#counts[bucket] ?? 0) + count;
    });
    this.#sum += other.#sum;
    this.#longest = Math.max(this.#longest, other.#longest);
  }

  snapshot(): LatencyMetrics {
    const { count } = this;
    return {
      count,
      sum: this.#sum,
      mean: count === 0 ? 0 : this.#sum / count,
      max: this.#longest,
      p50: this.#quantile(Math.ceil(count * 0.5)),
      p95: this.#quantile(Math.ceil(count * 0.95)),
      p99: this.#quantile(Math.ceil(count * 0.99)),
      buckets: this.#cumulative(count),
    };
  }

  /** The time at this place, from 1, of all those taken in order of their length; milliseconds. */
  #quantile(rank: number): number {
    let seen = 0;
    for (let bucket = 0; bucket < BUCKETS && rank > 0; bucket++) {
      seen += this.#counts[bucket] ?? 0;
      if (seen >= rank) return Math.min(middleOf(bucket) / 1_000, this.#longest);
    }
    return 0;
  }

  #cumulative(total: number): LatencyMetrics['buckets'] {
    let bucket = 0;
    let count = 0;
    const buckets = BOUNDS.map((le): { le: number | null; count: number } => {
      for (; bucket < BUCKETS && middleOf(bucket) <= le * 1_000; bucket++) count += this.#counts[bucket] ?? 0;
      return { le, count };
    });
    return [...buckets, { le: null, count: total }];
  }
}

/** The bucket of a whole number of microseconds from 0 to {@link LONGEST}. */
function bucketOf(value: number): number {
  if (value < SUB_BUCKETS) return value;
  // The leading bit says which power of two, the PRECISION bits behind it which part of it.
  const shift = 31 - Math.clz32(value) - PRECISION;
  return ((shift + 1) << PRECISION) + ((value >>> shift) & (SUB_BUCKETS - 1));
}

/** The middle of what a bucket holds, microseconds. */
function middleOf(bucket: number): number {
  if (bucket < SUB_BUCKETS) return bucket + 0.5;
  const shift = (bucket >>> PRECISION) - 1;
  return (SUB_BUCKETS + (bucket & (SUB_BUCKETS - 1)) + 0.5) * 2 ** shift;
}
