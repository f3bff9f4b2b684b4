import { describe, expect, it } from '@jest/globals';
import { nameOf } from 'zookit';
import { ReadWriteLock } from 'zookit/recipes';
import { type ProxyRequest } from '../../support/proxy.js';
import { gate, until, within } from '../../support/until.js';
import { failureOf, fence, op, type Rig, startRig, SHORT } from '../rig.js';

const path = '/lock';

async function line({ observer }: Rig, count: number): Promise<string[]> {
  return until(
    async () => {
      const names = await observer.getChildren(path);
      return names.length === count && names;
    },
    { what: `a line of ${count}` },
  );
}

function loseSomething({ proxy }: Rig): void {
  const anyOf = [op.create, op.getChildren, op.getData, op.delete, op.exists, op.sync, op.multi];
  const opCode = anyOf[Math.floor(Math.random() * anyOf.length)];
  const matches = (request: ProxyRequest): boolean => request.opCode === opCode;
  if (Math.random() < 0.5) void proxy.swallowNextReply(matches);
  else void proxy.swallowNextRequest(matches);
}

it.each([
  ['operations that wait for a connection', {}],
  ['operations that fail without one', false],
] as const)(
  'lost requests and replies at random leave no ghost, and never let a writer in beside others: %s',
  async (_, offlineQueue) => {
    await using rig = await startRig({ sessionTimeout: 30_000, offlineQueue });
    await rig.observer.ensurePath(path);
    let readers = 0;
    let writers = 0;
    const reading = async (): Promise<void> => {
      readers++;
      expect(writers).toBe(0);
      await rig.observer.sync('/');
      readers--;
    };
    const writing = async (): Promise<void> => {
      expect([++writers, readers]).toEqual([1, 0]);
      await rig.observer.sync('/');
      writers--;
    };
    const lock = new ReadWriteLock(rig.zk, path, { preference: 'readers' });
    const other = new ReadWriteLock(rig.observer, path, { preference: 'readers' });
    const downgrading = async (): Promise<void> => {
      const write = await lock.write.acquire();
      await writing();
      await using _read = await write.downgrade();
      await reading();
    };
    for (let round = 0; round < 25; round++) {
      loseSomething(rig);
      loseSomething(rig);
      await Promise.all([
        lock.read.using(reading),
        other.write.using(writing),
        lock.read.using(reading),
        downgrading(),
        other.read.using(reading),
      ]);
      expect(await rig.observer.getChildren(path)).toEqual([]);
    }
    expect(rig.events.types).not.toContain('expired');
  },
  120_000,
);

describe('a reader that takes the number of another one', () => {
  it.each(['request', 'reply'] as const)('is in once, and known, where the %s is lost', async (what) => {
    await using rig = await startRig();
    await rig.observer.ensurePath(path);
    const lock = new ReadWriteLock(rig.zk, path, { preference: 'readers' });
    const first = await new ReadWriteLock(rig.observer, path).read.acquire();
    const writing = new ReadWriteLock(rig.observer, path).write.acquire();
    await line(rig, 2);
    const isMulti = ({ opCode }: ProxyRequest): boolean => opCode === op.multi;
    const lost = what === 'reply' ? rig.proxy.swallowNextReply(isMulti) : rig.proxy.swallowNextRequest(isMulti);
    const joined = await lock.read.acquire();
    await lost;
    expect([joined.held, (await line(rig, 3)).includes(nameOf(joined.path))]).toEqual([true, true]);
    expect(joined.fencingToken).toEqual(first.fencingToken);
    await first.release();
    await fence(rig.observer);
    await joined.release();
    await (await within(writing, { what: 'the writer' })).release();
    expect(await rig.observer.getChildren(path)).toEqual([]);
  });

  it('leaves no ghost where its wait ends before the answer, and the answer is lost', async () => {
    await using rig = await startRig();
    await rig.observer.ensurePath(path);
    const write = await new ReadWriteLock(rig.zk, path).write.acquire();
    rig.proxy.holdReplies();
    const stop = new AbortController();
    const reading = failureOf(write.acquireRead({ signal: stop.signal }));
    await rig.proxy.seen(({ opCode }) => opCode === op.multi);
    await line(rig, 2);
    stop.abort();
    await reading;
    rig.proxy.heal({ deliver: false });
    rig.proxy.releaseReplies();
    rig.proxy.resetAll();
    expect(await line(rig, 1)).toEqual([nameOf(write.path)]);
    await write.release();
  });

  it('does not pass over to another session', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const write = await new ReadWriteLock(rig.zk, path).write.acquire();
    await rig.outlive();
    const failures = [failureOf(write.acquireRead()), failureOf(write.downgrade())];
    await rig.relink();
    for (const each of failures) expect(await each).toMatchObject({ code: 'LEASE_LOST' });
    await write.release();
    expect(await rig.observer.getChildren(path)).toEqual([]);
  });
});

describe('who waits', () => {
  it.each(['read', 'write'] as const)('keeps the place over a lost connection (%s)', async (side) => {
    await using rig = await startRig();
    const holder = await new ReadWriteLock(rig.observer, path).write.acquire();
    const waiting = new ReadWriteLock(rig.zk, path)[side].acquire();
    const before = await line(rig, 2);
    await rig.unlink();
    await holder.release();
    await rig.relink();
    const lock = await within<{ readonly path: string; release(): Promise<void> }>(waiting, { what: 'the lock' });
    expect(before).toContain(nameOf(lock.path));
    await lock.release();
  });

  it('lines up again after an expiry, at the end, and is served', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const ours = new ReadWriteLock(rig.zk, path);
    const other = new ReadWriteLock(rig.observer, path);
    const holder = await other.write.acquire();
    const order: string[] = [];
    const waiting = [ours.write.using(() => void order.push('write')), ours.read.using(() => void order.push('read'))];
    await line(rig, 3);
    await rig.outlive();
    await line(rig, 1);
    const overtaking = other.write.using(() => void order.push('other'));
    await line(rig, 2);
    await rig.relink();
    await line(rig, 4);
    await holder.release();
    await within(Promise.all([overtaking, ...waiting]), { what: 'all to be served' });
    expect([order[0], order.length, await rig.observer.getChildren(path)]).toEqual(['other', 3, []]);
  });

  it('to read does not come in when its own znode was deleted before, and the news come in any order', async () => {
    await using rig = await startRig();
    const holder = await new ReadWriteLock(rig.observer, path).write.acquire();
    const reading = new ReadWriteLock(rig.zk, path).read.acquire();
    const names = await line(rig, 2);
    await fence(rig.zk);
    const own = `${path}/${names.find((name) => name !== nameOf(holder.path))}`;
    rig.proxy.requests.length = 0;
    await rig.observer.setData(own, 'touched');
    await rig.proxy.seen(({ opCode }) => opCode === op.getData);
    await fence(rig.zk);
    await rig.unlink();
    await rig.observer.delete(own);
    await holder.release();
    const other = await new ReadWriteLock(rig.observer, path).write.acquire();
    await rig.relink();
    await line(rig, 2);
    await fence(rig.zk);
    let isServed = false;
    void reading.then(() => (isServed = true));
    await fence(rig.zk);
    expect([isServed, other.held]).toEqual([false, true]);
    await other.release();
    await (await reading).release();
  });

  it('to write does not come in when a reader has joined the one before it, told of or not', async () => {
    await using rig = await startRig();
    const first = await new ReadWriteLock(rig.observer, path).read.acquire();
    const writing = new ReadWriteLock(rig.zk, path).write.acquire();
    await line(rig, 2);
    await fence(rig.zk);
    const joined = await new ReadWriteLock(rig.observer, path, { preference: 'readers' }).read.acquire();
    await line(rig, 3);
    let isServed = false;
    void writing.then(() => (isServed = true));
    await first.release();
    await fence(rig.zk);
    await fence(rig.zk);
    expect([isServed, joined.held]).toEqual([false, true]);
    await joined.release();
    await (await within(writing, { what: 'the writer' })).release();
  });

  it('can end the wait while there is no connection, and its znode goes as soon as there is one', async () => {
    await using rig = await startRig();
    await using holder = await new ReadWriteLock(rig.observer, path).write.acquire();
    const stop = new AbortController();
    const lock = new ReadWriteLock(rig.zk, path, { preference: 'readers' });
    const waiting = [
      failureOf(lock.read.acquire({ signal: stop.signal })),
      failureOf(lock.write.acquire({ signal: stop.signal })),
    ];
    await line(rig, 3);
    await rig.unlink();
    stop.abort();
    const failures = await within(Promise.all(waiting), { what: 'the errors', timeout: 5_000 });
    expect(failures.map((each) => (each as { code: string }).code)).toEqual(['ABORTED', 'ABORTED']);
    await rig.relink();
    expect(await line(rig, 1)).toEqual([nameOf(holder.path)]);
  });
});

describe('who holds', () => {
  it('has lost before the server ends the session, and a writer comes in after that', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const read = await new ReadWriteLock(rig.zk, path).read.acquire();
    const atLoss = gate<boolean>();
    read.signal.addEventListener('abort', () => void rig.observer.has(read.path).then(atLoss.open));
    const writing = new ReadWriteLock(rig.observer, path).write.acquire();
    await line(rig, 2);
    const heldThen = writing.then(() => read.held);
    await rig.outlive();
    expect(await within(atLoss.promise, { what: 'the loss' })).toBe(true);
    expect(await heldThen).toBe(false);
    await rig.relink();
    await read.release();
    expect((await writing).held).toBe(true);
    await (await writing).release();
  });

  it('releases after the reconnect, however often the request is lost', async () => {
    await using rig = await startRig();
    const write = await new ReadWriteLock(rig.zk, path).write.acquire();
    await rig.unlink();
    const releasing = write.release();
    const lost = rig.proxy.swallowNextRequest(({ opCode }) => opCode === op.delete);
    await rig.restore();
    await releasing;
    await lost;
    expect(await rig.observer.getChildren(path)).toEqual([]);
  });

  it('and downgrades while there is no connection reads once there is one', async () => {
    await using rig = await startRig();
    const write = await new ReadWriteLock(rig.zk, path).write.acquire();
    await rig.unlink();
    const downgrading = write.downgrade();
    await rig.relink();
    const read = await within(downgrading, { what: 'the read lock' });
    expect([write.held, read.held, await rig.observer.getChildren(path)]).toEqual([false, true, [nameOf(read.path)]]);
    await read.release();
  });
});
