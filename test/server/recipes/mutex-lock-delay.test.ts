import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError } from 'zookit';
import { Mutex } from 'zookit/recipes';
import { gate, until, within } from '../../support/until.js';
import { failureOf, useClients } from '../clients.js';

const clients = useClients();

/** Longer than any test waits. */
const FOR_EVER = 1_000_000;

async function lineOf(path: string, count: number): Promise<void> {
  await until(async () => (await clients.zk.getChildren(path)).length === count, { what: `a line of ${count}` });
}

/** Leaves the mark of a holder that has crashed. */
async function crash(path: string, lockDelay: number): Promise<void> {
  const zk = await clients.another();
  await new Mutex(zk, path, { lockDelay }).acquire();
  // As a crash: the session ends, and nothing was released.
  await zk.close();
}

describe('the lock delay', () => {
  it('costs nothing but a mark that comes and goes as long as everybody releases', async () => {
    const path = await clients.folder();
    const mutex = new Mutex(clients.zk, path, { lockDelay: FOR_EVER });
    for (let round = 0; round < 3; round++) {
      const lock = await mutex.acquire({ timeout: 10_000 });
      const mark = await clients.zk.getData(`${path}-__held__`);
      expect(mark.json()).toEqual({ holder: lock.path.slice(path.length + 1), lockDelay: FOR_EVER });
      expect(mark.stat.ephemeralOwner.isZero()).toBe(true);
      await lock.release();
      expect(await clients.zk.has(`${path}-__held__`)).toBe(false);
    }
    expect(await (await mutex.tryAcquire())?.release()).toBeUndefined();
  });

  it('keeps the lock closed after a crash, for as long as the holder has asked for, and no longer', async () => {
    const path = await clients.folder();
    await crash(path, 300);
    const begun = performance.now();
    const lock = await new Mutex(clients.zk, path, { lockDelay: FOR_EVER }).acquire();
    expect(performance.now() - begun).toBeGreaterThanOrEqual(299);
    await lock.release();
    await (await new Mutex(clients.zk, path, { lockDelay: FOR_EVER }).acquire({ timeout: 10_000 })).release();
  });

  it('lets nobody past meanwhile, and is waited for anew by the next one when the first gives up', async () => {
    const path = await clients.folder();
    await crash(path, FOR_EVER);
    const mutex = new Mutex(clients.zk, path, { lockDelay: 5 });
    const stop = new AbortController();
    const waiting = failureOf(mutex.acquire({ signal: stop.signal }));
    await lineOf(path, 1);
    // Who knows nothing of the delay stands behind, too: so does Curator.
    expect(await new Mutex(await clients.another(), path).tryAcquire()).toBeUndefined();
    stop.abort();
    expect(await waiting).toMatchObject({ code: 'ABORTED' });
    expect(await clients.zk.getChildren(path)).toEqual([]);
    expect(await failureOf(mutex.tryAcquire({ timeout: 50 }))).toMatchObject({ code: 'OPERATION_TIMEOUT' });
    expect(await clients.zk.getChildren(path)).toEqual([]);
    expect((await clients.zk.getData(`${path}-__held__`)).json()).toMatchObject({ lockDelay: FOR_EVER });
  });

  it('is kept after the longest hold, whose work may go on', async () => {
    const path = await clients.folder();
    const mutex = new Mutex(clients.zk, path, { lockDelay: FOR_EVER });
    const lock = await mutex.acquire({ maxHold: 0, maxHoldGrace: 0 });
    const lost = gate();
    lock.signal.addEventListener('abort', () => lost.open());
    if (lock.held) await within(lost.promise, { what: 'the loss' });
    await lock.release();
    expect(await clients.zk.has(`${path}-__held__`)).toBe(true);
    expect(await clients.zk.getChildren(path)).toEqual([]);
  });

  it('takes a mark that somebody else has written for one of a crash', async () => {
    for (const data of ['', 'x', 'null', '{"lockDelay":-1}', '{"lockDelay":"1"}']) {
      const path = await clients.folder();
      await clients.zk.create(`${path}-__held__`, data);
      const lock = await new Mutex(clients.zk, path, { lockDelay: 1 }).acquire({ timeout: 10_000 });
      await lock.release();
      expect(await clients.zk.has(`${path}-__held__`)).toBe(false);
    }
  });

  it('is checked', () => {
    for (const lockDelay of [-1, NaN, 2 ** 31])
      expect(() => new Mutex(clients.zk, '/a', { lockDelay })).toThrow(InvalidArgumentError);
    expect(() => new Mutex(clients.zk, '/', { lockDelay: 1 })).toThrow('a lock at the root has no place');
  });
});

describe('markers', () => {
  it('name further contenders that are waited for', async () => {
    const path = await clients.folder();
    const mutex = new Mutex(clients.zk, path, { markers: ['x-'] });
    const foreign = await clients.zk.create(`${path}/x-`, 'foreign', { mode: 'ephemeralSequential' });
    expect(await mutex.tryAcquire()).toBeUndefined();
    expect(await mutex.participants()).toMatchObject([{ id: 'foreign', isHolder: true }]);
    await clients.zk.delete(foreign.path);
    await (await mutex.acquire({ timeout: 10_000 })).release();
    expect(() => new Mutex(clients.zk, '/a', { markers: [''] })).toThrow('markers must be texts that are not empty');
  });
});
