import { uptime } from 'node:os';

/** The longest delay that Node's timers take; a longer one would fire at once. */
const LONGEST_DELAY = 2 ** 31 - 1;

/** A timer that was started by {@link after}. */
export interface Timer {
  /** Stops the timer; does nothing when it has fired or was cancelled. */
  cancel(): void;
}

/** A difference between two clocks that stands for a sleep of the machine, milliseconds. */
const LEAST_SLEEP = 100;

/** How long the machine was asleep, as far as that was noticed, milliseconds. */
let slept = 0;
let wallAhead = Date.now() - performance.now();
const bootAhead = sinceBoot();

/** Milliseconds on a clock that only goes forward and does not know the time of day. */
export function now(): number {
  return performance.now() + slept;
}

/**
 * Sees to it that {@link now} counts the time for which the machine was asleep: the monotonic clock of Linux stands still
 * meanwhile. To be called before it is decided by the clock whether something is over.
 */
export function noticeSleep(): void {
  const ahead = Date.now() - performance.now();
  if (Math.abs(ahead - wallAhead) < LEAST_SLEEP) return;
  // The time of day was set, or the machine has slept: the time since its start tells which.
  wallAhead = ahead;
  const more = sinceBoot() - bootAhead;
  if (more - slept >= LEAST_SLEEP) slept = more;
}

/** By how much the time since the start of the machine is ahead of the monotonic clock; elsewhere both count sleep. */
function sinceBoot(): number {
  return process.platform === 'linux' ? uptime() * 1_000 - performance.now() : 0;
}

/** Calls `run` once, `milliseconds` from now. With `unref` the process does not stay for it. */
export function after(milliseconds: number, run: () => void, unref = false): Timer {
  const handle = setTimeout(run, Math.min(Math.max(milliseconds, 0), LONGEST_DELAY));
  if (unref) handle.unref();
  return { cancel: () => clearTimeout(handle) };
}

/** Calls `run` after everything that the event loop has already received was handled. */
export function afterPendingInput(run: () => void): Timer {
  // One immediate runs after the poll phase that may be under way; the second one after a whole further poll.
  let handle = setImmediate(() => {
    handle = setImmediate(run);
  });
  return { cancel: () => clearImmediate(handle) };
}
