/** What a mutex can beside being taken and released, when things fail. */
import { describe, expect, it } from '@jest/globals';
import { nameOf } from 'zookit';
import { type LockView, Mutex } from 'zookit/recipes';
import { gate, until, within } from '../../support/until.js';
import { failureOf, fence, op, type Rig, startRig, SHORT } from '../rig.js';

const path = '/lock';
const mark = '/lock-__held__';
/** Longer than any test waits. */
const FOR_EVER = 1_000_000;

async function line({ observer }: Rig, count: number): Promise<void> {
  await until(async () => (await observer.getChildren(path)).length === count, { what: `a line of ${count}` });
}

describe('the policy of one holder', () => {
  it('says when it has lost, whatever the mutex says of the others', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    const strict = await new Mutex(rig.zk, '/strict').acquire({ loseOn: 'suspended' });
    const patient = await new Mutex(rig.zk, '/patient', { loseOn: 'suspended' }).acquire({ loseOn: 'deadline' });
    const asEver = await new Mutex(rig.zk, '/as-ever', { loseOn: 'suspended' }).acquire({ timeout: 10_000 });
    await rig.unlink();
    expect([strict.held, patient.held, asEver.held]).toEqual([false, true, false]);
    await rig.relink();
    await Promise.all([strict, patient, asEver].map((lock) => lock.release()));
  });

  it('that could never be held is refused, and leaves no znode', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    const { timeout } = rig.zk.session;
    for (const lockDelay of [undefined, FOR_EVER]) {
      const failure = await failureOf(new Mutex(rig.zk, path, { lockDelay }).acquire({ margin: timeout }));
      expect(failure).toMatchObject({ code: 'INVALID_ARGUMENT' });
      expect([await rig.observer.getChildren(path), await rig.observer.has(mark)]).toEqual([[], false]);
    }
  });
});

describe('the lock delay', () => {
  it('begins when the session of a holder ends without a release, and not when it releases late', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const mutex = new Mutex(rig.zk, path, { lockDelay: 300 });
    const lock = await mutex.acquire();
    const waiting = new Mutex(rig.observer, path, { lockDelay: FOR_EVER }).acquire();
    await line(rig, 2);
    await rig.outlive();
    const wentAt = performance.now();
    await line(rig, 1);
    const next = await within(waiting, { what: 'the next' });
    // It saw the holder go before this test did, by a little.
    expect(performance.now() - wentAt).toBeGreaterThan(100);
    await rig.relink();
    // The mark is that of the next one now.
    await lock.release();
    expect((await rig.observer.getData(mark)).json()).toMatchObject({ lockDelay: FOR_EVER });
    await next.release();
    expect(await rig.observer.has(mark)).toBe(false);
  });

  it('does not begin when a lock that was lost with the connection is released in the same session', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    const lock = await new Mutex(rig.zk, path, { lockDelay: FOR_EVER, loseOn: 'suspended' }).acquire();
    await rig.reconnect();
    expect(lock.held).toBe(false);
    await lock.release();
    await (await new Mutex(rig.observer, path, { lockDelay: FOR_EVER }).acquire({ timeout: 10_000 })).release();
  });

  it.each([{}, false] as const)(
    'its mark is put up and taken away over lost requests and replies',
    async (offlineQueue) => {
      await using rig = await startRig({ sessionTimeout: 30_000, offlineQueue });
      const mutex = new Mutex(rig.zk, path, { lockDelay: FOR_EVER });
      const isMulti = ({ opCode }: { opCode: number }): boolean => opCode === op.multi;
      const loseOne = (round: number): Promise<unknown> =>
        round % 2 === 0 ? rig.proxy.swallowNextReply(isMulti) : rig.proxy.swallowNextRequest(isMulti);
      for (let round = 0; round < 10; round++) {
        const losses = [loseOne(round)];
        const lock = await mutex.acquire({ timeout: 20_000 });
        await losses[0];
        expect(await rig.observer.has(mark)).toBe(true);
        losses.push(loseOne(round >> 1));
        await lock.release();
        await losses[1];
        expect([await rig.observer.has(mark), await rig.observer.getChildren(path)]).toEqual([false, []]);
      }
    },
  );

  it('is waited for once, also where the mark is lost on its way after that', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    const lockDelay = 4_000;
    await rig.observer.create(mark, JSON.stringify({ holder: 'gone', lockDelay }));
    const isMulti = ({ opCode }: { opCode: number }): boolean => opCode === op.multi;
    const acquiring = new Mutex(rig.zk, path, { lockDelay }).acquire();
    await rig.proxy.seen(isMulti);
    const lost = rig.proxy.swallowNextRequest(isMulti);
    await lost;
    const lock = await within(acquiring, { what: 'the lock without another wait', timeout: lockDelay });
    expect((await rig.observer.getData(mark)).json()).toMatchObject({ holder: nameOf(lock.path) });
    await lock.release();
    expect(await rig.observer.has(mark)).toBe(false);
  });

  it('a wait that is ended while the mark is on its way leaves none of ours', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    const stop = new AbortController();
    const lost = rig.proxy.swallowNextReply(({ opCode }) => opCode === op.multi);
    const acquiring = failureOf(new Mutex(rig.zk, path, { lockDelay: FOR_EVER }).acquire({ signal: stop.signal }));
    rig.proxy.onRequest(({ opCode }) => opCode === op.multi && stop.abort());
    await lost;
    expect(await acquiring).toMatchObject({ code: 'ABORTED' });
    await until(async () => !(await rig.observer.has(mark)), { what: 'the mark to go' });
    await until(async () => (await rig.observer.getChildren(path)).length === 0, { what: 'the znode to go' });
  });

  it('whose wait outlives the session begins again in the next one', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    await rig.observer.create(mark, JSON.stringify({ holder: 'gone', lockDelay: 3 * SHORT }));
    const waiting = new Mutex(rig.zk, path, { lockDelay: 1 }).acquire();
    await line(rig, 1);
    await rig.outlive();
    await line(rig, 0);
    await rig.relink();
    await line(rig, 1);
    const lock = await within(waiting, { what: 'the lock', timeout: 30_000 });
    expect([lock.held, await rig.observer.has(lock.path)]).toEqual([true, true]);
    await lock.release();
  });
});

describe('revocation', () => {
  it('is heard over a lost connection, also when it came meanwhile', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    const told = gate();
    const lock = await new Mutex(rig.zk, path, { onRevoke: () => told.open() }).acquire();
    await fence(rig.zk);
    await rig.unlink();
    expect(await new Mutex(rig.observer, path).revoke()).toBe('asked');
    await rig.relink();
    await within(told.promise, { what: 'the request' });
    expect([lock.held, lock.revoked.aborted]).toEqual([true, true]);
    await lock.release();
  });

  it('is written in spite of a lost reply, and breaks in spite of one', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    const lock = await new Mutex(rig.observer, path).acquire();
    const lost = [op.setData, op.delete].map((opCode) => rig.proxy.swallowNextReply((each) => each.opCode === opCode));
    expect(await new Mutex(rig.zk, path).revoke(undefined, { breakAfter: 50 })).toBe('broken');
    await Promise.all(lost);
    await until(() => !lock.held, { what: 'the loss' });
    expect(await rig.observer.getChildren(path)).toEqual([]);
    await lock.release();
  });

  it('by the longest hold takes the lock also without a connection, and the znode as soon as there is one', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    const lock = await new Mutex(rig.zk, path).acquire({ maxHold: 200, maxHoldGrace: 0 });
    const lost = gate();
    lock.signal.addEventListener('abort', () => lost.open());
    await rig.unlink();
    await within(lost.promise, { what: 'the loss' });
    expect([rig.zk.state, await rig.observer.getChildren(path)]).toEqual(['suspended', [expect.any(String)]]);
    await rig.relink();
    await line(rig, 0);
    await lock.release();
  });
});

describe('observing', () => {
  it('says when it is stale, and goes on over a reconnect and an expiry', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const seen: LockView[] = [];
    const stop = new AbortController();
    const following = (async () => {
      for await (const view of new Mutex(rig.zk, path).observe({ signal: stop.signal })) seen.push(view);
    })();
    const latest = (isRight: (view: LockView) => boolean, what: string): Promise<unknown> =>
      until(() => seen.length > 0 && isRight(seen.at(-1)!), { what });
    await latest(({ stale }) => !stale, 'the first view');
    await rig.unlink();
    await latest(({ stale }) => stale, 'a stale view');
    const lock = await new Mutex(rig.observer, path).acquire({ data: 'a' });
    await rig.relink();
    await latest(({ stale, holder }) => !stale && holder?.id === 'a', 'the holder');
    await rig.outlive();
    await lock.release();
    const next = await new Mutex(rig.observer, path).acquire({ data: 'b' });
    await rig.relink();
    await latest(({ stale, holder }) => !stale && holder?.id === 'b', 'the next holder');
    await next.release();
    await latest(({ stale, holder }) => !stale && holder === undefined, 'a free lock');
    stop.abort();
    expect(await failureOf(following)).toMatchObject({ code: 'ABORTED' });
  });
});

describe('re-entrance', () => {
  it('ends with the session: work under a lock that was lost gets no handle of another one', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const mutex = new Mutex(rig.zk, path, { reentrant: true });
    await mutex.using(async () => {
      await rig.outlive();
      await rig.relink();
      expect(await failureOf(mutex.acquire())).toMatchObject({ code: 'LEASE_LOST' });
      expect(await failureOf(mutex.tryAcquire())).toMatchObject({ code: 'LEASE_LOST' });
    });
    await (await mutex.acquire({ timeout: 10_000 })).release();
  });
});
