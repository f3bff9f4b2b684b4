import { setMaxListeners } from 'node:events';
import { after, now } from './clock.js';
import {
  AbortedError,
  ConnectionLossError,
  InvalidArgumentError,
  NotReadOnlyError,
  OperationTimeoutError,
  QueueFullError,
  SessionMovedError,
  ThrottledError,
  UnansweredError,
} from './errors.js';
import type { FailedTry, RetryPolicy } from './retry-policy.js';
import type { RequestLimits } from './session/pending-request.js';

/** Whether the same may succeed when it is tried again a little later. An end of the session is not among it. */
export function isPassing(error: unknown): boolean {
  return (
    error instanceof ConnectionLossError ||
    error instanceof OperationTimeoutError ||
    error instanceof QueueFullError ||
    error instanceof ThrottledError ||
    error instanceof NotReadOnlyError ||
    error instanceof SessionMovedError
  );
}

/** What {@link persist} needs to know. The limits are those of all tries together. */
export interface Persistence extends RequestLimits {
  readonly policy: RetryPolicy;
  readonly isRetryable: (error: unknown) => boolean;
  /** For the errors. */
  readonly operation: string;
  readonly path?: string | undefined;
}

/**
 * Tries until it succeeds, fails for good, or the policy or a limit ends it. `step` is given the number of the try, and
 * the limits that are left for it.
 */
export async function persist<T>(
  { policy, isRetryable, signal, timeout, operation, path }: Persistence,
  step: (attempt: number, limits: RequestLimits) => Promise<T>,
): Promise<T> {
  const begin = now();
  let isInDoubt = false;
  if (isAborted(signal)) throw new AbortedError('it was aborted', { operation, path, cause: signal?.reason }, false);
  for (let attempt = 1; ; attempt++) {
    const left = timeout === undefined ? undefined : Math.max(0, timeout - (now() - begin));
    try {
      return await step(attempt, { signal, timeout: left });
    } catch (error) {
      isInDoubt ||= error instanceof UnansweredError && error.mayHaveBeenApplied;
      const elapsed = now() - begin;
      const isOver = isAborted(signal) || (timeout !== undefined && elapsed >= timeout);
      const context = { operation, path, cause: error };
      const pause = isOver || !isRetryable(error) ? undefined : pauseOf(policy, { attempt, elapsed, error }, context);
      if (pause === undefined) throw error;
      await sleep(Math.min(pause, timeout === undefined ? Infinity : timeout - elapsed), signal);
      if (isAborted(signal)) throw new AbortedError('it was aborted', context, isInDoubt);
      if (timeout !== undefined && now() - begin >= timeout)
        throw new OperationTimeoutError(`it did not succeed within ${timeout} ms`, context, isInDoubt);
    }
  }
}

function isAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

/** What a policy gives is checked: no pause at all would be a loop without an end. */
function pauseOf(
  policy: RetryPolicy,
  failed: FailedTry,
  context: { readonly operation: string; readonly path?: string | undefined; readonly cause: unknown },
): number | undefined {
  const pause = policy(failed);
  if (pause === undefined || (Number.isFinite(pause) && pause >= 0)) return pause;
  const problem = `the retry policy gave ${String(pause)}; it must give milliseconds, 0 or more, or undefined for no more`;
  throw new InvalidArgumentError(problem, context);
}

function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      timer.cancel();
      signal?.removeEventListener('abort', wake);
      resolve();
    };
    const timer = after(milliseconds, wake);
    if (signal === undefined) return;
    // Many may share one signal; from eleven on Node would warn of a leak.
    setMaxListeners(0, signal);
    signal.addEventListener('abort', wake);
    if (signal.aborted) wake();
  });
}
