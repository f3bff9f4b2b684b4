import os from 'node:os';
import { jest } from '@jest/globals';

/** The time of a test: it stands still until it is moved. */
export interface TestClock {
  /** Moves on, and runs the timers that come due on the way. */
  advance(milliseconds: number): Promise<void>;
  /** Moves on without running any timer, as for a process that was stopped. */
  freeze(milliseconds: number): void;
  /** Timers that are waiting. */
  readonly timers: number;
}

/** Takes the place of timers and of `performance.now()` until `jest.useRealTimers()`. Promises and ticks stay real. */
export function useTestClock(): TestClock {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'performance', 'setImmediate', 'clearImmediate'] });
  const start = Date.now();
  let frozen = 0;
  jest.spyOn(performance, 'now').mockImplementation(() => Date.now() - start + frozen);
  // A machine that has just started has not slept.
  jest.spyOn(os, 'uptime').mockReturnValue(0);
  return {
    advance: (milliseconds) => jest.advanceTimersByTimeAsync(milliseconds),
    freeze: (milliseconds) => {
      frozen += milliseconds;
    },
    get timers() {
      return jest.getTimerCount();
    },
  };
}

/** Gives the time back. */
export function useRealClock(): void {
  jest.restoreAllMocks();
  jest.useRealTimers();
}
