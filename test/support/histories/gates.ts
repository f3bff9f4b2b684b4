import type { Call } from './linearizable.js';

export type GateInput = 'set' | 'remove' | 'wait';

/**
 * Waits at a barrier that have come to an end though it was closed all the time: after each removal that had begun, or
 * after the beginning, it was set again before the wait began. Whoever tries again after a lost answer may set or remove
 * it several times, so more than that cannot be said.
 */
export function findPassed(calls: readonly Call<GateInput, boolean>[]): string[] {
  const sets = calls.filter(({ input }) => input === 'set');
  const isClosedAgain = (since: number, before: number): boolean =>
    sets.some(({ called, returned }) => called > since && returned < before);
  return calls
    .filter(({ input, output }) => input === 'wait' && output === true)
    .filter((wait) => {
      const removals = calls.filter(({ input, called }) => input === 'remove' && called < wait.returned);
      return [0, ...removals.map(({ returned }) => returned)].every((since) => isClosedAgain(since, wait.called));
    })
    .map(({ client, called, returned }) => `${client} has passed between ${called} and ${returned}`);
}
