import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Histogram } from '../../../src/metrics/histogram.js';

function histogramOf(times: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const time of times) histogram.record(time);
  return histogram;
}

/** The time at the place of a quantile, by sorting. */
function exact(times: readonly number[], quantile: number): number {
  return [...times].sort((a, b) => a - b)[Math.max(0, Math.ceil(times.length * quantile) - 1)] ?? 0;
}

/** Milliseconds, from a microsecond to half an hour, as many short ones as long ones. */
const times = fc
  .array(fc.double({ min: Math.log(0.001), max: Math.log(1_800_000), noNaN: true }), { minLength: 1, maxLength: 300 })
  .map((logarithms) => logarithms.map((each) => Math.exp(each)));

describe('a histogram', () => {
  it('gives percentiles that are wrong by 1.6 % or half a microsecond at most', () => {
    fc.assert(
      fc.property(times, (given) => {
        const { p50, p95, p99 } = histogramOf(given).snapshot();
        for (const [found, quantile] of [
          [p50, 0.5],
          [p95, 0.95],
          [p99, 0.99],
        ] as const) {
          const wanted = exact(given, quantile);
          // A recorded time is cut to whole microseconds, which is within the half on either side of their middle.
          expect(Math.abs(found - wanted)).toBeLessThanOrEqual(Math.max(wanted / 64, 0.000_5) + 1e-9);
        }
      }),
    );
  });

  it('has count, sum, mean and the longest time exactly', () => {
    fc.assert(
      fc.property(times, (given) => {
        const { count, sum, mean, max } = histogramOf(given).snapshot();
        const total = given.reduce((all, each) => all + each, 0);
        expect([count, max]).toEqual([given.length, Math.max(...given)]);
        expect(sum).toBeCloseTo(total, 3);
        expect(mean).toBeCloseTo(total / given.length, 3);
      }),
    );
  });

  it('counts in growing buckets, the last of which has all', () => {
    const { buckets } = histogramOf([0.1, 0.4, 0.4, 7, 700, 70_000]).snapshot();
    const counts = Object.fromEntries(buckets.map(({ le, count }) => [String(le), count]));
    expect(counts).toMatchObject({ 0.25: 1, 0.5: 3, 1: 3, 5: 3, 10: 4, 500: 4, 1000: 5, 10000: 5, null: 6 });
  });

  it('takes what another one has taken, as if it had taken that itself', () => {
    const all = histogramOf([1, 2]);
    all.add(histogramOf([3, 4]));
    expect(all.snapshot()).toEqual(histogramOf([1, 2, 3, 4]).snapshot());
  });

  it('has zeros, and no NaN, where nothing was taken', () => {
    expect(new Histogram().snapshot()).toMatchObject({ count: 0, sum: 0, mean: 0, max: 0, p50: 0, p95: 0, p99: 0 });
  });

  it('takes any number: below 0 as 0, above 36 minutes as that', () => {
    const { count, p50, p99, max } = histogramOf([-5, 0, 1e12]).snapshot();
    expect([count, max]).toEqual([3, 1e12]);
    expect(p50).toBeLessThan(0.001);
    expect(p99).toBeGreaterThan(2_000_000);
  });
});
