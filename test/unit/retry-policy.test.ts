import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { InvalidArgumentError } from '../../src/errors.js';
import { type RetryPolicy, retries, standardPolicy } from '../../src/retry-policy.js';

afterEach(() => {
  jest.restoreAllMocks();
});

/** What a policy says after the tries 1, 2, ... */
function pauses(policy: RetryPolicy, tries: number, elapsed = 0): (number | undefined)[] {
  return Array.from({ length: tries }, (_, index) => policy({ attempt: index + 1, elapsed, error: new Error() }));
}

describe('exponential', () => {
  it('has pauses at random, below a bound that doubles up to the longest', () => {
    const random = jest.spyOn(Math, 'random').mockReturnValue(0.999999);
    expect(pauses(retries.exponential(), 9).map((pause) => Math.round(pause ?? NaN))).toEqual([
      50, 100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000,
    ]);
    random.mockReturnValue(0);
    expect(pauses(retries.exponential(), 3)).toEqual([0, 0, 0]);
    random.mockReturnValue(0.5);
    expect(retries.exponential()({ attempt: 1e6, elapsed: 1e9, error: undefined })).toBe(2_500);
  });

  it('ends after so many tries, or so much time', () => {
    expect(pauses(retries.exponential({ attempts: 2 }), 3).map((pause) => pause === undefined)).toEqual([
      false,
      true,
      true,
    ]);
    const timed = retries.exponential({ elapsed: 100 });
    expect(timed({ attempt: 1, elapsed: 99, error: undefined })).toBeDefined();
    expect(timed({ attempt: 1, elapsed: 100, error: undefined })).toBeUndefined();
  });
});

it('times: the same pause, so many tries in all', () => {
  expect(pauses(retries.times(3, 7), 4)).toEqual([7, 7, undefined, undefined]);
  expect(pauses(retries.times(2), 1)).toEqual([1_000]);
});

it('untilElapsed: the same pause, until the time is over', () => {
  const policy = retries.untilElapsed(100, 7);
  expect(pauses(policy, 2, 99)).toEqual([7, 7]);
  expect(pauses(policy, 2, 100)).toEqual([undefined, undefined]);
});

it('none: never again', () => {
  expect(pauses(retries.none, 2)).toEqual([undefined, undefined]);
});

it('the standard one ends after half a minute', () => {
  expect(standardPolicy({ attempt: 1_000, elapsed: 29_999, error: undefined })).toBeDefined();
  expect(standardPolicy({ attempt: 1, elapsed: 30_000, error: undefined })).toBeUndefined();
});

it.each<[string, () => unknown]>([
  ['attempts is 0', () => retries.times(0)],
  ['attempts is NaN', () => retries.exponential({ attempts: NaN })],
  ['attempts is 3', () => retries.exponential({ attempts: '3' as unknown as number })],
  ['elapsed is -1', () => retries.untilElapsed(-1)],
  ['elapsed is 5', () => retries.untilElapsed('5' as unknown as number)],
  ['first is -1', () => retries.exponential({ first: -1 })],
  ['longest is Infinity', () => retries.exponential({ longest: Infinity })],
  ['pause is NaN', () => retries.times(3, NaN)],
  ['pause is -1', () => retries.untilElapsed(3, -1)],
  ['there is no option "atempts"', () => retries.exponential({ atempts: 3 } as object)],
])('refuses at once: %s', (problem, make) => {
  expect(make).toThrow(InvalidArgumentError);
  expect(make).toThrow(problem);
});
