// How a program with callbacks works with a window: each answer asks for the next one.
import { Latencies } from './latencies.mjs';

/**
 * @param {readonly ((answered: (error?: unknown) => void) => void)[]} calls one for each place of the window
 * @param {number} operations that a call stands for
 */
export function chains(calls, operations = 1) {
  const latencies = new Latencies(calls.length);
  let running = false;
  let done = 0;

  const chain = (call) =>
    new Promise((resolve, reject) => {
      let sent;
      const next = () => {
        sent = latencies.isDue() ? performance.now() : undefined;
        call(answered);
      };
      const answered = (error) => {
        if (error) {
          reject(error);
          return;
        }
        if (sent !== undefined) latencies.add((performance.now() - sent) / operations);
        done += operations;
        if (running) next();
        else resolve();
      };
      next();
    });

  return {
    get done() {
      return done;
    },
    latencies,
    start() {
      running = true;
      return Promise.all(calls.map(chain));
    },
    stop() {
      running = false;
    },
  };
}
