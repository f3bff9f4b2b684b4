import { expect, it } from '@jest/globals';
import { LeaderLatch } from 'zookit/recipes';
import { until } from '../support/until.js';
import type { PeerRecipe } from './peer.js';
import { usePeers } from './peers.js';

const peers = usePeers();

/** Ids of all who stand, the leader first, as Curator and as we see them. */
async function participants(curator: PeerRecipe, latch: LeaderLatch): Promise<[curator: string[], ours: string[]]> {
  const theirs = await curator.call<{ id: string; isLeader: boolean }[]>('participants');
  const ours = await latch.participants();
  expect(theirs.map(({ isLeader }) => isLeader)).toEqual(theirs.map((_, index) => index === 0));
  return [theirs.map(({ id }) => id), ours.map(({ id }) => id)];
}

async function untilStanding(path: string, count: number): Promise<void> {
  await until(async () => (await peers.zk.getChildren(path)).length === count, { what: `${count} who stand` });
}

it('the leader is of Java; when it closes, ours takes over', async () => {
  const path = '/java-first';
  const java = await peers.curator.open('leaderLatch', path, { data: 'java' });
  await java.call('start');
  expect(await java.call('await')).toBe(true);
  await using latch = new LeaderLatch(peers.zk, path, { id: 'node' }).start();
  await untilStanding(path, 2);
  expect(latch.isLeader).toBe(false);
  expect(await participants(java, latch)).toEqual([
    ['java', 'node'],
    ['java', 'node'],
  ]);
  const term = latch.lead();
  await java.close();
  expect((await term).held).toBe(true);
  expect(await latch.leader()).toMatchObject({ id: 'node', isLeader: true });
});

it('the leader is ours; when it closes, that of Java takes over', async () => {
  const path = '/node-first';
  const latch = new LeaderLatch(peers.zk, path, { id: 'node' });
  await latch.lead();
  await using java = await peers.curator.open('leaderLatch', path, { data: 'java' });
  await java.call('start');
  await untilStanding(path, 2);
  expect(await java.call('isLeader')).toBe(false);
  expect(await java.call('leader')).toBe('node');
  expect(await participants(java, latch)).toEqual([
    ['node', 'java'],
    ['node', 'java'],
  ]);
  await latch.close();
  expect(await java.call('await')).toBe(true);
  expect(await java.call('participants')).toEqual([{ id: 'java', isLeader: true }]);
});

it('one leader at a time, in the order in which they stood, over ten changes', async () => {
  const path = '/in-turn';
  const first = new LeaderLatch(peers.zk, path, { id: 'node' });
  await first.lead();
  let latch = first;
  for (let turn = 0; turn < 5; turn++) {
    const java = await peers.curator.open('leaderLatch', path, { data: 'java' });
    await java.call('start');
    await untilStanding(path, 2);
    await latch.close();
    expect(await java.call('await')).toBe(true);
    latch = new LeaderLatch(peers.zk, path, { id: 'node' }).start();
    await untilStanding(path, 2);
    expect([latch.isLeader, await java.call('isLeader')]).toEqual([false, true]);
    await java.close();
    await latch.lead();
  }
  await latch.close();
  expect(await peers.zk.getChildren(path)).toEqual([]);
}, 60_000);
