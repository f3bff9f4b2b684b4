import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError, NoAuthError, type WaitOptions } from 'zookit';
import { type Holder, type Lockable, MultiLock, Mutex, ReadWriteLock, Semaphore } from 'zookit/recipes';
import { until, within } from '../../support/until.js';
import { failureOf, useClients } from '../clients.js';

const clients = useClients();

/** A lock that tells when it was asked for and given back. */
function telling(lock: Lockable, log: string[]): Lockable {
  const tell = (held: Holder): Holder =>
    new Proxy(held, {
      get: (target, name) => {
        if (name === 'release') log.push(`release ${lock.path}`);
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  return {
    path: lock.path,
    acquire: async (options: WaitOptions) => {
      log.push(`acquire ${lock.path}`);
      return tell(await lock.acquire(options));
    },
    tryAcquire: async (options: WaitOptions) => {
      const held = await lock.tryAcquire(options);
      return held === undefined ? undefined : tell(held);
    },
  };
}

describe('a multi lock', () => {
  it('takes locks of all kinds by path, then by kind, and gives them back the last one first', async () => {
    const folder = await clients.folder();
    const { zk } = clients;
    const log: string[] = [];
    const at = (name: string): string => `${folder}/${name}`;
    const multi = new MultiLock([
      telling(new Mutex(zk, at('c')), log),
      telling(new ReadWriteLock(zk, at('a')).read, log),
      telling(new Semaphore(zk, at('d'), 2), log),
      telling(new ReadWriteLock(zk, at('b')).write, log),
    ]);
    const group = await multi.acquire();
    expect([group.held, group.parts.length, group.signal.aborted]).toEqual([true, 4, false]);
    group.parts.forEach((part, index) => expect(part.path.startsWith(`${multi.locks[index]!.path}/`)).toBe(true));
    await group.release();
    const order = ['a', 'b', 'c', 'd'].map(at);
    expect(log).toEqual([
      ...order.map((path) => `acquire ${path}`),
      ...order.reverse().map((path) => `release ${path}`),
    ]);
    expect([group.held, group.signal.aborted]).toEqual([false, true]);
    for (const path of [at('a'), at('b'), at('c'), at('d/leases')]) expect(await zk.getChildren(path)).toEqual([]);
    const same = [new ReadWriteLock(zk, at('e')).write, new Mutex(zk, at('e')), new Semaphore(zk, at('e'), 1)];
    expect(new MultiLock(same).locks).toEqual([same[1], same[0], same[2]]);
  });

  it('does not deadlock, whatever order the lists of its callers are in', async () => {
    const folder = await clients.folder();
    const zks = [clients.zk, await clients.another(), await clients.another()];
    let inside = 0;
    const work = Array.from({ length: 24 }, async (_, index) => {
      const zk = zks[index % zks.length]!;
      const locks = ['a', 'b', 'c'].map((name) => new Mutex(zk, `${folder}/${name}`));
      const rotated = [...locks.slice(index % 3), ...locks.slice(0, index % 3)];
      await new MultiLock(index % 2 === 0 ? rotated : rotated.reverse()).using(async (group) => {
        expect([++inside, group.held]).toEqual([1, true]);
        await zk.sync('/');
        inside--;
      });
    });
    await within(Promise.all(work), { what: 'all to be served', timeout: 60_000 });
  });

  it('is lost as soon as any part is; the others are given back by its release', async () => {
    const folder = await clients.folder();
    const multi = new MultiLock(['a', 'b'].map((name) => new Mutex(clients.zk, `${folder}/${name}`)));
    const group = await multi.acquire();
    const { signal } = group;
    await clients.zk.delete(group.parts[0]!.path);
    await until(() => signal.aborted, { what: 'the loss' });
    expect([group.held, group.parts.map(({ held }) => held)]).toEqual([false, [false, true]]);
    await group.release();
    expect(await clients.zk.getChildren(`${folder}/b`)).toEqual([]);
  });

  it('has one limit for all, and holds nothing when it is over', async () => {
    const folder = await clients.folder();
    const other = await clients.another();
    const blocker = await new Mutex(other, `${folder}/c`).acquire();
    const multi = new MultiLock(['a', 'b', 'c'].map((name) => new Mutex(clients.zk, `${folder}/${name}`)));
    const failure = await failureOf(multi.acquire({ timeout: 150 }));
    expect(failure).toMatchObject({ code: 'OPERATION_TIMEOUT', operation: 'MultiLock.acquire' });
    const stop = new AbortController();
    const waiting = failureOf(multi.acquire({ signal: stop.signal }));
    await until(async () => (await other.getChildren(`${folder}/c`)).length === 2, { what: 'it to wait' });
    stop.abort(new Error('enough'));
    expect(await waiting).toMatchObject({ code: 'ABORTED', cause: new Error('enough') });
    for (const name of ['a', 'b']) expect(await other.getChildren(`${folder}/${name}`)).toEqual([]);
    expect(await other.getChildren(`${folder}/c`)).toHaveLength(1);
    expect(await multi.tryAcquire()).toBeUndefined();
    for (const name of ['a', 'b']) expect(await other.getChildren(`${folder}/${name}`)).toEqual([]);
    await blocker.release();
    const group = await multi.tryAcquire();
    expect(group?.held).toBe(true);
    await group?.release();
  });

  it('an error at one lock gives back those before it, and asks for none behind it', async () => {
    const folder = await clients.folder();
    const { zk } = clients;
    await zk.create(`${folder}/b`, null, { acl: [{ scheme: 'world', id: 'anyone', permissions: ['read'] }] });
    const log: string[] = [];
    const locks = ['a', 'b', 'c'].map((name) => telling(new Mutex(zk, `${folder}/${name}`), log));
    expect(await failureOf(new MultiLock(locks).acquire())).toBeInstanceOf(NoAuthError);
    expect(log).toEqual([`acquire ${folder}/a`, `acquire ${folder}/b`, `release ${folder}/a`]);
    expect(await zk.getChildren(`${folder}/a`)).toEqual([]);
  });

  it('takes all anew when a part is lost while it waits for another one', async () => {
    const folder = await clients.folder();
    const other = await clients.another();
    const blocker = await new Mutex(other, `${folder}/b`).acquire();
    const multi = new MultiLock(['a', 'b'].map((name) => new Mutex(clients.zk, `${folder}/${name}`)));
    const acquiring = multi.acquire();
    await until(async () => (await other.getChildren(`${folder}/b`)).length === 2, { what: 'it to wait' });
    const [first] = await other.getChildren(`${folder}/a`);
    await other.delete(`${folder}/a/${first}`);
    await until(
      async () => {
        const [again] = await other.getChildren(`${folder}/a`);
        return again !== undefined && again !== first;
      },
      { what: 'the part to be taken again' },
    );
    await blocker.release();
    const group = await within(acquiring, { what: 'the group' });
    expect([group.held, group.parts.map(({ held }) => held)]).toEqual([true, [true, true]]);
    await group.release();
  });

  it('can be part of another one', async () => {
    const folder = await clients.folder();
    const [a, b, c] = ['a', 'b', 'c'].map((name) => new Mutex(clients.zk, `${folder}/${name}`));
    expect(new MultiLock([c!, new MultiLock([b!, a!])]).locks).toEqual([a, b, c]);
  });

  it('refuses what would wait for itself, and an empty list', async () => {
    const { zk } = clients;
    const make =
      (...locks: Lockable[]) =>
      () =>
        new MultiLock(locks);
    expect(make()).toThrow(InvalidArgumentError);
    expect(make(new Mutex(zk, '/a'), new Mutex(zk, '/a'))).toThrow(
      'there are two locks of the kind Mutex at this path',
    );
    const lock = new ReadWriteLock(zk, '/a');
    expect(make(lock.read, lock.write)).toThrow('two locks of the kind ReadWriteLock');
    expect(make(new Semaphore(zk, '/a', 1), new Semaphore(zk, '/a', 1))).toThrow(InvalidArgumentError);
  });
});
