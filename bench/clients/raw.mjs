// The raw socket as a client, with a call of `write` for each ready frame; the calls of a turn leave together. This is
// the limit that the others are compared with.
import { RawClient } from '../wire/raw-client.mjs';
import { unitOf } from '../wire/requests.mjs';

export async function open(work, together = false) {
  const client = await RawClient.connect(work.port, together);
  const { unit, replies, operations } = unitOf(work);
  return {
    /** Operations done so far. */
    get done() {
      return Math.floor(((client.replies - 1) * operations) / replies);
    },
    start: () => client.run(unit, replies, Math.max(1, Math.floor(work.window / operations))),
    stop: () => client.stop(),
    close: () => client.end(),
  };
}
