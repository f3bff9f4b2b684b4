import { expect, it } from '@jest/globals';
import type { ZooKeeper } from 'zookit';
import { ReadWriteLock } from 'zookit/recipes';
import { until, within } from '../support/until.js';
import { usePeers } from './peers.js';
import { Room, type Visitor } from './room.js';

const peers = usePeers();

async function rounds(zk: ZooKeeper, path: string, room: Room, as: 'reader' | 'writer', count: number) {
  const lock = new ReadWriteLock(zk, path);
  const seen: Visitor[][] = [];
  for (let round = 0; round < count; round++) {
    await using _ = await (as === 'reader' ? lock.read : lock.write).acquire();
    seen.push(await room.visit(as, '', zk));
  }
  return seen;
}

it('a writer is alone, whatever language it is of; readers meet none', async () => {
  const path = '/read-write';
  const room = await Room.open(peers.zk);
  const count = 25;
  const theirs = (['read', 'write', 'read'] as const).map(async (mode) => {
    const lock = await peers.curator.open('readWriteLock', path);
    const as = mode === 'read' ? 'reader' : 'writer';
    return lock.call<Visitor[][]>('rounds', { mode, count, room: room.path, as });
  });
  const ours = (['reader', 'writer', 'reader'] as const).map(async (as) =>
    rounds(await peers.another(), path, room, as, count),
  );
  const seen = (await Promise.all([...theirs, ...ours])).flat();
  expect(seen).toHaveLength(6 * count);
  expect(seen.filter((each) => each.includes('writer') && each.length > 1)).toEqual([]);
  expect(await room.count()).toBe(2 * count);
}, 120_000);

it('readers of both are inside together, and a writer of either waits for both', async () => {
  const path = '/readers';
  const lock = new ReadWriteLock(peers.zk, path);
  const java = await peers.curator.open('readWriteLock', path);
  const ours = await lock.read.acquire();
  expect(await java.call('acquire', { mode: 'read', timeout: 5_000 })).toBe(true);
  const javaWriter = await peers.curator.open('readWriteLock', path);
  expect(await javaWriter.call('acquire', { mode: 'write', timeout: 100 })).toBe(false);
  expect(await lock.write.tryAcquire()).toBeUndefined();

  const writing = lock.write.acquire();
  await until(async () => (await lock.participants()).length === 3, { what: 'our writer in line' });
  // Behind a writer, a reader waits.
  expect(await (await peers.curator.open('readWriteLock', path)).call('acquire', { mode: 'read', timeout: 100 })).toBe(
    false,
  );
  await ours.release();
  expect((await lock.participants()).map(({ kind, holds }) => [kind, holds])).toEqual([
    ['read', true],
    ['write', false],
  ]);
  await java.call('release', { mode: 'read' });
  await using writer = await within(writing, { what: 'the write lock' });
  expect(await java.call('participants', { mode: 'write' })).toEqual([writer.path]);
});

it('while a writer of ours goes over to reading, no writer of Java comes in', async () => {
  const path = '/downgrade';
  const writer = await new ReadWriteLock(peers.zk, path).write.acquire();
  const java = await peers.curator.open('readWriteLock', path);
  const writing = java.call('acquire', { mode: 'write' });
  await until(async () => (await peers.zk.getChildren(path)).length === 2, { what: 'the writer of Java' });
  const reader = await writer.downgrade();
  const other = await peers.curator.open('readWriteLock', path);
  expect(await other.call('acquire', { mode: 'write', timeout: 100 })).toBe(false);
  expect(reader.held).toBe(true);
  await reader.release();
  expect(await writing).toBe(true);
  await java.close();
});

it('a writer of Java waits for readers of ours who have joined others past it', async () => {
  const path = '/joined';
  const lock = new ReadWriteLock(peers.zk, path, { preference: 'readers' });
  const first = await lock.read.acquire();
  const java = await peers.curator.open('readWriteLock', path);
  const writing = java.call('acquire', { mode: 'write' });
  await until(async () => (await peers.zk.getChildren(path)).length === 2, { what: 'the writer of Java' });
  const joined = await lock.read.acquire({ timeout: 5_000 });
  await first.release();
  const other = await peers.curator.open('readWriteLock', path);
  expect(await other.call('acquire', { mode: 'write', timeout: 100 })).toBe(false);
  expect([joined.held, (await lock.participants()).map(({ kind, holds }) => [kind, holds])]).toEqual([
    true,
    [
      ['read', true],
      ['write', false],
    ],
  ]);
  // Nobody can join it any more.
  expect(await lock.read.tryAcquire()).toBeUndefined();
  await joined.release();
  expect(await writing).toBe(true);
  await java.close();
});
