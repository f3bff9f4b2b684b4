import {
  AbortedError,
  AuthFailedError,
  ClosedError,
  type ErrorContext,
  NoNodeError,
  isPassing,
  type OneShotEvent,
  OperationTimeoutError,
  SessionExpiredError,
  type WaitOptions,
  type ZooKeeper,
} from 'zookit';
import { checkNames, checkWait, waitNames } from './options.js';

/** The longest delay that Node's timers take; a longer one would fire at once. */
const LONGEST_DELAY = 2 ** 31 - 1;

/** The first pause after an error that passes, milliseconds; it doubles each time, up to the longest. */
const FIRST_PAUSE = 20;
const LONGEST_PAUSE = 2_000;

/** Milliseconds since 1970, for people to read: no decision hangs on it. */
export function timeOfDay(): number {
  return Math.round(performance.timeOrigin + performance.now());
}

/** Milliseconds on a clock that only goes forward and does not know the time of day. */
export function now(): number {
  return performance.now();
}

/**
 * Milliseconds since 1970 by the clock of the machine, which is set and corrected: for what machines have to agree on.
 * It may jump.
 */
export function wallClock(): number {
  return Date.now();
}

/** A promise that is settled from outside. */
export interface Deferred<T> {
  readonly promise: Promise<T>;
  resolve(value: T): void;
  reject(reason: unknown): void;
}

export function defer<T = void>(): Deferred<T> {
  let settle: Pick<Deferred<T>, 'resolve' | 'reject'> | undefined;
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  // Nobody may be waiting when it is rejected; those who do wait are told all the same.
  promise.catch(() => undefined);
  return { promise, resolve: (value) => settle?.resolve(value), reject: (reason) => settle?.reject(reason) };
}

/** A timer that calls `run` once after so many milliseconds. Returns what stops it. `unref`: the process may end meanwhile. */
export function after(milliseconds: number, run: () => void, unref = false): () => void {
  const handle = setTimeout(run, Math.min(milliseconds, LONGEST_DELAY));
  if (unref) handle.unref();
  return () => clearTimeout(handle);
}

/** Resolves after so many milliseconds, or as soon as the signal aborts. */
export async function rest(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const over = defer();
  const wake = (): void => over.resolve();
  const stop = after(milliseconds, wake);
  signal.addEventListener('abort', wake);
  await over.promise;
  stop();
  signal.removeEventListener('abort', wake);
}

/** What a race is ended with, before the caller's own error takes its place. */
const waitIsOver = new Error('the wait is over');

/**
 * The wait of one caller: one deadline, taken at the start, and one signal, over however many steps it takes. Dispose
 * of it when the wait is over.
 */
export class Wait implements Disposable {
  readonly #stop: () => void;
  /** Whether anything can end it before what is waited for. */
  readonly #canEnd: boolean;
  /** Made when it is asked for: most waits are over before anybody does, and it costs more than the rest of a wait. */
  #controller: AbortController | undefined;
  /** Who is racing against the end. */
  readonly #racing = new Set<() => void>();
  /** Makes the error of a wait that is over, at the place where the caller waits. */
  #error: (() => Error) | undefined;
  #cleanUps: Promise<void>[] = [];

  constructor(
    options: WaitOptions,
    /** For the errors: who waits, for what. */
    subject: ErrorContext,
  ) {
    checkNames(options, waitNames, subject);
    checkWait(options, subject);
    const { timeout, signal } = options;
    this.#canEnd = timeout !== undefined || signal !== undefined;
    const onAbort = (): void =>
      this.#end(() => new AbortedError('the wait was aborted', { ...subject, cause: signal?.reason }, false));
    const onTimeout = (): void =>
      this.#end(() => new OperationTimeoutError(`the wait of ${timeout} ms is over`, subject, false));
    const cancel = timeout === undefined ? undefined : after(timeout, onTimeout);
    this.#stop = () => {
      cancel?.();
      signal?.removeEventListener('abort', onAbort);
    };
    if (signal?.aborted === true) onAbort();
    else signal?.addEventListener('abort', onAbort);
  }

  /** Aborts when the wait is over; there is none where nothing can end it. */
  get signal(): AbortSignal | undefined {
    if (!this.#canEnd) return undefined;
    this.#controller ??= new AbortController();
    if (this.isOver) this.#controller.abort();
    return this.#controller.signal;
  }

  /** Whether it was ended before what was waited for. */
  get isOver(): boolean {
    return this.#error !== undefined;
  }

  /** Throws OperationTimeoutError or AbortedError if it is over. */
  check(): void {
    if (this.#error !== undefined) throw this.#error();
  }

  /** Something of this wait that is still to be tidied away in the background. */
  leaveBehind(cleanUp: Promise<void>): void {
    this.#cleanUps.push(cleanUp);
  }

  /** Resolves when nothing is left behind. */
  async tidied(): Promise<void> {
    await Promise.all(this.#cleanUps);
  }

  /** The promise's result, unless the wait ends first: then OperationTimeoutError or AbortedError. */
  async race<T>(promise: Promise<T>): Promise<T> {
    let end: () => void = () => undefined;
    try {
      return await new Promise<T>((resolve, reject) => {
        // When the wait ends first, nobody is there any more for what the promise comes to.
        promise.then(resolve, reject);
        end = () => reject(waitIsOver);
        if (this.isOver) void Promise.resolve().then(end);
        else this.#racing.add(end);
      });
    } catch (error) {
      throw this.#error === undefined ? error : this.#error();
    } finally {
      this.#racing.delete(end);
    }
  }

  [Symbol.dispose](): void {
    this.#stop();
  }

  #end(error: () => Error): void {
    this.#error ??= error;
    this.#stop();
    this.#controller?.abort();
    for (const end of this.#racing) end();
  }
}

/** Whether the same can be tried again, in a new session if need be. */
export function canTryAgain(zk: ZooKeeper, error: unknown): boolean {
  return isPassing(error) || (error instanceof SessionExpiredError && zk.state !== 'expired');
}

/** Whether the error says that the session is over. */
export function isEndOfSession(error: unknown): boolean {
  return error instanceof SessionExpiredError || error instanceof ClosedError || error instanceof AuthFailedError;
}

/** Resolves after a while, longer at each attempt and never the same for all; ends early when the client connects. */
export async function pause(zk: ZooKeeper, attempt: number, signal?: AbortSignal): Promise<void> {
  const over = defer();
  const wake = (): void => over.resolve();
  const stop = after(Math.random() * Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** Math.min(attempt, 20)), wake);
  zk.on('connected', wake);
  signal?.addEventListener('abort', wake);
  if (signal?.aborted === true) wake();
  try {
    await over.promise;
  } finally {
    stop();
    zk.off('connected', wake);
    signal?.removeEventListener('abort', wake);
  }
}

/**
 * Looks, and looks again whenever what was seen may have changed, until there is a result. `look` leaves a watch that
 * calls `changed`; a wake-up proves nothing, so nothing is concluded from it. `forget` takes the watch away again. What
 * passes, as a lost connection, does not end the wait.
 */
export async function lookUntil<T extends object | string | number | true>(
  zk: ZooKeeper,
  wait: Wait,
  look: (changed: () => void) => Promise<T | undefined>,
  forget: (changed: () => void) => void,
): Promise<T> {
  for (let failures = 0; ;) {
    const change = defer();
    const changed = (): void => change.resolve();
    try {
      const result = await wait.race(look(changed));
      if (result !== undefined) return result;
      failures = 0;
      await wait.race(change.promise);
    } catch (error) {
      if (wait.isOver || !canTryAgain(zk, error)) throw error;
      await wait.race(pause(zk, failures++, wait.signal));
    } finally {
      forget(changed);
    }
  }
}

/**
 * Whether a znode is gone; if not, `changed` is called when it changes or goes. Reads the data: an exists-watch on a
 * znode that is gone would stay at the server for ever.
 */
export async function isGone(
  zk: ZooKeeper,
  path: string,
  changed: (event: OneShotEvent) => void,
  wait: Wait,
): Promise<boolean> {
  try {
    await zk.getData(path, { watch: changed, signal: wait.signal });
    return false;
  } catch (error) {
    if (error instanceof NoNodeError) return true;
    throw error;
  }
}
