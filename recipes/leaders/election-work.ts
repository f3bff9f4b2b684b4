import type { ZooKeeperError } from 'zookit';
import { after, defer } from '../common/waiting.js';
import type { ElectionTerm } from './election-term.js';
import { LeaderWorkError } from './errors.js';

/** What is done while leading. The leadership ends when it returns. */
export type LeaderWork<Result = unknown, Payload = unknown> = (term: ElectionTerm<Payload>) => Result | Promise<Result>;

/** What a function came to. */
export interface Outcome<Result> {
  /** Settled. */
  readonly result: Promise<Result>;
  /** What is to be told of it; undefined also where it threw only because its signal had aborted. */
  readonly failure: LeaderWorkError | undefined;
}

/** For how long a function may go on, and who hears what comes later. */
export interface WorkLimits {
  /** Milliseconds after its signal has aborted; undefined: without end. */
  readonly grace: number | undefined;
  readonly report: (error: ZooKeeperError) => void;
}

/** Runs the function, and resolves when it has returned or thrown, or its grace is over. Never rejects. */
export async function runWork<Result, Payload>(
  work: LeaderWork<Result, Payload>,
  term: ElectionTerm<Payload>,
  limits: WorkLimits,
): Promise<Outcome<Result>> {
  const result = withinGrace((async () => await work(term))(), term, limits);
  try {
    await result;
    return { result, failure: undefined };
  } catch (error) {
    return { result, failure: failureOf(error, term.signal) };
  }
}

function failureOf(error: unknown, signal: AbortSignal): LeaderWorkError | undefined {
  if (error instanceof LeaderWorkError) return error;
  return isAnswerTo(signal, error) ? undefined : workError('the function has failed', error);
}

/** Whether an error only passes on that the signal has aborted. */
function isAnswerTo(signal: AbortSignal, error: unknown): boolean {
  if (!signal.aborted) return false;
  const { name, cause } = (error ?? {}) as { readonly name?: unknown; readonly cause?: unknown };
  return error === signal.reason || name === 'AbortError' || cause === signal.reason;
}

async function withinGrace<Result, Payload>(
  working: Promise<Result>,
  { signal }: ElectionTerm<Payload>,
  { grace, report }: WorkLimits,
): Promise<Result> {
  if (grace === undefined) return await working;
  const overdue = defer<never>();
  let stop: () => void = () => undefined;
  const onAbort = (): void => {
    stop = after(grace, () => {
      overdue.reject(workError(`the function goes on ${grace} ms after its signal has aborted`));
      working.catch((cause: unknown) => report(workError('the function has failed, after its grace', cause)));
    });
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([working, overdue.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    stop();
  }
}

function workError(problem: string, cause?: unknown): LeaderWorkError {
  return new LeaderWorkError(problem, { operation: 'LeaderElection', cause });
}
