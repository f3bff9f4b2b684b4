import { expect, it } from '@jest/globals';
import { Rate } from '../../../src/metrics/rate.js';

/** A rate that saw a counter grow by `step` at each of the times. */
function rateOf(step: number, times: readonly number[]): { rate: Rate; total: number } {
  const rate = new Rate(0);
  let total = 0;
  for (const time of times) {
    if (rate.isDue(time)) rate.sample(time, total);
    total += step;
  }
  return { rate, total };
}

it('is the growth a second over the last ten seconds', () => {
  const times = Array.from({ length: 600 }, (_, index) => index * 100);
  const { rate, total } = rateOf(50, times);
  // Samples lie a second apart, so up to a tenth of the window may be missed.
  expect(rate.perSecond(60_000, total)).toBeGreaterThanOrEqual(450);
  expect(rate.perSecond(60_000, total)).toBeLessThanOrEqual(500);
});

it('is taken since the start while that is not ten seconds ago', () => {
  const { rate, total } = rateOf(50, [0, 100, 200, 1_000, 2_000, 3_000]);
  expect(rate.perSecond(4_000, total)).toBe(75);
});

it('falls to 0 when nothing happens any more, and a burst counts once', () => {
  const { rate, total } = rateOf(1_000, [0, 100_000]);
  expect(rate.perSecond(100_500, total)).toBe(100);
  expect(rate.perSecond(109_000, total)).toBe(100);
  expect(rate.perSecond(111_000, total)).toBe(0);
});

it('is 0 before anything has happened', () => {
  expect(new Rate(0).perSecond(0, 0)).toBe(0);
});
