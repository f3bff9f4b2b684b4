import { expect, it } from '@jest/globals';
import type { ZooKeeper } from 'zookit';
import { Semaphore } from 'zookit/recipes';
import { until, within } from '../support/until.js';
import { usePeers } from './peers.js';
import { Room, type Visitor } from './room.js';

const peers = usePeers();

async function rounds(zk: ZooKeeper, path: string, room: Room, leases: number, count: number): Promise<Visitor[][]> {
  const semaphore = new Semaphore(zk, path, leases);
  const seen: Visitor[][] = [];
  for (let round = 0; round < count; round++) {
    await using _ = await semaphore.acquire();
    seen.push(await room.visit('holder', '', zk));
  }
  return seen;
}

it('never more holders than leases, of Java and Node together, 150 hand-overs', async () => {
  const path = '/semaphore';
  const room = await Room.open(peers.zk);
  const [leases, count] = [2, 25];
  const theirs = Array.from({ length: 3 }, async () => {
    const semaphore = await peers.curator.open('semaphore', path, { leases });
    return semaphore.call<Visitor[][]>('rounds', { count, room: room.path, as: 'holder' });
  });
  const ours = Array.from({ length: 3 }, async () => rounds(await peers.another(), path, room, leases, count));
  const seen = (await Promise.all([...theirs, ...ours])).flat();
  expect(seen).toHaveLength(6 * count);
  expect(seen.filter((each) => each.length > leases)).toEqual([]);
  // Else the leases would be no more than a lock.
  expect(seen.some((each) => each.length === leases)).toBe(true);
  expect(await peers.zk.getChildren(`${path}/leases`)).toEqual([]);
}, 120_000);

it('each sees the leases of the other, and waits for them', async () => {
  const path = '/semaphore-seen';
  const java = await peers.curator.open('semaphore', path, { leases: 2, data: 'java' });
  const semaphore = new Semaphore(peers.zk, path, 2, { data: 'node' });
  const ours = await semaphore.acquire();
  expect(await java.call('acquire', { timeout: 5_000 })).toBe(true);
  expect((await semaphore.participants()).map(({ id, holds }) => [id, holds])).toEqual([
    ['node', true],
    ['java', true],
  ]);
  expect(await java.call<string[]>('participants')).toHaveLength(2);
  expect(await semaphore.tryAcquire()).toBeUndefined();
  const other = await peers.curator.open('semaphore', path, { leases: 2 });
  expect(await other.call('acquire', { timeout: 200 })).toBe(false);

  const waiting = semaphore.acquire();
  await until(async () => (await peers.zk.getChildren(`${path}/locks`)).length === 1, { what: 'our turn' });
  await java.call('release');
  const second = await within(waiting, { what: 'the second lease' });
  const acquired = other.call('acquire');
  await until(async () => (await peers.zk.getChildren(`${path}/locks`)).length === 1, { what: 'the turn of Java' });
  await ours.release();
  expect(await acquired).toBe(true);
  await second.release();
  await other.close();
});

it('several leases at once: all or none, on either side', async () => {
  const path = '/semaphore-several';
  const java = await peers.curator.open('semaphore', path, { leases: 3 });
  const semaphore = new Semaphore(peers.zk, path, 3);
  expect(await java.call('acquire', { quantity: 2 })).toBe(true);
  expect(await semaphore.tryAcquire({ count: 2 })).toBeUndefined();
  await java.call('release');
  const two = await semaphore.acquire({ count: 2 });
  expect(await java.call('acquire', { quantity: 2, timeout: 200 })).toBe(false);
  await two.release();
  expect(await java.call('acquire', { quantity: 3, timeout: 5_000 })).toBe(true);
  await java.close();
});

it('a count that both read from one znode, and one of them changes', async () => {
  const [path, countPath] = ['/semaphore-counted', '/semaphore-count'];
  const semaphore = new Semaphore(peers.zk, path, { path: countPath, initial: 1 });
  await using _ = await semaphore.acquire();
  await using java = await peers.curator.open('semaphore', path, { leases: 1, countPath });
  expect(await java.call('acquire', { timeout: 200 })).toBe(false);
  await semaphore.setCount(2);
  expect(await java.call('acquire', { timeout: 10_000 })).toBe(true);
});
