/** The longest delay that Node's timers take; a longer one would fire at once. */
const LONGEST_DELAY = 2 ** 31 - 1;

/** A timer that was started by {@link after}. */
export interface Timer {
  /** Stops the timer; does nothing when it has fired or was cancelled. */
  cancel(): void;
}

/** Milliseconds on a clock that only goes forward and does not know the time of day. */
export function now(): number {
  return performance.now();
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
