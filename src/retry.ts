import { after, now } from './clock.js';
import {
  AbortedError,
  ConnectionLossError,
  NotReadOnlyError,
  OperationTimeoutError,
  QueueFullError,
  SessionMovedError,
  ThrottledError,
} from './errors.js';
import type { RetryPolicy } from './retry-policy.js';
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
  for (let attempt = 1; ; attempt++) {
    const left = timeout === undefined ? undefined : Math.max(0, timeout - (now() - begin));
    try {
      return await step(attempt, { signal, timeout: left });
    } catch (error) {
      const elapsed = now() - begin;
      const isOver = signal?.aborted === true || (timeout !== undefined && elapsed >= timeout);
      const pause = isOver || !isRetryable(error) ? undefined : policy({ attempt, elapsed, error });
      if (pause === undefined) throw error;
      await sleep(Math.min(pause, timeout === undefined ? Infinity : timeout - elapsed), signal);
      const context = { operation, path, cause: error };
      if (signal?.aborted === true) throw new AbortedError('it was aborted', context, mayHaveBeenApplied(error));
      if (timeout !== undefined && now() - begin >= timeout)
        throw new OperationTimeoutError(`it did not succeed within ${timeout} ms`, context, mayHaveBeenApplied(error));
    }
  }
}

function mayHaveBeenApplied(error: unknown): boolean {
  return (error as { readonly mayHaveBeenApplied?: boolean }).mayHaveBeenApplied ?? false;
}

function sleep(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      timer.cancel();
      signal?.removeEventListener('abort', wake);
      resolve();
    };
    const timer = after(milliseconds, wake);
    signal?.addEventListener('abort', wake);
    if (signal?.aborted === true) wake();
  });
}
