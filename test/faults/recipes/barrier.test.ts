import { describe, expect, it } from '@jest/globals';
import { Barrier, CountDownLatch, DoubleBarrier, RoundBarrier, type RoundMember } from 'zookit/recipes';
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

describe('a barrier', () => {
  it('is set and removed over lost requests and replies', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    const gate = new Barrier(rig.zk, path);
    for (const lost of ['swallowNextReply', 'swallowNextRequest'] as const) {
      void rig.proxy[lost](({ opCode }) => opCode === op.create);
      expect([await gate.set(), await rig.observer.has(path), await gate.set()]).toEqual([true, true, false]);
      void rig.proxy[lost](({ opCode }) => opCode === op.delete);
      expect([await gate.remove(), await rig.observer.has(path), await gate.remove()]).toEqual([true, false, false]);
    }
  });
});

describe('a latch', () => {
  it('counts each call once over lost requests and replies, and opens', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    const latch = new CountDownLatch(rig.zk, path);
    void rig.proxy.swallowNextReply(({ opCode }) => opCode === op.create);
    expect(await latch.set(12)).toBe(true);
    const opening = new CountDownLatch(rig.zk, path).wait();
    for (let left = 11; left >= 0; left--) {
      const lost = left % 2 === 0 ? 'swallowNextReply' : 'swallowNextRequest';
      void rig.proxy[lost](({ opCode }) => opCode === (left % 3 === 0 ? op.getData : op.create));
      const counted = latch.countDown(left % 4 === 0 ? { id: String(left) } : {});
      expect(await within(counted, { what: 'the count' })).toBe(left);
    }
    await within(opening, { what: 'it to open' });
    expect(await new CountDownLatch(rig.observer, path).count()).toBe(0);
  });

  it('is waited for over a lost connection and an expiry', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const other = new CountDownLatch(rig.observer, path);
    await other.set(2);
    let passed = 0;
    const opening = new CountDownLatch(rig.zk, path).wait().then(() => passed++);
    await rig.reconnect();
    await other.countDown();
    await rig.outlive();
    await rig.relink();
    await rig.zk.sync('/');
    expect(passed).toBe(0);
    await rig.unlink();
    await other.countDown();
    await rig.relink();
    await within(opening, { what: 'it to open' });
  });
});

describe('a barrier with rounds', () => {
  it('is gone through over lost requests and replies: no member twice, no round too many', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    const ops = [op.multi, op.getChildren, op.setData, op.getData, op.exists, op.create];
    const members: RoundMember[] = [];
    for (const zk of [rig.zk, rig.observer, rig.zk]) {
      void rig.proxy[members.length === 0 ? 'swallowNextReply' : 'swallowNextRequest'](
        ({ opCode }) => opCode === op.multi,
      );
      members.push(await within(new RoundBarrier(zk, path).join(), { what: 'a member' }));
    }
    expect(await rig.observer.getChildren(path)).toHaveLength(3);
    for (let round = 1; round <= 12; round++) {
      void rig.proxy[round % 2 === 0 ? 'swallowNextReply' : 'swallowNextRequest'](
        ({ opCode }) => opCode === ops[round % ops.length],
      );
      const arrived = members.map((each) => each.arrive());
      expect(await within(Promise.all(arrived), { what: 'the round' })).toEqual([round + 1, round + 1, round + 1]);
    }
    void rig.proxy.swallowNextReply(({ opCode }) => opCode === op.delete);
    await within(Promise.all(members.map((each) => each.leave())), { what: 'all to leave' });
    expect(await rig.observer.getChildren(path)).toEqual([]);
  });

  it('is not over for who joins at the moment at which it would be', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    const barrier = new RoundBarrier(rig.observer, path);
    const ours = await new RoundBarrier(rig.zk, path).join();
    const ignore = rig.proxy.onRequest(({ opCode }) => {
      if (opCode === op.multi) rig.proxy.holdReplies();
    });
    let over = 0;
    const arriving = ours.arrive().then((next) => (over++, next));
    await until(async () => (await barrier.participants()).some(({ hasArrived }) => hasArrived), { what: 'it' });
    // Ours has seen that it is alone, and does not know yet that it has arrived.
    const other = await barrier.join();
    ignore();
    rig.proxy.releaseReplies();
    await until(() => rig.zk.watches().some((watch) => watch.path.startsWith(`${path}/`)), { what: 'it to wait' });
    expect([over, other.round]).toEqual([0, 1]);
    expect(await within(Promise.all([other.arrive(), arriving]), { what: 'the round' })).toEqual([2, 2]);
    await Promise.all([ours.leave(), other.leave()]);
  });

  it('goes on without a member whose session has ended: that one has to join again', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const [ours, other] = [
      await new RoundBarrier(rig.zk, path).join(),
      await new RoundBarrier(rig.observer, path).join(),
    ];
    const arriving = failureOf(ours.arrive());
    await until(async () => (await rig.observer.getChildren(path)).some((name) => name.endsWith('-1')), { what: 'it' });
    await rig.outlive();
    expect(await within(other.arrive(), { what: 'the round' })).toBe(2);
    await rig.relink();
    expect(await within(arriving, { what: 'the error' })).toMatchObject({ code: 'NOT_A_MEMBER' });
    await ours.leave();
    const again = await new RoundBarrier(rig.zk, path).join();
    expect(again.round).toBe(2);
    const both = Promise.all([again.arrive(), other.arrive()]);
    expect(await within(both, { what: 'the round' })).toEqual([3, 3]);
    await Promise.all([again.leave(), other.leave()]);
  });

  it('is joined in the new session by who was joining when the old one ended', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    await rig.outlive();
    const joining = new RoundBarrier(rig.zk, path).join();
    const givenUp = failureOf(new RoundBarrier(rig.zk, path).join({ timeout: 20 }));
    expect(await givenUp).toMatchObject({ code: 'OPERATION_TIMEOUT', operation: 'RoundBarrier.join' });
    await rig.relink();
    const member = await within(joining, { what: 'a member' });
    expect(await member.arrive()).toBe(2);
    expect(await rig.observer.getChildren(path)).toHaveLength(1);
  });

  it('is left without a connection as soon as there is one again', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    const [ours, other] = [
      await new RoundBarrier(rig.zk, path).join(),
      await new RoundBarrier(rig.observer, path).join(),
    ];
    await rig.unlink();
    const leaving = ours.leave();
    const arriving = other.arrive();
    await rig.relink();
    await within(Promise.all([leaving, arriving]), { what: 'the end' });
    expect(await rig.observer.getChildren(path)).toHaveLength(1);
  });
});

it('a participant of a double barrier counts no more after an expiry, and knows it', async () => {
  await using rig = await startRig({ sessionTimeout: SHORT });
  const ours = new DoubleBarrier(rig.zk, path, 1);
  await ours.enter();
  expect(ours.participating).toBe(true);
  await rig.outlive();
  await rig.relink();
  expect(ours.participating).toBe(false);
});

describe('a `ready` that was left behind', () => {
  it('by a participant that died while the others waited is no danger to the next round', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    await rig.observer.create(path);
    await rig.observer.create(`${path}/ready`);
    const ours = [1, 2].map(() => new DoubleBarrier(rig.zk, path, 2));
    void rig.proxy.swallowNextReply(({ opCode }) => opCode === op.delete);
    await within(Promise.all(ours.map((each) => each.enter())), { what: 'both to enter' });
    await within(Promise.all(ours.map((each) => each.leave())), { what: 'both to leave' });
    expect(await rig.observer.getChildren(path)).toEqual([]);
  });
});
