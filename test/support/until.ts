import { setTimeout as pause } from 'node:timers/promises';

export interface UntilOptions {
  /** What is waited for, for the error: "a leader", "the znode to be gone". */
  readonly what: string;
  /** ms; default 10,000. */
  readonly timeout?: number;
  /** ms between two looks; default 20. */
  readonly interval?: number;
}

/**
 * Looks again and again until `look` gives something that is neither false nor undefined nor null, and returns that.
 * For what no event tells of. What `look` throws counts as "not yet" and is the cause of the error in the end.
 */
export async function until<T>(
  look: () => T | Promise<T>,
  { what, timeout = 10_000, interval = 20 }: UntilOptions,
): Promise<Exclude<T, false | undefined | null>> {
  const deadline = performance.now() + timeout;
  for (;;) {
    let cause: unknown;
    try {
      const found = await look();
      if (found !== false && found !== undefined && found !== null) {
        return found as Exclude<T, false | undefined | null>;
      }
    } catch (error) {
      cause = error;
    }
    if (performance.now() > deadline) throw new Error(`waited ${timeout} ms in vain for ${what}`, { cause });
    await pause(interval);
  }
}

/** Rejects, naming `what`, if `promise` is not settled within `timeout` ms (default 10,000). */
export async function within<T>(promise: Promise<T>, { what, timeout = 10_000 }: UntilOptions): Promise<T> {
  const ended = new AbortController();
  const late = pause(timeout, undefined, { signal: ended.signal }).then(() => {
    throw new Error(`waited ${timeout} ms in vain for ${what}`);
  });
  late.catch(() => undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    ended.abort();
  }
}

/** Whatever has listeners: an EventEmitter of Node, or an object whose `on` and `off` know its events by name. */
export interface Emitter {
  on(event: never, listener: never): unknown;
  off(event: never, listener: never): unknown;
}

/** The arguments of the next `event` (that `accepts` takes, if given). Rejects after `timeout` ms (default 10,000). */
export async function nextEvent<A extends unknown[] = unknown[]>(
  emitter: Emitter,
  event: string,
  { accepts = () => true, timeout = 10_000 }: { accepts?: (...args: A) => boolean; timeout?: number } = {},
): Promise<A> {
  const seen = gate<A>();
  const listener = (...args: unknown[]): void => {
    if (accepts(...(args as A))) seen.open(args as A);
  };
  emitter.on(event as never, listener as never);
  try {
    return await within(seen.promise, { what: `the event ${event}`, timeout });
  } finally {
    emitter.off(event as never, listener as never);
  }
}

/** A promise that is opened from outside. */
export interface Gate<T> {
  readonly promise: Promise<T>;
  open(value: T): void;
  fail(error: Error): void;
}

/** For one step of a test to wait for another: `await gate.promise`, and elsewhere `gate.open()`. */
export function gate<T = void>(): Gate<T> {
  let open!: (value: T) => void;
  let fail!: (error: Error) => void;
  const promise = new Promise<T>((resolve, reject) => {
    open = resolve;
    fail = reject;
  });
  return { promise, open, fail };
}
