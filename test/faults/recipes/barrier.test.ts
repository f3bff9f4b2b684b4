import { describe, expect, it } from '@jest/globals';
import { Barrier, DoubleBarrier } from 'zookit/recipes';
import type { ProxyRequest } from '../../support/proxy.js';
import { until, within } from '../../support/until.js';
import { failureOf, op, type Rig, startRig, SHORT } from '../rig.js';

const path = '/barrier';

async function members({ observer }: Rig, count: number): Promise<void> {
  await until(
    async () => {
      const names = await observer.getChildren(path);
      return names.filter((name) => name !== 'ready').length === count;
    },
    { what: `${count} members` },
  );
}

describe('who waits at a barrier', () => {
  it('goes on waiting over a lost connection and an expiry, and learns of what happened meanwhile', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const gate = new Barrier(rig.observer, path);
    await gate.set();
    let passed = 0;
    let waiting = new Barrier(rig.zk, path).wait().then(() => passed++);
    await rig.reconnect();
    await rig.outlive();
    await rig.relink();
    await rig.zk.sync('/');
    expect(passed).toBe(0);
    await gate.remove();
    await within(waiting, { what: 'it to pass' });
    await gate.set();
    waiting = new Barrier(rig.zk, path).wait().then(() => passed++);
    await rig.zk.sync('/');
    await rig.outlive();
    await gate.remove();
    await rig.relink();
    await within(waiting, { what: 'it to pass' });
  });

  it('waits also where no operation may wait for a connection', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000, offlineQueue: false });
    await rig.unlink();
    const waiting = new Barrier(rig.zk, path).wait();
    const ended = failureOf(new Barrier(rig.zk, path).wait({ timeout: 50 }));
    expect(await ended).toMatchObject({ code: 'OPERATION_TIMEOUT', operation: 'Barrier.wait' });
    await rig.relink();
    await within(waiting, { what: 'it to pass' });
  });
});

describe('a double barrier', () => {
  it.each([
    ['operations that wait for a connection', {}],
    ['operations that fail without one', false],
  ] as const)('is entered and left over lost requests and replies: %s', async (_, offlineQueue) => {
    await using rig = await startRig({ sessionTimeout: 10_000, offlineQueue });
    const ours = new DoubleBarrier(rig.zk, path, 2);
    const other = new DoubleBarrier(rig.observer, path, 2);
    const ops = [op.create, op.getChildren, op.exists, op.delete, op.getData];
    for (const opCode of ops) {
      const matches = (request: ProxyRequest): boolean => request.opCode === opCode;
      void rig.proxy.swallowNextReply(matches);
      void rig.proxy.swallowNextRequest(matches);
      await within(Promise.all([ours.enter(), other.enter()]), { what: 'both to enter' });
      await within(Promise.all([ours.leave(), other.leave()]), { what: 'both to leave' });
      expect(await rig.observer.getChildren(path)).toEqual([]);
    }
  });

  it('is entered again by who waits in it when its session expires', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const [ours, other] = [new DoubleBarrier(rig.zk, path, 2), new DoubleBarrier(rig.observer, path, 2)];
    let entered = 0;
    const entering = ours.enter().then(() => entered++);
    await members(rig, 1);
    await rig.outlive();
    await members(rig, 0);
    await rig.relink();
    await members(rig, 1);
    expect(entered).toBe(0);
    await within(Promise.all([other.enter(), entering]), { what: 'both to enter' });
    await within(Promise.all([other.leave(), ours.leave()]), { what: 'both to leave' });
  });

  it('that is given up in its second session leaves no member there', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const stop = new AbortController();
    const entering = failureOf(new DoubleBarrier(rig.zk, path, 2).enter({ signal: stop.signal }));
    await members(rig, 1);
    await rig.outlive();
    await rig.relink();
    await members(rig, 1);
    stop.abort();
    await entering;
    expect(await rig.observer.getChildren(path)).toEqual([]);
  });

  it('that is given up without a connection has no member afterwards', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    const entering = failureOf(new DoubleBarrier(rig.zk, path, 2).enter({ timeout: 100 }));
    await members(rig, 1);
    await rig.unlink();
    expect(await entering).toMatchObject({ code: 'OPERATION_TIMEOUT' });
    expect(rig.zk.state).toBe('suspended');
    await rig.relink();
    await members(rig, 0);
  });

  it('is left by who lost the session meanwhile: it waits for the others and adds nothing', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const [ours, other] = [new DoubleBarrier(rig.zk, path, 2), new DoubleBarrier(rig.observer, path, 2)];
    await Promise.all([ours.enter(), other.enter()]);
    let left = 0;
    const leaving = ours.leave().then(() => left++);
    await rig.outlive();
    await members(rig, 1);
    await rig.relink();
    await rig.zk.sync('/');
    expect(left).toBe(0);
    await within(Promise.all([other.leave(), leaving]), { what: 'both to leave' });
    expect(await rig.observer.getChildren(path)).toEqual([]);
  });
});
