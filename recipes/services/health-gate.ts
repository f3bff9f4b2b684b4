import { type ErrorContext, InvalidArgumentError, OperationTimeoutError } from 'zookit';
import { Announcer } from '../common/announcer.js';
import { checkDelay, checkNames } from '../common/options.js';
import { rest, Wait } from '../common/waiting.js';

/**
 * Whether all is well: it fails by throwing or by saying `false`, and passes with anything else. The signal aborts when
 * its time is over, and when nobody wants to know any more.
 */
export type HealthCheck = (signal: AbortSignal) => unknown;

/** How a {@link HealthGate} checks. */
export interface HealthGateOptions {
  readonly check: HealthCheck;
  /** From the end of a check to the next one, milliseconds. Default 5,000. */
  readonly interval?: number | undefined;
  /** For how long a check may go on, milliseconds; then it has failed. Default 2,000. */
  readonly timeout?: number | undefined;
  /** How many checks in a row have to pass to open it. Default 1. */
  readonly rise?: number | undefined;
  /** How many checks in a row have to fail to shut it. Default 3. */
  readonly fall?: number | undefined;
  /** From the start to the first check, milliseconds. Default 0. */
  readonly startDelay?: number | undefined;
  /** Takes the place of `interval` until it has opened for the first time, milliseconds. Default 500, or `interval` where that is less. */
  readonly startInterval?: number | undefined;
}

/** What a gate knows. */
export interface HealthState {
  /** `starting` until it has opened for the first time, however many checks fail. */
  readonly status: 'starting' | 'passing' | 'failing';
  /** Why the last check has failed; undefined where it has passed. */
  readonly error: Error | undefined;
}

const SUBJECT: ErrorContext = { operation: 'HealthGate' };

const DEFAULT_INTERVAL = 5_000;
const DEFAULT_TIMEOUT = 2_000;
const DEFAULT_FALL = 3;
const DEFAULT_START_INTERVAL = 500;

/** What can be given to a gate. */
export const healthNames = [
  'check',
  'interval',
  'timeout',
  'rise',
  'fall',
  'startDelay',
  'startInterval',
] as const satisfies readonly (keyof HealthGateOptions)[];

/** @throws InvalidArgumentError. */
export function checkHealthOptions(options: HealthGateOptions, subject: ErrorContext): void {
  const { check, rise, fall, ...delays } = options;
  if (typeof check !== 'function') throw new InvalidArgumentError('the check is no function', subject);
  for (const [name, count] of Object.entries({ rise, fall })) {
    if (count === undefined || (Number.isInteger(count) && count >= 1)) continue;
    throw new InvalidArgumentError(`${name} is ${String(count)}; it must be a whole number, 1 or more`, subject);
  }
  for (const name of ['interval', 'timeout', 'startDelay', 'startInterval'] as const)
    checkDelay(name, delays[name], subject);
}

/**
 * A verdict that is kept current by a check that is made again and again. It takes several checks in a row to change it.
 * Checks never overlap: as long as one goes on after its time, it counts as failed again instead of the next one.
 *
 * Iterate it for the state now and whenever the status has changed.
 */
export class HealthGate implements AsyncIterable<HealthState>, Disposable {
  readonly #announcer = new Announcer();
  readonly #closing = new AbortController();
  #state: HealthState = { status: 'starting', error: undefined };
  /** How many checks in a row have passed; below 0, how many have failed. */
  #streak = 0;
  #hasBegun = false;
  #isChecking = false;

  /** @throws InvalidArgumentError. Begins with {@link start}. */
  constructor(private readonly options: HealthGateOptions) {
    checkNames(options, healthNames, SUBJECT);
    checkHealthOptions(options, SUBJECT);
  }

  /** Begins to check. */
  start(): this {
    if (!this.#hasBegun) void this.#run();
    this.#hasBegun = true;
    return this;
  }

  get state(): HealthState {
    return this.#state;
  }

  [Symbol.asyncIterator](): AsyncGenerator<HealthState, void, undefined> {
    return this.#announcer.each(
      () => this.#state,
      (one, other) => one.status === other.status,
    );
  }

  /** Ends it. A check under way is told by its signal, and not waited for. Iterations end. */
  close(): void {
    this.#closing.abort();
    this.#announcer.end(new Error('the gate was closed'));
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async #run(): Promise<void> {
    const { interval = DEFAULT_INTERVAL, startDelay = 0 } = this.options;
    const { startInterval = Math.min(DEFAULT_START_INTERVAL, interval) } = this.options;
    const closing = this.#closing.signal;
    await rest(startDelay, closing);
    while (!closing.aborted) {
      this.#judge(await this.#failure());
      await rest(this.#state.status === 'starting' ? startInterval : interval, closing);
    }
  }

  /** Makes a check: why it has failed, or undefined. */
  async #failure(): Promise<Error | undefined> {
    const { timeout = DEFAULT_TIMEOUT } = this.options;
    if (this.#isChecking) return new OperationTimeoutError('the check before still goes on', SUBJECT, false);
    using wait = new Wait({ timeout, signal: this.#closing.signal }, SUBJECT);
    try {
      const verdict = await wait.race(this.#check(wait.signal ?? this.#closing.signal));
      return verdict === false ? new Error('the check says no') : undefined;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  async #check(signal: AbortSignal): Promise<unknown> {
    this.#isChecking = true;
    try {
      return await this.options.check(signal);
    } finally {
      this.#isChecking = false;
    }
  }

  #judge(error: Error | undefined): void {
    if (this.#closing.signal.aborted) return;
    const { rise = 1, fall = DEFAULT_FALL } = this.options;
    this.#streak = error === undefined ? Math.max(this.#streak, 0) + 1 : Math.min(this.#streak, 0) - 1;
    const before = this.#state.status;
    let status = before;
    if (this.#streak >= rise) status = 'passing';
    else if (this.#streak <= -fall && before === 'passing') status = 'failing';
    this.#state = { status, error };
    if (status !== before) this.#announcer.tell();
  }
}
