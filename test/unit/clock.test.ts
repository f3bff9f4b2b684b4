import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { after, afterPendingInput, now } from '../../src/clock.js';
import { type TestClock, useRealClock, useTestClock } from './support/clock.js';

let clock: TestClock;

beforeEach(() => {
  clock = useTestClock();
});
afterEach(useRealClock);

it('goes forward only, whatever the time of day does', () => {
  useRealClock();
  jest.useFakeTimers({ doNotFake: ['performance'], now: 0 });
  const before = now();
  jest.setSystemTime(-86_400_000);
  expect(now()).toBeGreaterThanOrEqual(before);
  expect(now() - before).toBeLessThan(10_000);
});

describe('a timer', () => {
  it('runs once, after its time', async () => {
    const run = jest.fn();
    after(100, run);
    await clock.advance(99);
    expect(run).not.toHaveBeenCalled();
    await clock.advance(1_000);
    expect(run).toHaveBeenCalledTimes(1);
  });

  it('that is cancelled does not run', async () => {
    const run = jest.fn();
    after(100, run).cancel();
    await clock.advance(1_000);
    expect(run).not.toHaveBeenCalled();
    expect(clock.timers).toBe(0);
  });

  it('of a time that has passed runs on the next turn', async () => {
    const run = jest.fn();
    after(-5, run);
    expect(run).not.toHaveBeenCalled();
    await clock.advance(1);
    expect(run).toHaveBeenCalledTimes(1);
  });

  it.each([2 ** 31, Infinity])('of %d ms, more than Node takes, does not run at once', async (milliseconds) => {
    const run = jest.fn();
    after(milliseconds, run);
    await clock.advance(1_000_000);
    expect(run).not.toHaveBeenCalled();
  });
});

describe('what waits for pending input', () => {
  it('runs after everything that an immediate could still bring', async () => {
    const order: string[] = [];
    afterPendingInput(() => order.push('late'));
    setImmediate(() => order.push('input'));
    await immediates(3);
    expect(order).toEqual(['input', 'late']);
  });

  it.each([0, 1])('can be cancelled %d turns later', async (turns) => {
    const run = jest.fn();
    const timer = afterPendingInput(run);
    await immediates(turns);
    timer.cancel();
    await immediates(4);
    expect(run).not.toHaveBeenCalled();
  });
});

async function immediates(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}
