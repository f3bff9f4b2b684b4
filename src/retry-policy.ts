import { InvalidArgumentError } from './errors.js';

/** A step that has failed, and what came before it. */
export interface FailedTry {
  /** How often it was tried, this time included: 1 after the first time. */
  readonly attempt: number;
  /** Milliseconds since the first try began. */
  readonly elapsed: number;
  readonly error: unknown;
}

/**
 * Decides what comes after a failure that passes: so many milliseconds of pause and another try, or `undefined`: no more.
 * Anything else is an InvalidArgumentError; what it throws is what the operation rejects with.
 */
export type RetryPolicy = (failed: FailedTry) => number | undefined;

/** When a policy made by {@link retries} ends. */
export interface RetryBounds {
  /** How often it is tried in all. Default: without a bound. */
  readonly attempts?: number | undefined;
  /** For how long after the first try another one begins, milliseconds. Default: without a bound. */
  readonly elapsed?: number | undefined;
}

/** How the pauses of {@link retries.exponential} grow. */
export interface ExponentialOptions extends RetryBounds {
  /** Upper bound of the first pause, milliseconds; it doubles with each try. Default 50. */
  readonly first?: number | undefined;
  /** Upper bound of all pauses, milliseconds. Default 5,000. */
  readonly longest?: number | undefined;
}

/** Ready-made policies. A function of your own is one, too. Each throws InvalidArgumentError at numbers that are none. */
export const retries = {
  /** Never again. */
  none: (): undefined => undefined,

  /** Pauses from 0 to a bound that doubles ("full jitter"), so that many clients do not come back all at once. */
  exponential({ first = 50, longest = 5_000, attempts, elapsed, ...unknown }: ExponentialOptions = {}): RetryPolicy {
    for (const name in unknown)
      throw new InvalidArgumentError(
        `there is no option ${JSON.stringify(name)}; known are attempts, elapsed, first, longest`,
      );
    checkNumber('first', first);
    checkNumber('longest', longest);
    return bounded(
      { attempts, elapsed },
      ({ attempt }) => Math.random() * Math.min(longest, first * 2 ** Math.min(attempt - 1, 30)),
    );
  },

  /** At most so many tries in all, with the same pause in milliseconds before each further one. */
  times(attempts: number, pause = 1_000): RetryPolicy {
    checkNumber('pause', pause);
    return bounded({ attempts }, () => pause);
  },

  /** Until so many milliseconds have passed since the first try began, with the same pause before each further one. */
  untilElapsed(elapsed: number, pause = 1_000): RetryPolicy {
    checkNumber('pause', pause);
    return bounded({ elapsed }, () => pause);
  },
} as const;

/** Unless told otherwise: half a minute, as operations wait for a connection. */
export const standardPolicy = retries.exponential({ elapsed: 30_000 });

function bounded({ attempts = Infinity, elapsed = Infinity }: RetryBounds, pause: RetryPolicy): RetryPolicy {
  if (!(typeof attempts === 'number' && attempts >= 1))
    throw new InvalidArgumentError(`attempts is ${String(attempts)}; it must be 1 or more`);
  if (!(typeof elapsed === 'number' && elapsed >= 0))
    throw new InvalidArgumentError(`elapsed is ${String(elapsed)}; it must be milliseconds, 0 or more`);
  return (failed) => (failed.attempt < attempts && failed.elapsed < elapsed ? pause(failed) : undefined);
}

function checkNumber(name: string, value: number): void {
  if (!(Number.isFinite(value) && value >= 0))
    throw new InvalidArgumentError(`${name} is ${String(value)}; it must be milliseconds, 0 or more`);
}
