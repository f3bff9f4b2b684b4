import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError, InvalidPathError, nameOf, sequenceOf, type ZooKeeper } from 'zookit';
import { type ReadLock, ReadWriteLock, type WriteLock } from 'zookit/recipes';
import { gate, until, within } from '../../support/until.js';
import { failureOf, useClients } from '../clients.js';

const clients = useClients();

async function lineOf(zk: ZooKeeper, path: string, count: number): Promise<string[]> {
  return until(
    async () => {
      const names = await zk.getChildren(path);
      return names.length === count && names;
    },
    { what: `a line of ${count}` },
  );
}

describe('readers and writers', () => {
  it('many read at a time, or one writes', async () => {
    const path = await clients.folder();
    const zks = [clients.zk, await clients.another(), await clients.another()];
    let readers = 0;
    let writers = 0;
    let mostReaders = 0;
    const work = Array.from({ length: 36 }, async (_, index) => {
      const zk = zks[index % zks.length]!;
      const lock = new ReadWriteLock(zk, path, { preference: index % 4 === 0 ? 'readers' : 'fair' });
      if (index % 3 === 0) {
        return lock.write.using(async (held) => {
          expect([++writers, readers, held.held]).toEqual([1, 0, true]);
          await zk.sync(path);
          writers--;
        });
      }
      return lock.read.using(async (held) => {
        expect([writers, held.held]).toEqual([0, true]);
        mostReaders = Math.max(mostReaders, ++readers);
        await zk.sync(path);
        readers--;
      });
    });
    await Promise.all(work);
    expect(mostReaders).toBeGreaterThan(1);
    expect(await clients.zk.getChildren(path)).toEqual([]);
  });

  it('have the znodes of Curator', async () => {
    const path = `${await clients.folder()}/a`;
    const lock = new ReadWriteLock(clients.zk, path, { data: 'me' });
    const write = await lock.write.acquire();
    const reading = lock.read.acquire();
    const names = (await lineOf(clients.zk, path, 2)).sort((a, b) => a.slice(-10).localeCompare(b.slice(-10)));
    const id = '_c_[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}-';
    expect(names[0]).toMatch(new RegExp(`^${id}__WRIT__\\d{10}$`));
    expect(names[1]).toMatch(new RegExp(`^${id}__READ__\\d{10}$`));
    const node = await clients.zk.getData(write.path);
    expect([node.text(), node.stat.ephemeralOwner]).toEqual(['me', clients.zk.session.id]);
    await write.release();
    await (await reading).release();
  });

  it('K3: a reader and then a writer who wait for a writer are served in this order', async () => {
    const path = await clients.folder();
    const zks = [clients.zk, await clients.another(), await clients.another()];
    const [first, second, third] = zks.map((zk) => new ReadWriteLock(zk, path));
    const write = await first!.write.acquire();
    const order: string[] = [];
    const reading = second!.read.using(() => void order.push('read'));
    await lineOf(clients.zk, path, 2);
    const writing = third!.write.using(() => void order.push('write'));
    await lineOf(clients.zk, path, 3);
    await write.release();
    await within(Promise.all([reading, writing]), { what: 'both' });
    expect(order).toEqual(['read', 'write']);
  });

  it.each(['fair', 'readers'] as const)(
    'K5: a writer who waits gets in before readers that come later (%s)',
    async (preference) => {
      const path = await clients.folder();
      const lock = new ReadWriteLock(clients.zk, path, { preference });
      const first = await lock.read.acquire();
      const order: string[] = [];
      const other = new ReadWriteLock(await clients.another(), path);
      const writing = other.write.using(() => void order.push('write'));
      await lineOf(clients.zk, path, 2);
      // Who has joined the readers in time holds on; nobody can join it any more.
      const last = preference === 'readers' ? await lock.read.acquire() : first;
      if (last !== first) await first.release();
      const later = Array.from({ length: 3 }, () => lock.read.using(() => void order.push('read')));
      await lineOf(clients.zk, path, 5);
      expect(order).toEqual([]);
      await last.release();
      await within(Promise.all([writing, ...later]), { what: 'all' });
      expect(order).toEqual(['write', 'read', 'read', 'read']);
    },
  );

  it('wait for contenders of others: whoever has __WRIT__ before its number writes, whoever has __READ__ reads', async () => {
    const path = await clients.folder();
    const other = await clients.another();
    for (const name of ['foo', '__WRIT__', 'x__READ__12']) await clients.zk.create(`${path}/${name}`);
    const lock = new ReadWriteLock(clients.zk, path);
    const foreign = await other.create(`${path}/x__READ__`, null, { mode: 'ephemeralSequential' });
    const read = await lock.read.tryAcquire();
    expect([read?.held, await lock.write.tryAcquire()]).toEqual([true, undefined]);
    await read?.release();
    const writing = lock.write.acquire({ timeout: 10_000 });
    await lineOf(clients.zk, path, 5);
    await other.delete(foreign.path);
    await (await writing).release();
    const writer = await other.create(`${path}/x__WRIT__`, null, { mode: 'ephemeralSequential' });
    expect([await lock.read.tryAcquire(), await lock.write.tryAcquire()]).toEqual([undefined, undefined]);
    await other.delete(writer.path);
    const write = await lock.write.tryAcquire();
    expect(write?.held).toBe(true);
    await write?.release();
  });

  it('have tokens that grow from writer to writer, whatever readers were let in between', async () => {
    const path = await clients.folder();
    const lock = new ReadWriteLock(clients.zk, path, { preference: 'readers' });
    const first = await lock.read.acquire();
    const writing = new ReadWriteLock(await clients.another(), path).write.acquire();
    await lineOf(clients.zk, path, 2);
    const joined = await lock.read.acquire();
    expect(joined.fencingToken).toEqual(first.fencingToken);
    await first.release();
    await joined.release();
    const write = await writing;
    expect(write.fencingToken.greaterThan(first.fencingToken)).toBe(true);
    await write.release();
  });
});

describe('a writer that reads on', () => {
  it('lets no other writer in between, also where that asked before', async () => {
    const path = await clients.folder();
    const other = await clients.another();
    const write = await new ReadWriteLock(clients.zk, path).write.acquire();
    let next: WriteLock | undefined;
    const writing = new ReadWriteLock(other, path).write.acquire().then((lock) => (next = lock));
    await lineOf(clients.zk, path, 2);
    const waitingReader = new ReadWriteLock(other, path).read.acquire();
    await lineOf(clients.zk, path, 3);
    const read = await write.acquireRead();
    expect([read.held, write.held, read.fencingToken]).toEqual([true, true, write.fencingToken]);
    expect(sequenceOf(read.path, '__READ__')).toBe(sequenceOf(write.path, '__WRIT__'));
    await write.release();
    await other.sync('/');
    expect([next, read.held]).toEqual([undefined, true]);
    await read.release();
    expect((await writing).held).toBe(true);
    await (await writing).release();
    await (await waitingReader).release();
  });

  it('lets in the readers who stand next', async () => {
    const path = await clients.folder();
    const write = await new ReadWriteLock(clients.zk, path).write.acquire();
    const other = await clients.another();
    const reading = new ReadWriteLock(other, path).read.acquire();
    await lineOf(clients.zk, path, 2);
    const read = await write.downgrade();
    expect([write.held, read.held]).toEqual([false, true]);
    expect((await within(reading, { what: 'the other reader' })).held).toBe(true);
    await (await reading).release();
    await read.release();
    expect(await clients.zk.getChildren(path)).toEqual([]);
  });

  it('is refused once the write lock is gone', async () => {
    const path = await clients.folder();
    const lock = new ReadWriteLock(clients.zk, path);
    const write = await lock.write.acquire();
    await clients.zk.delete(write.path);
    const failures = [await failureOf(write.downgrade())];
    await write.release();
    failures.push(await failureOf(write.acquireRead()));
    for (const failure of failures) expect(failure).toMatchObject({ code: 'LEASE_LOST', path });
    expect(await clients.zk.getChildren(path)).toEqual([]);
  });

  it('leaves nothing where the wait has ended', async () => {
    const path = await clients.folder();
    const write = await new ReadWriteLock(clients.zk, path).write.acquire();
    for (let turns = 0; turns < 6; turns++) {
      const stop = new AbortController();
      const reading = write.acquireRead({ signal: stop.signal });
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      stop.abort();
      expect(await failureOf(reading)).toMatchObject({ code: 'ABORTED', operation: 'WriteLock.acquireRead' });
      expect(await clients.zk.getChildren(path)).toEqual([nameOf(write.path)]);
    }
    await write.release();
  });
});

describe('preference: readers', () => {
  it('lets readers in past writers who wait, not past one who writes', async () => {
    const path = await clients.folder();
    const lock = new ReadWriteLock(clients.zk, path, { preference: 'readers' });
    const other = new ReadWriteLock(await clients.another(), path);
    const first = await lock.read.acquire();
    const writing = other.write.acquire();
    await lineOf(clients.zk, path, 2);
    expect(await new ReadWriteLock(clients.zk, path).read.tryAcquire()).toBeUndefined();
    const readers = [await lock.read.acquire(), await lock.read.tryAcquire()];
    expect(readers.map((each) => each?.held)).toEqual([true, true]);
    await first.release();
    expect(await lock.read.tryAcquire()).toBeUndefined();
    for (const each of readers) await each?.release();
    const write = await writing;
    expect(await lock.read.tryAcquire()).toBeUndefined();
    await write.release();
    expect(await clients.zk.getChildren(path)).toEqual([]);
  });

  it('joins nobody who goes in between: who is too late stands in line', async () => {
    const path = await clients.folder();
    const lock = new ReadWriteLock(clients.zk, path, { preference: 'readers' });
    const other = await clients.another();
    for (let round = 0; round < 10; round++) {
      let reader: ReadLock | undefined = await lock.read.acquire();
      const inside = gate();
      const writing = new ReadWriteLock(other, path).write.using(() => inside.promise);
      await lineOf(clients.zk, path, 2);
      const releasing = reader.release();
      const joining = lock.read.acquire();
      await releasing;
      reader = undefined;
      inside.open();
      await within(writing, { what: 'the writer' });
      await (await within(joining, { what: 'the reader' })).release();
    }
    expect(await clients.zk.getChildren(path)).toEqual([]);
  });
});

it('participants are listed in the order in which they are served', async () => {
  const path = await clients.folder();
  const ids = ['a', 'b', 'c', 'd'];
  const locks = ids.map((data) => new ReadWriteLock(clients.zk, path, { data }));
  expect(await locks[0]!.participants()).toEqual([]);
  const read = await locks[0]!.read.acquire();
  const waiting: Promise<ReadLock | WriteLock>[] = [];
  for (const [index, side] of (['read', 'write', 'read'] as const).entries()) {
    waiting.push(locks[index + 1]![side].acquire());
    await lineOf(clients.zk, path, index + 2);
  }
  const participants = await locks[0]!.participants();
  expect(participants.map(({ id, kind, holds }) => [id, kind, holds])).toEqual([
    ['a', 'read', true],
    ['b', 'read', true],
    ['c', 'write', false],
    ['d', 'read', false],
  ]);
  expect(participants[0]?.path).toBe(read.path);
  await read.release();
  for (const each of waiting) await (await each).release();
});

it('refuses what it cannot understand, at once', async () => {
  const make = (path: string, options: object) => () => new ReadWriteLock(clients.zk, path, options);
  expect(make('a', {})).toThrow(InvalidPathError);
  expect(make('/a', { prefer: 'readers' })).toThrow('there is no option "prefer"');
  expect(make('/a', { preference: 'writers' })).toThrow('the preference is writers; it must be "fair" or "readers"');
  expect(make('/a', { margin: -1 })).toThrow(InvalidArgumentError);
  const lock = new ReadWriteLock(clients.zk, await clients.folder());
  expect(await failureOf(lock.read.acquire({ timeout: -1 }))).toMatchObject({
    operation: 'ReadWriteLock.read.acquire',
  });
});

it('however a wait ends, nothing stays', async () => {
  const path = await clients.folder();
  const holder = await new ReadWriteLock(clients.zk, path).read.acquire();
  const other = await clients.another();
  const lock = new ReadWriteLock(other, path, { preference: 'readers' });
  const waitingWriter = new ReadWriteLock(clients.zk, path).write.acquire();
  const standing = await lineOf(clients.zk, path, 2);
  for (let round = 0; round < 12; round++) {
    const stop = new AbortController();
    const acquiring = lock[round % 2 === 0 ? 'read' : 'write'].acquire({ signal: stop.signal });
    for (let turn = 0; turn < round; turn++) await Promise.resolve();
    stop.abort();
    // A reader may have joined in time.
    await acquiring.then(
      (held) => held.release(),
      (error: unknown) => expect(error).toMatchObject({ code: 'ABORTED' }),
    );
    expect((await other.getChildren(path)).sort()).toEqual([...standing].sort());
  }
  await holder.release();
  await (await waitingWriter).release();
});
