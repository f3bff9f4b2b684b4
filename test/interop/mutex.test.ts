import { describe, expect, it } from '@jest/globals';
import { nameOf, type ZooKeeper } from 'zookit';
import { Mutex } from 'zookit/recipes';
import { gate, until, within } from '../support/until.js';
import { usePeers } from './peers.js';
import { Room, type Visitor } from './room.js';

const peers = usePeers();

/** Takes and gives back again and again. Who was inside at each time. */
async function rounds(zk: ZooKeeper, path: string, room: Room, count: number): Promise<Visitor[][]> {
  const mutex = new Mutex(zk, path);
  const seen: Visitor[][] = [];
  for (let round = 0; round < count; round++)
    seen.push(await mutex.using((lock) => room.visit('writer', nameOf(lock.path), zk)));
  return seen;
}

/** That each of so many was alone, that no number was lost, and that they came in the order of their znodes. */
async function expectExclusion(room: Room, seen: readonly Visitor[][], visits: number): Promise<void> {
  expect(seen).toHaveLength(visits);
  expect(seen.filter((each) => each.length !== 1)).toEqual([]);
  expect(await room.count()).toBe(visits);
  const sequences = (await room.log()).map((name) => Number(name.slice(-10)));
  expect(sequences).toHaveLength(visits);
  expect(sequences).toEqual([...new Set(sequences)].sort((a, b) => a - b));
}

describe('U1: never two holders, and in the order in which they asked', () => {
  it('Curator and zookit, two contenders each, 200 hand-overs', async () => {
    const room = await Room.open(peers.zk);
    const path = '/mutex-curator';
    const args = { count: 50, room: room.path, as: 'writer' };
    const theirs = [await peers.curator.open('mutex', path), await peers.curator.open('mutex', path)];
    const seen = await Promise.all([
      ...theirs.map((mutex) => mutex.call<Visitor[][]>('rounds', args)),
      ...[peers.zk, await peers.another()].map((zk) => rounds(zk, path, room, args.count)),
    ]);
    await expectExclusion(room, seen.flat(), 200);
  }, 120_000);

  it('kazoo, told of our names, and zookit, two contenders each, 200 hand-overs', async () => {
    const room = await Room.open(peers.zk);
    const path = '/mutex-kazoo';
    const args = { count: 50, room: room.path, as: 'writer' };
    const open = () => peers.kazoo.open('mutex', path, { patterns: ['-lock-'] });
    const seen = await Promise.all([
      ...[await open(), await open()].map((mutex) => mutex.call<Visitor[][]>('rounds', args)),
      ...[peers.zk, await peers.another()].map((zk) => rounds(zk, path, room, args.count)),
    ]);
    await expectExclusion(room, seen.flat(), 200);
  }, 120_000);

  it('Java, Python and Node on one path, with a kazoo lock whose names Curator can put in order', async () => {
    const room = await Room.open(peers.zk);
    const path = '/mutex-all';
    const args = { count: 50, room: room.path, as: 'writer' };
    const theirs = [
      await peers.curator.open('mutex', path),
      await peers.kazoo.open('mutex', path, { names: 'curator' }),
    ];
    const seen = await Promise.all([
      ...theirs.map((mutex) => mutex.call<Visitor[][]>('rounds', args)),
      rounds(peers.zk, path, room, args.count),
    ]);
    await expectExclusion(room, seen.flat(), 150);
  }, 120_000);
});

describe('a lock that another one holds', () => {
  it.each(['Curator', 'kazoo'])('of %s is waited for, and taken when it is given back', async (whose) => {
    const path = `/held-by-${whose}`;
    const theirs =
      whose === 'Curator' ? await peers.curator.open('mutex', path) : await peers.kazoo.open('mutex', path);
    expect(await theirs.call('acquire')).toBe(true);
    const mutex = new Mutex(peers.zk, path);
    expect(await mutex.tryAcquire()).toBeUndefined();
    const waiting = mutex.acquire();
    await until(async () => (await peers.zk.getChildren(path)).length === 2, { what: 'a line of two' });
    await theirs.call('release');
    await using lock = await within(waiting, { what: 'the lock' });
    expect(await peers.zk.getChildren(path)).toEqual([nameOf(lock.path)]);
  });

  it.each([
    ['Curator', {}],
    ['kazoo', { patterns: ['-lock-'] }],
    ['kazoo with the names of Curator', { names: 'curator' }],
  ])('is ours: %s does not get it, and leaves no znode; then it does', async (whose, args) => {
    const path = `/held-by-us-${whose.length}`;
    const theirs =
      whose === 'Curator' ? await peers.curator.open('mutex', path) : await peers.kazoo.open('mutex', path, args);
    const lock = await new Mutex(peers.zk, path).acquire();
    expect(await theirs.call('acquire', { timeout: 200 })).toBe(false);
    expect(await peers.zk.getChildren(path)).toEqual([nameOf(lock.path)]);
    const acquired = theirs.call('acquire');
    await until(async () => (await peers.zk.getChildren(path)).length === 2, { what: 'a line of two' });
    await lock.release();
    expect(await acquired).toBe(true);
    await theirs.call('release');
    expect(await peers.zk.getChildren(path)).toEqual([]);
  });

  it('by a Java process that was killed is free when its session has ended', async () => {
    const path = '/killed';
    const doomed = peers.anotherCurator({ sessionTimeout: 4_000 });
    expect(await (await doomed.open('mutex', path)).call('acquire')).toBe(true);
    const [dead = ''] = await peers.zk.getChildren(path);
    await doomed.kill();
    await using lock = await new Mutex(peers.zk, path).acquire({ timeout: 30_000 });
    expect([lock.held, await peers.zk.has(`${path}/${dead}`)]).toEqual([true, false]);
  }, 60_000);
});

it('contenders of ours are listed by Curator and by kazoo', async () => {
  const path = '/listed';
  const curator = await peers.curator.open('mutex', path);
  const kazoo = await peers.kazoo.open('mutex', path, { patterns: ['-lock-'] });
  await using lock = await new Mutex(peers.zk, path, { data: 'node-1' }).acquire();
  expect(await curator.call('participants')).toEqual([lock.path]);
  expect(await kazoo.call('participants')).toEqual(['node-1']);
});

describe('revocation, as in Curator', () => {
  it('a holder of Java is asked by us', async () => {
    const path = '/revoked-java';
    const java = await peers.curator.open('mutex', path);
    await java.call('makeRevocable');
    expect(await java.call('acquire')).toBe(true);
    const mutex = new Mutex(peers.zk, path);
    const waiting = mutex.acquire();
    await until(async () => (await mutex.participants()).length === 2, { what: 'a line of two' });
    expect(await mutex.revoke()).toBe('asked');
    expect(await java.call('revoked')).toBe(true);
    await java.call('release');
    await using lock = await within(waiting, { what: 'the lock' });
    expect(lock.held).toBe(true);
  });

  it('a holder of ours is asked by Java', async () => {
    const path = '/revoked-node';
    const asked = gate();
    await using lock = await new Mutex(peers.zk, path, { onRevoke: () => asked.open() }).acquire();
    const java = await peers.curator.open('mutex', path);
    await java.call('revoke', { path: lock.path });
    await within(asked.promise, { what: 'the request' });
    expect([lock.held, lock.revoked.aborted]).toEqual([true, true]);
  });
});
