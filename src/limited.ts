import { setMaxListeners } from 'node:events';
import { after } from './clock.js';
import { AbortedError, type ErrorContext, OperationTimeoutError } from './errors.js';
import type { RequestLimits } from './session/pending-request.js';

/**
 * The outcome of a promise, unless a limit ends the wait for it first: then AbortedError or OperationTimeoutError. What
 * the promise stands for goes on all the same.
 */
export async function limited<T>(
  promise: Promise<T>,
  { signal, timeout }: RequestLimits,
  context: ErrorContext,
): Promise<T> {
  let end = (): void => undefined;
  const ended = new Promise<'aborted' | 'timeout'>((resolve) => {
    const onAbort = (): void => resolve('aborted');
    const timer = timeout === undefined ? undefined : after(timeout, () => resolve('timeout'));
    if (signal !== undefined) {
      // Many may share one signal; from eleven on Node would warn of a leak.
      setMaxListeners(0, signal);
      signal.addEventListener('abort', onAbort);
      if (signal.aborted) onAbort();
    }
    end = () => {
      timer?.cancel();
      signal?.removeEventListener('abort', onAbort);
    };
  });
  try {
    const outcome = await Promise.race([promise.then((value) => ({ value })), ended]);
    if (typeof outcome === 'object') return outcome.value;
    if (outcome === 'aborted') throw new AbortedError('it was aborted', { ...context, cause: signal?.reason }, true);
    throw new OperationTimeoutError(`it was not done within ${timeout} ms`, context, true);
  } finally {
    end();
  }
}
