import { describe, expect, it, test } from '@jest/globals';
import { InvalidArgumentError } from 'zookit';
import { type Lock, LockRevokedError, Mutex } from 'zookit/recipes';
import { gate, until, within } from '../../support/until.js';
import { failureOf, useClients } from '../clients.js';

const clients = useClients();

/** Opens when the lock is wanted back. */
function revoked(lock: Lock): Promise<unknown> {
  const told = gate<unknown>();
  const { revoked: signal } = lock;
  signal.addEventListener('abort', () => told.open(signal.reason));
  return within(told.promise, { what: 'the request' });
}

async function lineOf(path: string, count: number): Promise<void> {
  await until(async () => (await clients.zk.getChildren(path)).length === count, { what: `a line of ${count}` });
}

describe('revoke', () => {
  it('writes what Curator writes, and tells the holder, which goes on holding', async () => {
    const path = await clients.folder();
    const told: Lock[] = [];
    const lock = await new Mutex(clients.zk, path, { data: 'me' }).acquire({ onRevoke: (each) => told.push(each) });
    const reason = revoked(lock);
    const mutex = new Mutex(await clients.another(), path);
    expect(await mutex.revoke()).toBe('asked');
    expect((await clients.zk.getData(lock.path)).text()).toBe('__REVOKE__');
    expect(await reason).toBeInstanceOf(LockRevokedError);
    expect([lock.held, lock.signal.aborted]).toEqual([true, false]);
    expect(await mutex.revoke()).toBe('asked');
    await clients.zk.sync('/');
    expect(told).toEqual([lock]);
    await lock.release();
    expect(await mutex.revoke()).toBe('nobody');
  });

  it('tells of other data nothing', async () => {
    const lock = await new Mutex(clients.zk, await clients.folder()).acquire();
    const { revoked: signal } = lock;
    for (const data of ['a', '__REVOKE__?', null]) await clients.zk.setData(lock.path, data);
    await clients.zk.sync('/');
    expect(signal.aborted).toBe(false);
    const reason = revoked(lock);
    await clients.zk.setData(lock.path, '__REVOKE__');
    expect(await reason).toMatchObject({ code: 'LOCK_REVOKED', path: lock.path });
    await lock.release();
  });

  it('asks one who waits as soon as that holds', async () => {
    const path = await clients.folder();
    const other = await clients.another();
    const mutex = new Mutex(other, path);
    const first = await new Mutex(clients.zk, path).acquire();
    const waiting = new Mutex(clients.zk, path).acquire();
    await lineOf(path, 2);
    const [, second] = await mutex.participants();
    expect(await mutex.revoke(second)).toBe('asked');
    await first.release();
    const lock = await waiting;
    await revoked(lock);
    await lock.release();
  });

  it('breaks the lock of a holder that does not go, and leaves one alone that goes', async () => {
    const path = await clients.folder();
    const mutex = new Mutex(await clients.another(), path);
    const stubborn = await new Mutex(clients.zk, path).acquire();
    const lost = gate();
    stubborn.signal.addEventListener('abort', () => lost.open());
    expect(await mutex.revoke(stubborn.path, { breakAfter: 20 })).toBe('broken');
    await within(lost.promise, { what: 'the loss' });
    expect(await clients.zk.getChildren(path)).toEqual([]);

    const willing = await new Mutex(clients.zk, path).acquire({ onRevoke: (lock) => void lock.release() });
    expect(await mutex.revoke(willing, { breakAfter: 30_000 })).toBe('left');
    expect(willing.held).toBe(false);
  });

  it('can be ended, and breaks nothing then', async () => {
    const path = await clients.folder();
    const lock = await new Mutex(clients.zk, path).acquire();
    const stop = new AbortController();
    const asking = failureOf(
      new Mutex(await clients.another(), path).revoke(lock, { breakAfter: 30_000, signal: stop.signal }),
    );
    await revoked(lock);
    stop.abort();
    expect(await asking).toMatchObject({ code: 'ABORTED' });
    expect(await clients.zk.has(lock.path)).toBe(true);
    await lock.release();
  });

  it('refuses what is no contender of this lock', async () => {
    const mutex = new Mutex(clients.zk, '/a');
    expect(await failureOf(mutex.revoke('/b/c'))).toMatchObject({ code: 'INVALID_ARGUMENT', path: '/a' });
    expect(await failureOf(mutex.revoke('/a'))).toBeInstanceOf(InvalidArgumentError);
    for (const breakAfter of [-1, NaN, 2 ** 31])
      expect(await failureOf(mutex.revoke(undefined, { breakAfter }))).toBeInstanceOf(InvalidArgumentError);
    expect(await mutex.revoke()).toBe('nobody');
    expect(await mutex.revoke('/a/b')).toBe('nobody');
  });
});

describe('the longest hold', () => {
  it('asks the holder, and takes the lock from one that does not give it back', async () => {
    const path = await clients.folder();
    const lock = await new Mutex(clients.zk, path, { maxHold: 50 }).acquire({ maxHoldGrace: 50 });
    const lost = gate<unknown>();
    const heldWhenAsked = gate<boolean>();
    lock.revoked.addEventListener('abort', () => heldWhenAsked.open(lock.held));
    lock.signal.addEventListener('abort', () => lost.open(lock.signal.reason));
    const next = new Mutex(await clients.another(), path).acquire();
    expect(await within(heldWhenAsked.promise, { what: 'the request' })).toBe(true);
    expect(await within(lost.promise, { what: 'the loss' })).toMatchObject({
      code: 'LEASE_LOST',
      message: expect.stringContaining('held for more than 50 ms'),
    });
    const other = await within(next, { what: 'the next' });
    expect([lock.held, other.held]).toEqual([false, true]);
    await lock.release();
    expect(other.held).toBe(true);
    await other.release();
  });

  it('leaves one alone that gives it back in time', async () => {
    const path = await clients.folder();
    const lock = await new Mutex(clients.zk, path).acquire({ maxHold: 0, maxHoldGrace: 30_000 });
    const reason = await revoked(lock);
    await lock.release();
    expect(reason).toMatchObject({ message: expect.stringContaining('the lock was held for 0 ms') });
    expect(lock.signal.reason).toMatchObject({ message: expect.stringContaining('given back') });
    expect(await clients.zk.getChildren(path)).toEqual([]);
  });

  it('is checked', async () => {
    for (const maxHold of [-1, NaN, 2 ** 31, '1' as unknown as number]) {
      expect(() => new Mutex(clients.zk, '/a', { maxHold })).toThrow(InvalidArgumentError);
      expect(await failureOf(new Mutex(clients.zk, '/a').acquire({ maxHold }))).toBeInstanceOf(InvalidArgumentError);
    }
    expect(() => new Mutex(clients.zk, '/a', { onRevoke: 1 as never })).toThrow('onRevoke is no function');
  });
});

test('a holder of one policy leaves the others of the mutex alone', async () => {
  const path = await clients.folder();
  const mutex = new Mutex(clients.zk, path, { data: 'default', loseOn: 'suspended' });
  const own = await mutex.acquire({ data: 'own', margin: undefined });
  expect((await clients.zk.getData(own.path)).text()).toBe('own');
  await own.release();
  const next = await mutex.acquire({ timeout: 10_000 });
  expect((await clients.zk.getData(next.path)).text()).toBe('default');
  await next.release();
  expect(await failureOf(mutex.acquire({ marign: 5 } as object))).toMatchObject({
    message: expect.stringContaining('there is no option "marign"; known are timeout, signal, margin, loseOn'),
  });
});
