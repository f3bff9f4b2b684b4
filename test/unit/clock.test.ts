import os from 'node:os';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { after, afterPendingInput, now } from '../../src/clock.js';
import type * as Clock from '../../src/clock.js';
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

describe('a machine that sleeps', () => {
  /** The three clocks, milliseconds; on Linux the monotonic one stands still in a sleep. */
  const clocks = { monotonic: 5_000, wall: 1e12, boot: 90_000_000 };
  const platform = Object.getOwnPropertyDescriptor(process, 'platform') ?? {};
  let asked = 0;

  afterEach(() => {
    Object.defineProperty(process, 'platform', platform);
  });
  beforeEach(() => {
    useRealClock();
    Object.assign(clocks, { monotonic: 5_000, wall: 1e12, boot: 90_000_000 });
    asked = 0;
    Object.defineProperty(process, 'platform', { ...platform, value: 'linux' });
    jest.spyOn(performance, 'now').mockImplementation(() => clocks.monotonic);
    jest.spyOn(Date, 'now').mockImplementation(() => clocks.wall);
    jest.spyOn(os, 'uptime').mockImplementation(() => {
      asked++;
      return clocks.boot / 1_000;
    });
  });

  /** The module with clocks that have just begun. */
  async function fresh(): Promise<typeof Clock> {
    jest.resetModules();
    return import('../../src/clock.js');
  }

  function pass(milliseconds: number, names: readonly (keyof typeof clocks)[]): void {
    for (const name of names) clocks[name] += milliseconds;
  }

  it('has slept as long as it says, once that is noticed', async () => {
    const { now: time, noticeSleep } = await fresh();
    pass(3_600_000, ['wall', 'boot']);
    noticeSleep();
    expect(time()).toBe(5_000 + 3_600_000);
    pass(1_000, ['monotonic', 'wall', 'boot']);
    noticeSleep();
    expect(time()).toBe(6_000 + 3_600_000);
    pass(200, ['wall', 'boot']);
    noticeSleep();
    expect(time()).toBe(6_200 + 3_600_000);
  });

  it.each([3_600_000, -3_600_000])('is told from a time of day that is set by %d ms', async (change) => {
    const { now: time, noticeSleep } = await fresh();
    pass(change, ['wall']);
    noticeSleep();
    expect(time()).toBe(5_000);
  });

  it('costs a look at the time since the start only where the time of day has leapt', async () => {
    const { noticeSleep } = await fresh();
    const before = asked;
    for (let look = 0; look < 10; look++) {
      pass(1_000, ['monotonic', 'wall', 'boot']);
      noticeSleep();
    }
    expect(asked).toBe(before);
  });

  it('never turns back, whatever the other clocks do', async () => {
    const { now: time, noticeSleep } = await fresh();
    pass(10_000, ['wall', 'boot']);
    noticeSleep();
    pass(-8_000, ['wall', 'boot']);
    noticeSleep();
    expect(time()).toBe(15_000);
  });

  it('has lost what it held, at its first look', async () => {
    const { now: time } = await fresh();
    const { Deadline } = await import('../../src/session/deadline.js');
    const lost = jest.fn();
    const deadline = new Deadline(lost);
    deadline.grant(10_000, time());
    const lease = deadline.lease({});
    expect([lease.held, deadline.remaining]).toEqual([true, 10_000]);
    pass(11_000, ['wall', 'boot']);
    expect([deadline.remaining, lease.held]).toEqual([-1_000, false]);
    expect(lost).toHaveBeenCalledTimes(1);
    deadline.end('the test is over');
  });
});
