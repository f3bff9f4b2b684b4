import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ProcessHold } from '../../../src/session/process-hold.js';
import { type TestClock, useRealClock, useTestClock } from '../support/clock.js';

let clock: TestClock;
let hold: ProcessHold;

beforeEach(() => {
  clock = useTestClock();
  hold = new ProcessHold();
});
afterEach(useRealClock);

describe('the process', () => {
  it('is held by one timer while somebody waits', () => {
    hold.take();
    hold.take();
    expect(clock.timers).toBe(1);
    hold.give();
    expect(clock.timers).toBe(1);
    hold.give();
    expect(clock.timers).toBe(0);
    hold.take();
    expect(clock.timers).toBe(1);
    hold.give();
  });

  it('is held by a timer that keeps it', () => {
    const timers = jest.spyOn(globalThis, 'setTimeout');
    timers.mockClear();
    hold.take();
    expect((timers.mock.results[0]?.value as NodeJS.Timeout).hasRef()).toBe(true);
    hold.give();
  });

  it('is held for longer than any timer of Node', async () => {
    hold.take();
    await clock.advance(2 ** 31);
    expect(clock.timers).toBe(1);
    hold.give();
    expect(clock.timers).toBe(0);
  });
});

describe('during a wait', () => {
  it('is held until the outcome is there, which is handed on', () => {
    const settle = jest.fn();
    const settled = hold.during(settle);
    expect(clock.timers).toBe(1);
    settled('done');
    expect(settle.mock.calls).toEqual([['done']]);
    expect(clock.timers).toBe(0);
  });

  it('is let go once, also where the outcome comes twice', () => {
    hold.take();
    const settled = hold.during(() => undefined);
    settled(1);
    settled(2);
    expect(clock.timers).toBe(1);
    hold.give();
    expect(clock.timers).toBe(0);
  });
});
