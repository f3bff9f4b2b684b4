// How a program with promises works with a window: as many loops as operations are to be under way, each of which
// awaits one operation after the other.
import { Latencies } from './latencies.mjs';

/**
 * @param {readonly (() => Promise<unknown>)[]} calls one for each place of the window
 * @param {number} operations that a call stands for
 */
export function loops(calls, operations = 1) {
  const latencies = new Latencies(calls.length);
  let running = false;
  let done = 0;
  let toCall = 0;

  async function loop(call) {
    while (running && toCall-- > 0) {
      if (latencies.isDue()) {
        const sent = performance.now();
        await call();
        latencies.add((performance.now() - sent) / operations);
      } else {
        await call();
      }
      done += operations;
    }
  }

  return {
    get done() {
      return done;
    },
    latencies,
    /** Resolves when that many calls are done, or those that were under way when it was stopped. */
    start(most = Infinity) {
      running = true;
      toCall = most;
      return Promise.all(calls.map(loop));
    },
    stop() {
      running = false;
    },
  };
}
