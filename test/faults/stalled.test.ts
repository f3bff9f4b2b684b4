/** The event `stalled`: this process could not do in time what keeps its session alive. */
import { expect, test } from '@jest/globals';
import type { StalledEvent } from 'zookit';
import { nextEvent } from '../support/until.js';
import { connectTo, startRig } from './rig.js';

/** Keeps the event loop busy for so many milliseconds. */
function block(milliseconds: number): void {
  const end = performance.now() + milliseconds;
  while (performance.now() < end);
}

test('a blocked event loop is told, with the figures', async () => {
  await using rig = await startRig();
  const zk = rig.add(await connectTo(rig.connectString, { sessionTimeout: 6_000 }));
  const told = nextEvent<[StalledEvent]>(zk, 'stalled', { accepts: ({ lag }) => lag > 500 });
  const begin = performance.now();
  // Longer than the time between two pings, so that a timer is due meanwhile.
  block(4_000);
  const [event] = await told;
  const blocked = performance.now() - begin;
  expect(event).toMatchObject({ type: 'stalled', sessionId: zk.session.id, sessionTimeout: 6_000 });
  expect(event.lag).toBeLessThan(blocked);
  expect(event.remaining).toBeLessThan(6_000 - event.lag);
});
