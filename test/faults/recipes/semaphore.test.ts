import { describe, expect, it } from '@jest/globals';
import { nameOf } from 'zookit';
import { Semaphore } from 'zookit/recipes';
import { type ProxyRequest } from '../../support/proxy.js';
import { gate, until, within } from '../../support/until.js';
import { failureOf, fence, op, type Rig, startRig, SHORT } from '../rig.js';

const path = '/semaphore';

async function namesAt({ observer }: Rig, folder: string): Promise<string[]> {
  return (await observer.has(`${path}/${folder}`)) ? observer.getChildren(`${path}/${folder}`) : [];
}

/** Resolves when so many stand in line, and there are so many leases. */
async function crowd(rig: Rig, turns: number, leases: number): Promise<string[]> {
  return until(
    async () => {
      const names = await namesAt(rig, 'leases');
      return (await namesAt(rig, 'locks')).length === turns && names.length === leases && names;
    },
    { what: `${turns} in line and ${leases} leases` },
  );
}

function loseSomething({ proxy }: Rig): void {
  const anyOf = [op.create, op.getChildren, op.getData, op.delete, op.exists, op.sync];
  const opCode = anyOf[Math.floor(Math.random() * anyOf.length)];
  const matches = (request: ProxyRequest): boolean => request.opCode === opCode;
  if (Math.random() < 0.5) void proxy.swallowNextReply(matches);
  else void proxy.swallowNextRequest(matches);
}

it.each([
  ['operations that wait for a connection', {}],
  ['operations that fail without one', false],
] as const)(
  'K1: lost requests and replies at random leave no ghost, and never let too many in: %s',
  async (_, offlineQueue) => {
    await using rig = await startRig({ sessionTimeout: 30_000, offlineQueue });
    let inside = 0;
    const count = { path: '/count', initial: 3 };
    const semaphores = [new Semaphore(rig.zk, path, count), new Semaphore(rig.observer, path, count)];
    const work = async (semaphore: Semaphore, wanted: number): Promise<void> => {
      const group = await semaphore.acquire({ count: wanted });
      inside += wanted;
      expect(inside).toBeLessThanOrEqual(3);
      await rig.observer.sync('/');
      inside -= wanted;
      await group.release();
    };
    for (let round = 0; round < 25; round++) {
      loseSomething(rig);
      loseSomething(rig);
      await Promise.all([1, 2, 3, 1, 2, 1].map((wanted, index) => work(semaphores[index % 2]!, wanted)));
      await crowd(rig, 0, 0);
    }
    const all = await semaphores[0]!.acquire({ count: 3 });
    await all.release();
    expect(rig.events.types).not.toContain('expired');
  },
  120_000,
);

it('resets at random: never too many hold, and all leases can be taken in the end', async () => {
  await using rig = await startRig();
  let inside = 0;
  let isOver = false;
  const resetting = (async () => {
    while (!isOver) {
      await rig.reconnect();
      await fence(rig.zk);
    }
  })();
  const work = async (semaphore: Semaphore): Promise<void> => {
    await using _ = await semaphore.acquire();
    expect(++inside).toBeLessThanOrEqual(3);
    await rig.observer.sync('/');
    inside--;
  };
  const semaphores = [new Semaphore(rig.zk, path, 3), new Semaphore(rig.observer, path, 3)];
  await within(Promise.all(Array.from({ length: 40 }, (_, index) => work(semaphores[index % 2]!))), {
    what: 'all to be served',
    timeout: 90_000,
  });
  isOver = true;
  await resetting;
  await crowd(rig, 0, 0);
  await (await semaphores[0]!.acquire({ count: 3 })).release();
}, 120_000);

describe('who waits', () => {
  it('goes on after a lost connection, also where a lease was given back meanwhile', async () => {
    await using rig = await startRig();
    const held = await new Semaphore(rig.observer, path, 1).acquire();
    const waiting = new Semaphore(rig.zk, path, 1).acquire();
    const before = await crowd(rig, 1, 2);
    await rig.unlink();
    await held.release();
    await rig.relink();
    const lease = await within(waiting, { what: 'the lease' });
    expect(before).toContain(nameOf(lease.path));
    await lease.release();
    await crowd(rig, 0, 0);
  });

  it('lines up again after an expiry, and is served', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const held = await new Semaphore(rig.observer, path, 1).acquire();
    const semaphore = new Semaphore(rig.zk, path, 1);
    const served: number[] = [];
    const waiting = [1, 2].map((each) => semaphore.using(() => void served.push(each)));
    await crowd(rig, 2, 2);
    await rig.outlive();
    await crowd(rig, 0, 1);
    await rig.relink();
    await crowd(rig, 2, 2);
    await held.release();
    await within(Promise.all(waiting), { what: 'both' });
    expect(served).toHaveLength(2);
    await crowd(rig, 0, 0);
  });

  it('can end the wait while there is no connection, and its znodes go as soon as there is one', async () => {
    await using rig = await startRig();
    await using held = await new Semaphore(rig.observer, path, 1).acquire();
    const semaphore = new Semaphore(rig.zk, path, 1);
    const stop = new AbortController();
    const waiting = [1, 2].map(() => failureOf(semaphore.acquire({ signal: stop.signal })));
    await crowd(rig, 2, 2);
    await rig.unlink();
    const late = failureOf(semaphore.acquire({ timeout: 20 }));
    stop.abort();
    const failures = await within(Promise.all([...waiting, late]), { what: 'the errors', timeout: 5_000 });
    expect(failures.map((each) => (each as { code: string }).code)).toEqual([
      'ABORTED',
      'ABORTED',
      'OPERATION_TIMEOUT',
    ]);
    await rig.relink();
    expect(await crowd(rig, 0, 1)).toEqual([nameOf(held.path)]);
  });

  it('is let in by a growing count after a lost connection', async () => {
    await using rig = await startRig();
    const count = { path: '/count', initial: 1 };
    const other = new Semaphore(rig.observer, path, count);
    await using _ = await other.acquire();
    const waiting = new Semaphore(rig.zk, path, count).acquire();
    await crowd(rig, 1, 2);
    await rig.unlink();
    await other.setCount(2);
    await rig.relink();
    await (await within(waiting, { what: 'the lease' })).release();
  });
});

describe('a lease', () => {
  it.each(['timeout', 'signal'])(
    'leaves no ghost where its wait is ended by the %s while the create is unanswered',
    async (how) => {
      await using rig = await startRig();
      await rig.observer.ensurePath(`${path}/leases`);
      rig.proxy.holdReplies();
      const stop = new AbortController();
      const limit = how === 'timeout' ? { timeout: 50 } : { signal: stop.signal };
      const acquiring = failureOf(new Semaphore(rig.zk, path, 5).acquire({ ...limit, count: 2 }));
      await until(async () => (await namesAt(rig, 'leases')).length === 2, { what: 'the leases' });
      stop.abort();
      await acquiring;
      rig.proxy.heal({ deliver: false });
      await crowd(rig, 0, 0);
    },
  );

  it('a lost reply to the create: it is the znode that was created', async () => {
    await using rig = await startRig();
    await rig.observer.ensurePath(`${path}/leases`);
    const lost = rig.proxy.swallowNextReply(({ opCode }) => opCode === op.create);
    const lease = await new Semaphore(rig.zk, path, 1).acquire();
    await lost;
    expect(await namesAt(rig, 'leases')).toEqual([nameOf(lease.path)]);
    await lease.release();
  });

  it('is lost before the server gives it to another one', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const group = await new Semaphore(rig.zk, path, 2).acquire({ count: 2 });
    const atLoss = gate<boolean>();
    group.signal.addEventListener('abort', () => void rig.observer.has(group.parts[0]!.path).then(atLoss.open));
    const next = new Semaphore(rig.observer, path, 2).acquire();
    const heldThen = next.then(() => group.held);
    await rig.outlive();
    expect([await within(atLoss.promise, { what: 'the loss' }), await heldThen]).toEqual([true, false]);
    await rig.relink();
    await group.release();
    await (await next).release();
    await crowd(rig, 0, 0);
  });

  it('is given back after the reconnect', async () => {
    await using rig = await startRig();
    const lease = await new Semaphore(rig.zk, path, 1).acquire();
    await rig.unlink();
    const releasing = lease.release();
    expect(lease.held).toBe(false);
    await rig.relink();
    await releasing;
    await crowd(rig, 0, 0);
  });
});
