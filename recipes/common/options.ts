import { type ErrorContext, InvalidArgumentError, type LeaseOptions, type WaitOptions } from 'zookit';

/** Checks of the options that callers hand in: each throws `InvalidArgumentError` that says what would be right. */

/** Where an option was given. */
export interface OptionSubject {
  readonly operation: string;
  readonly path: string;
}

/** What can be given to a recipe that holds something. */
export const leaseNames = ['margin', 'loseOn'] as const satisfies readonly (keyof LeaseOptions)[];
/** What can be given with a wait. */
export const waitNames = ['timeout', 'signal'] as const satisfies readonly (keyof WaitOptions)[];

/** Refuses unknown names, which would be ignored: a typing error, most likely. */
export function checkNames(options: object, known: readonly string[], subject: ErrorContext): void {
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const problem = `there is no option ${JSON.stringify(name)}; known are ${known.join(', ')}`;
    throw new InvalidArgumentError(problem, subject);
  }
}

/** Refuses what is no limit of a wait. */
export function checkWait({ timeout, signal }: WaitOptions, subject: ErrorContext): void {
  if (timeout !== undefined && !(Number.isFinite(timeout) && timeout >= 0))
    throw new InvalidArgumentError(`the timeout is ${String(timeout)}; it must be milliseconds, 0 or more`, subject);
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new InvalidArgumentError('the signal is no AbortSignal', subject);
}

/** The longest delay that Node's timers take, milliseconds: a little less than 25 days. */
const LONGEST_DELAY = 2 ** 31 - 1;

/** Refuses what a timer cannot wait for. */
export function checkDelay(name: string, delay: number | undefined, subject: ErrorContext): void {
  if (delay === undefined || (Number.isFinite(delay) && delay >= 0 && delay <= LONGEST_DELAY)) return;
  throw new InvalidArgumentError(
    `${name} is ${String(delay)}; it must be milliseconds, from 0 to ${LONGEST_DELAY}`,
    subject,
  );
}

/** Refuses what is no lease. */
export function checkLease({ margin, loseOn }: LeaseOptions, subject: OptionSubject): void {
  if (margin !== undefined && !(Number.isFinite(margin) && margin >= 0))
    throw new InvalidArgumentError(`the margin is ${margin}; it must be milliseconds, 0 or more`, subject);
  if (loseOn !== undefined && loseOn !== 'deadline' && loseOn !== 'suspended')
    throw new InvalidArgumentError(`loseOn is ${String(loseOn)}; it must be "deadline" or "suspended"`, subject);
}
