import { expect, it } from '@jest/globals';
import { Lease } from 'zookit/recipes';
import { until } from '../support/until.js';
import { usePeers } from './peers.js';

const peers = usePeers();

it('NonBlockingLease of kazoo: who has it keeps the other out until it gives it back, or its time is over', async () => {
  const path = '/lease';
  const lease = new Lease(peers.zk, path, { duration: 60_000, holder: 'node' });
  const python = await peers.kazoo.open('lease', path, { data: 'python' });
  const term = await lease.tryAcquire();
  expect(term?.held).toBe(true);
  expect(await python.call('obtain', { duration: 60_000 })).toBe(false);
  await term?.release();
  expect(await python.call('obtain', { duration: 3_000 })).toBe(true);
  expect(await lease.tryAcquire()).toBeUndefined();
  expect(await lease.current()).toMatchObject({ holder: 'python', hasEnded: false });
  const next = await until(() => lease.tryAcquire(), { what: 'the end of its time', timeout: 20_000 });
  expect(next.held).toBe(true);
  await next.release();
});
