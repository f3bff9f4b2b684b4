import { describe, expect, it, test } from '@jest/globals';
import { nameOf, SessionExpiredError } from 'zookit';
import { type Lock, Mutex } from 'zookit/recipes';
import { gate, until, within } from '../../support/until.js';
import { failureOf, fence, op, type Rig, startRig, SHORT } from '../rig.js';

const path = '/lock';

/** Resolves when so many stand in line. */
async function line({ observer }: Rig, count: number): Promise<string[]> {
  return until(
    async () => {
      const names = await observer.getChildren(path);
      return names.length === count && names;
    },
    { what: `a line of ${count}` },
  );
}

describe('I8: release', () => {
  it('during a cut that is shorter than the session settles when it heals, and the znode is gone', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    const lock = await new Mutex(rig.zk, path).acquire();
    rig.proxy.cut();
    const releasing = lock.release();
    let settled = false;
    void releasing.then(() => (settled = true));
    await rig.proxy.seen(({ opCode }) => opCode === op.delete);
    expect([lock.held, settled, await rig.observer.has(lock.path)]).toEqual([false, false, true]);
    rig.proxy.heal();
    await releasing;
    expect(await rig.observer.has(lock.path)).toBe(false);
  });

  it('during a lost connection settles after the reconnect, however often its request is lost', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    const lock = await new Mutex(rig.zk, path).acquire();
    const lost = [
      rig.proxy.swallowNextRequest(({ opCode }) => opCode === op.delete),
      rig.proxy.swallowNextRequest(({ opCode }) => opCode === op.delete),
      rig.proxy.swallowNextReply(({ opCode }) => opCode === op.delete),
    ];
    await lock.release();
    await Promise.all(lost);
    expect(await rig.observer.getChildren(path)).toEqual([]);
  });

  it('during one that is longer than the session settles when that has ended', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const lock = await new Mutex(rig.zk, path).acquire();
    const outliving = rig.outlive();
    await rig.events.first('suspended');
    const releasing = lock.release();
    await outliving;
    await rig.relink();
    await within(releasing, { what: 'the release' });
    const next = await new Mutex(rig.zk, path).acquire({ timeout: 5_000 });
    await lock.release();
    expect([next.held, await rig.observer.getChildren(path)]).toEqual([true, [nameOf(next.path)]]);
  });

  it('after the end of the client settles', async () => {
    await using rig = await startRig();
    const lock = await new Mutex(rig.zk, path).acquire();
    await rig.zk.close();
    expect(lock.held).toBe(false);
    await lock.release();
  });
});

describe('a lock', () => {
  it('outlives a lost connection, and is still watched over', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    const lock = await new Mutex(rig.zk, path).acquire();
    await rig.reconnect();
    expect([lock.held, lock.signal.aborted]).toEqual([true, false]);
    await rig.observer.delete(lock.path);
    await until(() => lock.signal.aborted, { what: 'the loss' });
  });

  it('is watched over also where the first look at its znode was lost', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000, offlineQueue: false });
    const lost = rig.proxy.swallowNextRequest(({ opCode }) => opCode === op.getData);
    const lock = await new Mutex(rig.zk, path).acquire();
    await lost;
    rig.events.clear();
    await rig.events.first('connected');
    expect(lock.held).toBe(true);
    await rig.observer.delete(lock.path);
    await until(() => lock.signal.aborted, { what: 'the loss' });
  });

  it('is lost with the connection where the caller wants that', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    const lock = await new Mutex(rig.zk, path, { loseOn: 'suspended' }).acquire();
    const heldAtAbort = gate<boolean>();
    lock.signal.addEventListener('abort', () => heldAtAbort.open(lock.held));
    await rig.unlink();
    expect(await heldAtAbort.promise).toBe(false);
    await rig.relink();
    expect([lock.held, await rig.observer.has(lock.path)]).toEqual([false, true]);
    await lock.release();
    expect(await rig.observer.has(lock.path)).toBe(false);
  });

  it('is lost before the server ends the session, and stays lost', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const lock = await new Mutex(rig.zk, path).acquire();
    const atLoss = gate<boolean>();
    lock.signal.addEventListener('abort', () => void rig.observer.has(lock.path).then(atLoss.open));
    const next = new Mutex(rig.observer, path).acquire();
    await line(rig, 2);
    const heldBefore = next.then((lockOfNext) => ({ held: lock.held, token: lockOfNext.fencingToken }));
    await rig.outlive();
    expect(await within(atLoss.promise, { what: 'the loss' })).toBe(true);
    const { held, token } = await heldBefore;
    expect([held, token.greaterThan(lock.fencingToken)]).toEqual([false, true]);
    await rig.relink();
    await lock.release();
    expect([lock.held, (await next).held]).toEqual([false, true]);
    await (await next).release();
  });

  it('that is lost before the next one holds: its signal has fired, and its guarded write is refused', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    await rig.observer.create('/value', 'old');
    const lock = await new Mutex(rig.zk, path).acquire();
    const order: string[] = [];
    lock.signal.addEventListener('abort', () => order.push('signal'));
    // As one would that was not told in time: it is handed to the server by another session.
    const late = lock.guard(rig.observer.transaction()).setData('/value', 'stale');
    const next = new Mutex(rig.observer, path).acquire().then((each) => (order.push('next'), each));
    await line(rig, 2);
    await rig.outlive();
    const other = await next;
    expect(order).toEqual(['signal', 'next']);
    expect(await failureOf(late.commit())).toMatchObject({ code: 'NO_NODE', path: lock.path });
    expect(() => lock.guard(rig.zk.transaction())).toThrow('it is not held any more');
    expect((await rig.observer.getData('/value')).text()).toBe('old');
    await other.release();
    await rig.restore();
  });

  it('that could never be held is refused, and leaves no znode', async () => {
    await using rig = await startRig();
    const { timeout } = rig.zk.session;
    const failure = await failureOf(new Mutex(rig.zk, path, { margin: timeout }).acquire());
    expect(failure).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await rig.observer.getChildren(path)).toEqual([]);
  });
});

describe('who waits for a lock', () => {
  it('keeps the place over a lost connection, also where no operation may wait for one', async () => {
    for (const offlineQueue of [{}, false] as const) {
      await using rig = await startRig({ sessionTimeout: 10_000, offlineQueue });
      const holder = await new Mutex(rig.observer, path).acquire();
      const waiting = new Mutex(rig.zk, path).acquire();
      const before = await line(rig, 2);
      await rig.unlink();
      await holder.release();
      await rig.relink();
      const lock = await within(waiting, { what: 'the lock' });
      expect([before, rig.events.types]).toEqual([
        expect.arrayContaining([nameOf(lock.path)]),
        ['suspended', 'connected'],
      ]);
      await lock.release();
    }
  });

  it('lines up again after an expiry, at the end, and is served', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const holder = await new Mutex(rig.observer, path).acquire();
    const waiting = [new Mutex(rig.zk, path).acquire(), new Mutex(rig.zk, path).acquire()];
    await line(rig, 3);
    await rig.outlive();
    await line(rig, 1);
    const overtaking = new Mutex(rig.observer, path).acquire();
    await line(rig, 2);
    await rig.relink();
    await line(rig, 4);
    await holder.release();
    const order: string[] = [];
    const serve = (name: string) => async (lock: Lock) => {
      order.push(name);
      await lock.release();
    };
    await within(Promise.all([overtaking.then(serve('other')), ...waiting.map((each) => each.then(serve('ours')))]), {
      what: 'all to be served',
    });
    expect([order, await rig.observer.getChildren(path)]).toEqual([['other', 'ours', 'ours'], []]);
  });

  it('lines up again at once when somebody deletes its znode', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    const holder = await new Mutex(rig.observer, path).acquire();
    const acquiring = new Mutex(rig.zk, path).acquire();
    const names = await line(rig, 2);
    await fence(rig.zk);
    const first = names.find((name) => name !== nameOf(holder.path)) ?? '';
    await rig.observer.delete(`${path}/${first}`);
    await until(async () => !(await line(rig, 2)).includes(first), { what: 'another znode' });
    await holder.release();
    const lock = await acquiring;
    expect([nameOf(lock.path) === first, await rig.observer.has(lock.path)]).toEqual([false, true]);
  });

  it('does not take the place of its predecessor when its own znode was deleted before, and the news come in any order', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    const holder = await new Mutex(rig.observer, path).acquire();
    const acquiring = new Mutex(rig.zk, path).acquire();
    const names = await line(rig, 2);
    await fence(rig.zk);
    const own = `${path}/${names.find((name) => name !== nameOf(holder.path))}`;
    // Its watch is set anew, so that after a reconnect the news of the predecessor come first.
    rig.proxy.requests.length = 0;
    await rig.observer.setData(own, 'touched');
    await rig.proxy.seen(({ opCode }) => opCode === op.getData);
    await fence(rig.zk);
    await rig.unlink();
    await rig.observer.delete(own);
    await holder.release();
    const next = new Mutex(rig.observer, path);
    const other = await next.acquire();
    await rig.relink();
    await line(rig, 2);
    await fence(rig.zk);
    let isServed = false;
    void acquiring.then(() => (isServed = true));
    await fence(rig.zk);
    expect([isServed, other.held]).toEqual([false, true]);
    await other.release();
    const lock = await acquiring;
    expect(lock.fencingToken.greaterThan(other.fencingToken)).toBe(true);
  });

  it('is told of the expiry where there is no other session', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT, renewSession: false });
    await using _ = await new Mutex(rig.observer, path).acquire();
    const waiting = failureOf(new Mutex(rig.zk, path).acquire());
    await line(rig, 2);
    await rig.outlive();
    await rig.restore();
    expect(await waiting).toBeInstanceOf(SessionExpiredError);
  });

  it('is told of the end of the client, also when that comes while the watch is on its way', async () => {
    for (const isOnItsWay of [false, true]) {
      await using rig = await startRig();
      await using _ = await new Mutex(rig.observer, path).acquire();
      const ignore = rig.proxy.onRequest(({ opCode }) => {
        if (isOnItsWay && opCode === op.getData) rig.proxy.holdReplies();
      });
      const waiting = failureOf(new Mutex(rig.zk, path).acquire());
      await rig.proxy.seen(({ opCode }) => opCode === op.getData);
      if (!isOnItsWay) await rig.zk.sync('/');
      ignore();
      const closing = rig.zk.close();
      rig.proxy.releaseReplies();
      expect(await within(waiting, { what: 'the error' })).toMatchObject({ code: 'CLOSED' });
      await closing;
    }
  });

  it('can end the wait while there is no connection: at once, and the znode goes as soon as there is one', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    await using holder = await new Mutex(rig.observer, path).acquire();
    const stop = new AbortController();
    const [inLine, beforeIt] = [new Mutex(rig.zk, path), new Mutex(rig.zk, path)];
    const waiting = failureOf(inLine.acquire({ signal: stop.signal }));
    await line(rig, 2);
    await rig.unlink();
    const waitingToo = failureOf(beforeIt.acquire({ timeout: 20 }));
    stop.abort();
    const failures = await within(Promise.all([waiting, waitingToo]), { what: 'the errors', timeout: 5_000 });
    expect(failures.map((each) => (each as { code: string }).code)).toEqual(['ABORTED', 'OPERATION_TIMEOUT']);
    expect(rig.zk.state).toBe('suspended');
    await rig.relink();
    expect(await line(rig, 1)).toEqual([nameOf(holder.path)]);
  });
});

test('tryAcquire rides over a lost reply, and over an expiry', async () => {
  await using rig = await startRig({ sessionTimeout: SHORT });
  void rig.proxy.swallowNextReply(({ opCode }) => opCode === op.create);
  const lock = await new Mutex(rig.zk, path).tryAcquire();
  expect(lock?.held).toBe(true);
  await rig.outlive();
  const trying = new Mutex(rig.zk, path).tryAcquire();
  await rig.relink();
  expect((await trying)?.held).toBe(true);
  expect(await rig.observer.getChildren(path)).toHaveLength(1);
});

test('E5: of 50 that wait for a lock one is woken when it is released: no herd asks the server', async () => {
  await using rig = await startRig({ sessionTimeout: 30_000 });
  const { zk, proxy } = rig;
  const first = await new Mutex(zk, '/lock').acquire();
  const waiting = Array.from({ length: 50 }, () => new Mutex(zk, '/lock').acquire());
  const watched = (): number => proxy.requests.filter(({ opCode }) => opCode === op.getData).length;
  // Each who waits watches its own znode and its predecessor's; the holder its own.
  await until(() => watched() === 101, { what: 'all to wait' });
  await fence(zk);
  const costs: number[][] = [];
  let held = first;
  for (const next of waiting.slice(0, 10)) {
    proxy.requests.length = 0;
    const released = held.release();
    held = await next;
    await released;
    await fence(zk);
    const asked = proxy.requests.filter(({ opCode }) => opCode !== op.ping && opCode !== op.sync);
    costs.push(asked.map(({ opCode }) => opCode));
  }
  expect(costs).toEqual(costs.map(() => [op.delete]));
  for (const each of waiting.slice(10)) {
    await held.release();
    held = await each;
  }
  await held.release();
});
