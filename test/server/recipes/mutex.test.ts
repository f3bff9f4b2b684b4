import { describe, expect, it, test } from '@jest/globals';
import {
  AbortedError,
  InvalidPathError,
  LeaseLostError,
  Long,
  NoNodeError,
  OperationTimeoutError,
  sequenceOf,
  type ZooKeeper,
} from 'zookit';
import { type Lock, Mutex } from 'zookit/recipes';
import { HoldUps } from '../../support/hold-ups.js';
import { gate, until, within } from '../../support/until.js';
import { failureOf, useClients } from '../clients.js';

const clients = useClients();

/** Resolves when so many stand in line. */
async function lineOf(zk: ZooKeeper, path: string, count: number): Promise<string[]> {
  return until(
    async () => {
      const names = await zk.getChildren(path);
      return names.length === count && names;
    },
    { what: `a line of ${count}` },
  );
}

describe('acquire', () => {
  it('lets one in at a time, in the order of their znodes, with growing fencing tokens', async () => {
    const path = await clients.folder();
    const zks = [clients.zk, await clients.another(), await clients.another(), await clients.another()];
    let inside = 0;
    const holders: Lock[] = [];
    const work = async (lock: Lock): Promise<void> => {
      expect([++inside, lock.held, lock.signal.aborted]).toEqual([1, true, false]);
      holders.push(lock);
      await clients.zk.sync(path);
      inside--;
    };
    await Promise.all(Array.from({ length: 20 }, (_, index) => new Mutex(zks[index % 4]!, path).using(work)));
    const sequences = holders.map((lock) => sequenceOf(lock.path, 'lock-')!);
    expect(sequences).toEqual([...sequences].sort((a, b) => a - b));
    const tokens = holders.map(({ fencingToken }) => fencingToken);
    tokens.slice(1).forEach((token, index) => expect(token.greaterThan(tokens[index]!)).toBe(true));
    expect([holders.length, await clients.zk.getChildren(path)]).toEqual([20, []]);
  });

  it('serves those who wait in the order in which they came', async () => {
    const path = await clients.folder();
    const first = await new Mutex(clients.zk, path).acquire();
    const served: number[] = [];
    const waiters: Promise<void>[] = [];
    for (let waiter = 0; waiter < 5; waiter++) {
      const mutex = new Mutex(await clients.another(), path);
      waiters.push(mutex.using(() => void served.push(waiter)));
      await lineOf(clients.zk, path, waiter + 2);
    }
    expect(served).toEqual([]);
    await first.release();
    await Promise.all(waiters);
    expect(served).toEqual([0, 1, 2, 3, 4]);
  });

  it('is not re-entrant: who asks twice waits for itself', async () => {
    const path = await clients.folder();
    const mutex = new Mutex(clients.zk, path);
    const outer = await mutex.acquire();
    const inner = mutex.acquire();
    await lineOf(clients.zk, path, 2);
    await expect(mutex.acquire({ timeout: 50 })).rejects.toThrow(OperationTimeoutError);
    await outer.release();
    await (await inner).release();
  });

  it('passes over children that are no contenders', async () => {
    const path = await clients.folder();
    for (const name of ['foo', 'lock-', 'x--1', 'lock-00000000010']) await clients.zk.create(`${path}/${name}`);
    await (await new Mutex(clients.zk, path).acquire({ timeout: 5_000 })).release();
  });

  it('waits for contenders of kazoo and go-zookeeper, whatever stands before their number', async () => {
    const path = await clients.folder();
    const other = await clients.another();
    for (const name of ['00112233445566778899aabbccddeeff__lock__', '_c_77f4d3f0-lock-', 'lock-']) {
      const foreign = await other.create(`${path}/${name}`, '', { mode: 'ephemeralSequential' });
      const acquiring = new Mutex(clients.zk, path).acquire({ timeout: 10_000 });
      await lineOf(clients.zk, path, 2);
      expect(await new Mutex(clients.zk, path).tryAcquire()).toBeUndefined();
      await other.delete(foreign.path);
      await (await acquiring).release();
    }
  });

  it('creates what is missing of its path, also when several begin at once', async () => {
    // Whoever finds the parent missing lists its children before its own znode is there.
    const zks = [clients.zk, await clients.another(), await clients.another()];
    for (let round = 0; round < 30; round++) {
      const path = `${await clients.folder()}/a/b`;
      const all = zks.map((zk) => new Mutex(zk, path).using(() => undefined, { timeout: 5_000 }));
      await Promise.all(all);
      expect(await clients.zk.getChildren(path)).toEqual([]);
    }
  });

  it('lines up again when somebody deletes the znode that waits', async () => {
    const path = await clients.folder();
    const first = await new Mutex(clients.zk, path).acquire();
    const second = new Mutex(clients.zk, path).acquire({ timeout: 10_000 });
    const [waiting] = (await lineOf(clients.zk, path, 2)).filter((name) => !first.path.endsWith(name));
    await clients.zk.delete(`${path}/${waiting}`);
    await first.release();
    const lock = await second;
    expect(await clients.zk.getChildren(path)).toEqual([lock.path.slice(path.length + 1)]);
    await lock.release();
  });
});

describe('the end of a wait', () => {
  it('I5: by its timeout rejects about then, and the loser has no znode', async () => {
    const path = await clients.folder();
    await using holder = await new Mutex(clients.zk, path).acquire();
    const loser = await clients.another();
    const begun = performance.now();
    using heldUp = new HoldUps();
    const failure = await failureOf(new Mutex(loser, path).acquire({ timeout: 200 }));
    const took = performance.now() - begun;
    expect(await clients.zk.getChildren(path)).toEqual([holder.path.slice(path.length + 1)]);
    expect(failure).toMatchObject({ code: 'OPERATION_TIMEOUT', operation: 'Mutex.acquire', path });
    expect(took).toBeGreaterThanOrEqual(199);
    expect(took).toBeLessThan(1_000 + heldUp.total);
  });

  it('I12: by its signal leaves no contender when the error reaches the caller', async () => {
    const path = await clients.folder();
    const other = await clients.another();
    await using holder = await new Mutex(clients.zk, path).acquire();
    for (let round = 0; round < 20; round++) {
      const stop = new AbortController();
      const acquiring = new Mutex(other, path).acquire({ signal: stop.signal });
      // At any moment: before the create was sent, before its answer, in line.
      for (let turn = 0; turn < round; turn++) await other.exists('/');
      stop.abort(new Error('enough'));
      const failure = await failureOf(acquiring);
      expect(await other.getChildren(path)).toEqual([holder.path.slice(path.length + 1)]);
      expect(failure).toBeInstanceOf(AbortedError);
      expect(failure).toMatchObject({ cause: new Error('enough') });
    }
  });

  it('I12: by an error in the scope of the lock releases it before the error reaches the caller', async () => {
    const path = await clients.folder();
    const scope = async (): Promise<void> => {
      await using lock = await new Mutex(clients.zk, path).acquire();
      throw new Error(`under ${lock.held}`);
    };
    await expect(scope()).rejects.toThrow('under true');
    expect(await clients.zk.getChildren(path)).toEqual([]);
  });

  it('does not come for others: the line closes up', async () => {
    const path = await clients.folder();
    const first = await new Mutex(clients.zk, path).acquire();
    const leaver = new Mutex(clients.zk, path).acquire({ timeout: 100 });
    await lineOf(clients.zk, path, 2);
    const last = new Mutex(await clients.another(), path).acquire();
    await lineOf(clients.zk, path, 3);
    await expect(leaver).rejects.toThrow(OperationTimeoutError);
    await first.release();
    await (await within(last, { what: 'the last in line' })).release();
  });
});

describe('tryAcquire', () => {
  it('takes a free lock, and leaves a taken one alone', async () => {
    const path = await clients.folder();
    const mutex = new Mutex(clients.zk, path);
    const lock = await mutex.tryAcquire();
    expect(lock?.held).toBe(true);
    const other = new Mutex(await clients.another(), path);
    expect([await other.tryAcquire(), await mutex.tryAcquire()]).toEqual([undefined, undefined]);
    expect(await clients.zk.getChildren(path)).toHaveLength(1);
    await lock?.release();
    await (await other.tryAcquire())?.release();
    await expect(other.tryAcquire({ signal: AbortSignal.abort() })).rejects.toThrow(AbortedError);
  });

  it('gives it to one of many', async () => {
    const path = await clients.folder();
    const zks = [clients.zk, await clients.another(), await clients.another()];
    const locks = await Promise.all(zks.map((zk) => new Mutex(zk, path).tryAcquire()));
    expect(locks.filter((lock) => lock !== undefined)).toHaveLength(1);
    await lineOf(clients.zk, path, 1);
  });
});

describe('using', () => {
  it('hands over what the work returns and throws, and releases in any case', async () => {
    const path = await clients.folder();
    const mutex = new Mutex(clients.zk, path);
    let seen: Lock | undefined;
    expect(await mutex.using((lock) => ((seen = lock), 7))).toBe(7);
    expect(seen?.held).toBe(false);
    await expect(mutex.using(() => Promise.reject(new Error('oops')))).rejects.toThrow('oops');
    expect(await clients.zk.getChildren(path)).toEqual([]);
  });
});

describe('a lock', () => {
  it('is released once, and knows it at once', async () => {
    const path = await clients.folder();
    const lock = await new Mutex(clients.zk, path).acquire();
    const aborted = gate<unknown>();
    lock.signal.addEventListener('abort', () => aborted.open(lock.signal.reason));
    const releases = [lock.release(), lock.release()];
    expect([lock.held, lock.signal.aborted]).toEqual([false, true]);
    expect(await aborted.promise).toMatchObject({ code: 'LEASE_LOST' });
    await Promise.all(releases);
    expect(await clients.zk.getChildren(path)).toEqual([]);
    await using next = await new Mutex(clients.zk, path).acquire();
    await lock.release();
    expect(next.held).toBe(true);
    expect(await clients.zk.has(next.path)).toBe(true);
  });

  it('I14: is lost when somebody deletes its znode', async () => {
    const path = await clients.folder();
    const lock = await new Mutex(clients.zk, path).acquire();
    const lost = gate();
    lock.signal.addEventListener('abort', () => lost.open());
    const other = await clients.another();
    // A change is no deletion, and must not use up what watches over it.
    await other.setData(lock.path, '__REVOKE__');
    await clients.zk.sync(path);
    expect(lock.held).toBe(true);
    await other.delete(lock.path);
    await within(lost.promise, { what: 'the loss', timeout: 1_000 });
    expect(lock.held).toBe(false);
    await lock.release();
  });

  it('has a fencing token that grows also when the parent is deleted and made anew', async () => {
    const path = `${await clients.folder()}/lock`;
    let highest = Long.ZERO;
    for (let round = 0; round < 3; round++) {
      const lock = await new Mutex(clients.zk, path).acquire();
      expect(sequenceOf(lock.path, 'lock-')).toBe(0);
      expect(lock.fencingToken).toEqual((await clients.zk.exists(lock.path))?.czxid);
      expect(lock.fencingToken.greaterThan(highest)).toBe(true);
      highest = lock.fencingToken;
      await lock.release();
      await clients.zk.delete(path);
    }
  });
});

describe('guard', () => {
  it('I11: lets the writes of a holder through, and the server refuses those of a stale one', async () => {
    const path = await clients.folder();
    const value = (await clients.zk.create(`${path}-value`, 'old')).path;
    const lock = await new Mutex(clients.zk, path).acquire();
    const [checked, stat] = await lock.guard(clients.zk.transaction()).setData(value, 'mine').commit();
    expect([checked, stat.version]).toEqual([undefined, 1]);
    const late = lock.guard(clients.zk.transaction().setData(value, 'late'));
    const other = await clients.another();
    await other.delete(lock.path);
    const failure = await failureOf(late.commit());
    expect(failure).toBeInstanceOf(NoNodeError);
    expect(failure).toMatchObject({ path: lock.path, transaction: { index: 1, outcomes: ['rolledBack', 'failed'] } });
    expect((await other.getData(value)).text()).toBe('mine');
  });

  it('takes a transaction of a view with another root, and of another client', async () => {
    const path = await clients.folder();
    const inside = clients.zk.chroot(path);
    const lock = await new Mutex(inside, '/lock').acquire();
    const other = (await clients.another()).chroot(await clients.folder());
    for (const zk of [clients.zk, other]) await lock.guard(zk.transaction().create('/written', '')).commit();
    await clients.zk.delete('/written');
    const late = [clients.zk, other].map((zk) => lock.guard(zk.transaction().create('/late', '')));
    await lock.release();
    for (const each of late) expect(await failureOf(each.commit())).toMatchObject({ code: 'NO_NODE', path: lock.path });
    expect([await clients.zk.has('/late'), await other.has('/late')]).toEqual([false, false]);
  });

  it('throws at once where nothing is held', async () => {
    const lock = await new Mutex(clients.zk, await clients.folder()).acquire();
    await lock.release();
    expect(() => lock.guard(clients.zk.transaction())).toThrow(LeaseLostError);
    expect(() => lock.guard(clients.zk.transaction())).toThrow(`guard ${lock.path}: it is not held any more`);
  });
});

test('the path is checked by the constructor', () => {
  expect(() => new Mutex(clients.zk, 'lock')).toThrow(InvalidPathError);
});
