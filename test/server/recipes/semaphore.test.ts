import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError, InvalidPathError, nameOf } from 'zookit';
import { HolderGroup, InvalidLeaseCountError, Semaphore, type SemaphoreLease } from 'zookit/recipes';
import { until, within } from '../../support/until.js';
import { failureOf, useClients } from '../clients.js';

const clients = useClients();

/** The names of the children; none where there is no such znode yet. */
async function namesAt(path: string): Promise<string[]> {
  return (await clients.zk.has(path)) ? clients.zk.getChildren(path) : [];
}

/** Resolves when so many stand in line, and there are so many leases, those of the first in line included. */
async function crowd(path: string, waiting: number, leases: number): Promise<{ turns: string[]; leases: string[] }> {
  return until(
    async () => {
      const seen = { turns: await namesAt(`${path}/locks`), leases: await namesAt(`${path}/leases`) };
      return seen.turns.length === waiting && seen.leases.length === leases && seen;
    },
    { what: `${waiting} in line and ${leases} leases` },
  );
}

async function expectEmpty(path: string): Promise<void> {
  // The turn of who has come in goes in the background.
  await crowd(path, 0, 0);
}

const bytes = (count: number): Buffer => Buffer.from([0, 0, 0, count]);

describe('acquire', () => {
  it('K1: never lets more in than there are leases, and serves all', async () => {
    const path = await clients.folder();
    const zks = [clients.zk, await clients.another(), await clients.another(), await clients.another()];
    let inside = 0;
    let most = 0;
    const work = Array.from({ length: 40 }, async (_, index) => {
      const semaphore = new Semaphore(zks[index % zks.length]!, path, 3);
      const count = (index % 3) + 1;
      const group = await semaphore.acquire({ count });
      expect([group.held, group.parts.length]).toEqual([true, count]);
      most = Math.max(most, (inside += count));
      await zks[index % zks.length]!.sync('/');
      inside -= count;
      await group.release();
    });
    await within(Promise.all(work), { what: 'all to be served', timeout: 60_000 });
    expect([most <= 3, most > 1, inside]).toEqual([true, true, 0]);
    await expectEmpty(path);
    const all = await new Semaphore(clients.zk, path, 3).acquire({ count: 3, timeout: 5_000 });
    await all.release();
  });

  it('has the znodes of Curator, with the data of the holder', async () => {
    const path = `${await clients.folder()}/a/b`;
    const semaphore = new Semaphore(clients.zk, path, 2, { data: 'me' });
    const lease = await semaphore.acquire();
    const id = '_c_[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}-';
    expect(lease.path).toMatch(new RegExp(`^${path}/leases/${id}lease-\\d{10}$`));
    const node = await clients.zk.getData(lease.path);
    expect([node.text(), node.stat.ephemeralOwner]).toEqual(['me', clients.zk.session.id]);
    const others = [semaphore.acquire(), semaphore.acquire(), semaphore.acquire()];
    const { turns } = await crowd(path, 2, 3);
    for (const name of turns) expect(name).toMatch(new RegExp(`^${id}lock-\\d{10}$`));
    await lease.release();
    for (const each of others) await (await within(each, { what: 'a lease' })).release();
    await expectEmpty(path);
  });

  it('serves those who wait in order: who wants many is not overtaken by who wants few', async () => {
    const path = await clients.folder();
    const zks = [clients.zk, await clients.another(), await clients.another()];
    const [first, many, few] = zks.map((zk) => new Semaphore(zk, path, 3));
    const held = await first!.acquire();
    const order: string[] = [];
    const gettingMany = many!.acquire({ count: 3 }).then((group) => {
      order.push('many');
      return group.release();
    });
    await crowd(path, 1, 4);
    const gettingFew = few!.using(() => void order.push('few'));
    await crowd(path, 2, 4);
    expect(await few!.tryAcquire()).toBeUndefined();
    await held.release();
    await within(Promise.all([gettingMany, gettingFew]), { what: 'both' });
    expect(order).toEqual(['many', 'few']);
    await expectEmpty(path);
  });

  it('waits for leases of others, whatever their names', async () => {
    const path = await clients.folder();
    const other = await clients.another();
    for (const name of ['leases', 'locks']) await clients.zk.create(`${path}/${name}`);
    const foreign = await other.create(`${path}/leases/foreign`, null, { mode: 'ephemeral' });
    const semaphore = new Semaphore(clients.zk, path, 1);
    expect(await semaphore.tryAcquire()).toBeUndefined();
    const acquiring = semaphore.acquire();
    await crowd(path, 1, 2);
    await other.delete(foreign.path);
    await (await within(acquiring, { what: 'the lease' })).release();
  });

  it('lets nobody pass who stands in line, also in the line of others', async () => {
    const path = await clients.folder();
    const other = await clients.another();
    for (const name of ['leases', 'locks']) await clients.zk.create(`${path}/${name}`);
    const turn = await other.create(`${path}/locks/lock-`, null, { mode: 'ephemeralSequential' });
    const semaphore = new Semaphore(clients.zk, path, 5);
    expect(await semaphore.tryAcquire()).toBeUndefined();
    const acquiring = semaphore.acquire();
    await crowd(path, 2, 0);
    await other.delete(turn.path);
    await (await within(acquiring, { what: 'the lease' })).release();
  });

  it('starts again when somebody deletes the turn or the lease of who waits', async () => {
    const path = await clients.folder();
    const other = await clients.another();
    const held = await new Semaphore(other, path, 1).acquire();
    const acquiring = new Semaphore(clients.zk, path, 1).acquire();
    const isOther = (name: string): boolean => name !== nameOf(held.path);
    for (const folder of ['leases', 'locks'] as const) {
      const { turns, leases } = await crowd(path, 1, 2);
      const ours = { locks: turns[0]!, leases: leases.find(isOther)! };
      // It watches over its turn a little later.
      await until(() => clients.zk.watches().some((each) => each.path === `${path}/locks/${ours.locks}`), {
        what: 'the watch of the turn',
      });
      await other.delete(`${path}/${folder}/${ours[folder]}`);
      await until(async () => (await crowd(path, 1, 2)).leases.find(isOther) !== ours.leases, { what: 'another try' });
    }
    await held.release();
    const lease = await within(acquiring, { what: 'the lease' });
    expect(lease.held).toBe(true);
    await lease.release();
    await expectEmpty(path);
  });

  it('gives a group that is lost as soon as one of its leases is', async () => {
    const path = await clients.folder();
    const group = await new Semaphore(clients.zk, path, 3).acquire({ count: 2 });
    expect(group).toBeInstanceOf(HolderGroup);
    const { signal } = group;
    await clients.zk.delete(group.parts[1]!.path);
    await until(() => signal.aborted, { what: 'the loss' });
    expect([group.held, group.parts.map(({ held }) => held)]).toEqual([false, [true, false]]);
    await group.release();
    await expectEmpty(path);
  });
});

describe('the end of a wait', () => {
  it('by its timeout leaves nothing', async () => {
    const path = await clients.folder();
    const held = await new Semaphore(clients.zk, path, 2).acquire({ count: 2 });
    const loser = new Semaphore(await clients.another(), path, 2);
    const failure = await failureOf(loser.acquire({ timeout: 100, count: 2 }));
    expect(failure).toMatchObject({ code: 'OPERATION_TIMEOUT', operation: 'Semaphore.acquire', path });
    expect(await namesAt(`${path}/locks`)).toEqual([]);
    expect((await clients.zk.getChildren(`${path}/leases`)).sort()).toEqual(
      held.parts.map((each) => nameOf(each.path)).sort(),
    );
    await held.release();
  });

  it('by its signal, at any moment, leaves nothing', async () => {
    const path = await clients.folder();
    const other = await clients.another();
    const held = await new Semaphore(clients.zk, path, 1).acquire();
    const semaphore = new Semaphore(other, path, 1);
    for (let round = 0; round < 16; round++) {
      const stop = new AbortController();
      const acquiring = semaphore.acquire({ signal: stop.signal });
      for (let turn = 0; turn < round; turn++) await other.exists('/');
      stop.abort();
      expect(await failureOf(acquiring)).toMatchObject({ code: 'ABORTED' });
      const names = await Promise.all(['locks', 'leases'].map((name) => namesAt(`${path}/${name}`)));
      expect(names).toEqual([[], [nameOf(held.path)]]);
    }
    await held.release();
  });
});

describe('tryAcquire', () => {
  it('takes what is free, all or none', async () => {
    const path = await clients.folder();
    const semaphore = new Semaphore(clients.zk, path, 3);
    const two = await semaphore.tryAcquire({ count: 2 });
    expect(two?.held).toBe(true);
    expect(await semaphore.tryAcquire({ count: 2 })).toBeUndefined();
    const one = await semaphore.tryAcquire();
    expect([one?.held, await semaphore.tryAcquire()]).toEqual([true, undefined]);
    await two?.release();
    await one?.release();
    await expectEmpty(path);
  });

  it('never takes more than there are, however many try at once, and one gets the last', async () => {
    const path = await clients.folder();
    const zks = [clients.zk, await clients.another(), await clients.another(), await clients.another()];
    for (let round = 0; round < 10; round++) {
      const tried = await Promise.all(zks.map((zk) => new Semaphore(zk, path, 1).tryAcquire()));
      const taken = tried.filter((each): each is SemaphoreLease => each !== undefined);
      expect(taken).toHaveLength(1);
      for (const each of taken) await each.release();
    }
    await expectEmpty(path);
  });
});

describe('a count that stands in a znode', () => {
  it('is written by who comes first, as Curator does, and is the same for all', async () => {
    const path = await clients.folder();
    const count = { path: `${path}/count`, initial: 2 };
    const semaphore = new Semaphore(clients.zk, path, count);
    const leases = [await semaphore.acquire(), await semaphore.acquire()];
    expect((await clients.zk.getData(count.path)).data).toEqual(bytes(2));
    expect(await new Semaphore(clients.zk, path, { ...count, initial: 9 }).tryAcquire()).toBeUndefined();
    for (const each of leases) await each.release();
  });

  it('lets in who waits when it grows, and takes nothing away when it shrinks', async () => {
    const path = await clients.folder();
    const count = { path: `${path}/count`, initial: 1 };
    const semaphore = new Semaphore(clients.zk, path, count);
    const first = await semaphore.acquire();
    const waiting = new Semaphore(await clients.another(), path, count).acquire({ count: 2 });
    await crowd(path, 1, 3);
    await clients.zk.setData(count.path, bytes(2));
    await clients.zk.sync('/');
    await semaphore.setCount(3);
    const group = await within(waiting, { what: 'the two' });
    await semaphore.setCount(0);
    expect([group.held, first.held, (await semaphore.participants()).map(({ holds }) => holds)]).toEqual([
      true,
      true,
      [false, false, false],
    ]);
    await group.release();
    await first.release();
    expect(await semaphore.tryAcquire()).toBeUndefined();
    await semaphore.setCount(1);
    await (await semaphore.acquire({ timeout: 5_000 })).release();
    await expectEmpty(path);
  });

  it('is refused where it is none, and nothing stays', async () => {
    const path = await clients.folder();
    const count = { path: `${path}/count`, initial: 1 };
    await clients.zk.create(count.path, '3');
    const failure = await failureOf(new Semaphore(clients.zk, path, count).acquire());
    expect(failure).toBeInstanceOf(InvalidLeaseCountError);
    expect(failure).toMatchObject({ path: count.path, message: expect.stringContaining('1 bytes') as string });
    expect(await clients.zk.getChildren(`${path}/leases`)).toEqual([]);
  });
});

it('participants are the leases, in order, with their data', async () => {
  const path = await clients.folder();
  const semaphores = ['a', 'b', 'c'].map((data) => new Semaphore(clients.zk, path, 2, { data }));
  expect(await semaphores[0]!.participants()).toEqual([]);
  const leases = [await semaphores[0]!.acquire(), await semaphores[1]!.acquire()];
  const waiting = semaphores[2]!.acquire();
  await crowd(path, 1, 3);
  const participants = await semaphores[0]!.participants();
  expect(participants.map(({ id, holds }) => [id, holds])).toEqual([
    ['a', true],
    ['b', true],
    ['c', false],
  ]);
  expect(participants[0]?.path).toBe(leases[0]?.path);
  for (const each of leases) await each.release();
  await (await waiting).release();
});

it('refuses what it cannot understand, at once', async () => {
  const make =
    (path: string, count: unknown, options: object = {}) =>
    () =>
      new Semaphore(clients.zk, path, count as number, options);
  expect(make('a', 1)).toThrow(InvalidPathError);
  expect(make('/a', 0)).toThrow('the count is 0; it must be a whole number from 1 to 2147483647');
  expect(make('/a', { path: '/b' })).toThrow('the count is undefined; it must be a whole number from 0 to 2147483647');
  expect(make('/a', { path: 'b', initial: 1 })).toThrow(InvalidPathError);
  expect(make('/a', { path: '/b', seed: 1 })).toThrow('there is no option "seed"');
  expect(make('/a', 1, { max: 1 })).toThrow(InvalidArgumentError);
  const semaphore = new Semaphore(clients.zk, await clients.folder(), 2);
  const asks = [
    semaphore.acquire({ count: 3 }),
    semaphore.acquire({ count: 0 }),
    semaphore.acquire({ max: 1 } as object),
    semaphore.setCount(3),
  ];
  for (const ask of asks) expect(await failureOf(ask)).toBeInstanceOf(InvalidArgumentError);
});
