import { expect, test } from '@jest/globals';
import { AbortedError, NodeExistsError } from 'zookit';
import { DoubleBarrier } from '../../../recipes/barriers/double-barrier.js';
import { FakeClient, settle } from './fake-client.js';

test('a participant that has given up does not create its member again, whatever its last look comes to', async () => {
  const stop = new AbortController();
  let creations = 0;
  const client = Object.assign(new FakeClient(), {
    // The name is taken by a member of an earlier session...
    create: () => {
      creations++;
      return Promise.reject(new NodeExistsError('taken'));
    },
    // ... which is gone at the next moment, and so is the participant.
    exists: async (path: string) => {
      if (!path.endsWith('/ready')) stop.abort();
      await settle();
      return null;
    },
    unwatch: () => undefined,
    delete: () => Promise.resolve(),
  });
  const entering = new DoubleBarrier(client.zk, '/barrier', 2).enter({ signal: stop.signal });
  await expect(entering).rejects.toThrow(AbortedError);
  await settle();
  await settle();
  expect(creations).toBe(1);
});
