// The raw socket as a client, with a call of `write` for each ready frame; the calls of a turn leave together. This is
// the limit that the others are compared with.
import { RawClient } from '../wire/raw-client.mjs';
import { lockSteps, unitOf } from '../wire/requests.mjs';

export async function open(work, together = false) {
  const client = await RawClient.connect(work.port, together);
  const common = { stop: () => client.stop(), close: () => client.end() };
  if (work.work === 'mutex') {
    const steps = lockSteps(work);
    const replies = steps.reduce((sum, step) => sum + step.replies, 0);
    return Object.defineProperty({ ...common, start: () => client.cycle(steps) }, 'done', {
      get: () => Math.floor((client.replies - 1) / replies),
    });
  }
  const { unit, replies, operations } = unitOf(work);
  return {
    ...common,
    /** Operations done so far. */
    get done() {
      return Math.floor(((client.replies - 1) * operations) / replies);
    },
    start: () => client.run(unit, replies, Math.max(1, Math.floor(work.window / operations))),
  };
}
