import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError, LeaseLostError } from 'zookit';
import { type Lock, Mutex } from 'zookit/recipes';
import { gate, until, within } from '../../support/until.js';
import { failureOf, useClients } from '../clients.js';

const clients = useClients();

/** How many stand in line. */
async function count(path: string): Promise<number> {
  return (await clients.zk.getChildren(path)).length;
}

describe('a re-entrant mutex', () => {
  it('gives work under the lock one more handle of it, however deep, and is released with the outermost', async () => {
    const path = await clients.folder();
    const mutex = new Mutex(clients.zk, path, { reentrant: true });
    const handles: Lock[] = [];
    await mutex.using(async (outer) => {
      await mutex.using(async (middle) => {
        await clients.zk.sync('/');
        // Another mutex of the same path, by another view of the same client.
        const inner = await new Mutex(clients.zk.chroot(path), '/', { reentrant: true }).tryAcquire();
        handles.push(outer, middle, inner!);
        expect(await count(path)).toBe(1);
        await inner?.release();
        expect(handles.map(({ held }) => held)).toEqual([true, true, false]);
      });
      expect(handles.map(({ held }) => held)).toEqual([true, false, false]);
      expect(await count(path)).toBe(1);
      await outer.guard(clients.zk.transaction()).commit();
    });
    expect(await count(path)).toBe(0);
    expect(new Set(handles.map((each) => each.path)).size).toBe(1);
    expect(new Set(handles.map(({ fencingToken }) => fencingToken.toString())).size).toBe(1);
  });

  it('ends nested handles with the outermost, also those that were not released', async () => {
    const mutex = new Mutex(clients.zk, await clients.folder(), { reentrant: true });
    const outer = await mutex.acquire();
    const nested = await outer.run(() => mutex.acquire());
    const aborted = gate<unknown>();
    nested.signal.addEventListener('abort', () => aborted.open(nested.signal.reason));
    expect(nested.held).toBe(true);
    await outer.release();
    expect([nested.held, await aborted.promise]).toEqual([false, expect.objectContaining({ code: 'LEASE_LOST' })]);
    expect(() => nested.guard(clients.zk.transaction())).toThrow(LeaseLostError);
    await nested.release();
  });

  it('tells the outermost when the lock is wanted back, and shows it to all', async () => {
    const path = await clients.folder();
    const told: Lock[] = [];
    const onRevoke = (lock: Lock): void => void told.push(lock);
    const mutex = new Mutex(clients.zk, path, { reentrant: true, onRevoke, maxHold: 60_000 });
    await mutex.using((outer) =>
      mutex.using(
        async (inner) => {
          const revoked = gate();
          inner.revoked.addEventListener('abort', () => revoked.open());
          await new Mutex(await clients.another(), path).revoke();
          await within(revoked.promise, { what: 'the request' });
          expect([inner.held, told]).toEqual([true, [outer]]);
        },
        { maxHold: 0, maxHoldGrace: 0, data: 'passed over', loseOn: 'suspended' },
      ),
    );
  });

  it('lets work that is not done under the lock wait, also where it has begun beside it', async () => {
    const path = await clients.folder();
    const mutex = new Mutex(clients.zk, path, { reentrant: true });
    let inside = 0;
    const work = async (): Promise<void> => {
      const lock = await mutex.acquire();
      expect(++inside).toBe(1);
      await clients.zk.sync('/');
      inside--;
      await lock.release();
    };
    const first = work();
    await clients.zk.sync('/');
    await Promise.all([first, work(), mutex.using(() => clients.zk.sync('/')), work()]);
    expect(await count(path)).toBe(0);
  });

  it('takes another lock, another session and what was given back for what they are', async () => {
    const path = await clients.folder();
    const other = await clients.another();
    const mutex = new Mutex(clients.zk, path, { reentrant: true });
    await mutex.using(async (lock) => {
      expect(await new Mutex(other, path, { reentrant: true }).tryAcquire()).toBeUndefined();
      expect(await new Mutex(clients.zk, path).tryAcquire()).toBeUndefined();
      await new Mutex(clients.zk, `${path}/other`, { reentrant: true }).using((next) => {
        expect(next.path).not.toBe(lock.path);
      });
      await lock.release();
      await mutex.using((again) => expect(again.path).not.toBe(lock.path));
    });
  });

  it('refuses one more handle of a lock that was lost', async () => {
    const path = await clients.folder();
    const mutex = new Mutex(clients.zk, path, { reentrant: true });
    await mutex.using(async (lock) => {
      const lost = gate();
      lock.signal.addEventListener('abort', () => lost.open());
      await clients.zk.delete(lock.path);
      await within(lost.promise, { what: 'the loss' });
      const failure = await failureOf(mutex.acquire());
      expect(failure).toBeInstanceOf(LeaseLostError);
      expect(failure).toMatchObject({ operation: 'Mutex.acquire', path, cause: { code: 'LEASE_LOST' } });
      expect(await count(path)).toBe(0);
    });
  });

  it('waits for others as ever', async () => {
    const path = await clients.folder();
    const mutex = new Mutex(clients.zk, path, { reentrant: true });
    const holder = await new Mutex(await clients.another(), path).acquire();
    const waiting = mutex.using(() => mutex.using(({ held }) => held));
    await until(async () => (await count(path)) === 2, { what: 'a line of two' });
    await holder.release();
    expect(await waiting).toBe(true);
  });
});

it('the option is checked', () => {
  expect(() => new Mutex(clients.zk, '/a', { reentrant: 'yes' as unknown as boolean })).toThrow(InvalidArgumentError);
});
