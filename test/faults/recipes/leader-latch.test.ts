import { describe, expect, it } from '@jest/globals';
import { ZooKeeper } from 'zookit';
import { LeaderLatch } from 'zookit/recipes';
import { runScript } from '../../support/child.js';
import { sharedServer } from '../../support/shared.js';
import { gate, until, within } from '../../support/until.js';
import { failureOf, op, type Rig, startRig, SHORT } from '../rig.js';

const path = '/latch';
/** How much longer a busy machine may take, ms. */
const SLACK = 2_000;

async function standing({ observer }: Rig, count: number): Promise<string[]> {
  return until(
    async () => {
      const names = await observer.getChildren(path);
      return names.length === count && names;
    },
    { what: `${count} candidates` },
  );
}

describe('a latch', () => {
  it('J1: of three, one of which leads and is killed, has one leader again within the session timeout and a second', async () => {
    await using rig = await startRig();
    const source = `
      import { ZooKeeper } from 'zookit';
      import { LeaderLatch } from 'zookit/recipes';
      const zk = await ZooKeeper.connect('${sharedServer().connectString}${rig.chroot}', { sessionTimeout: 1_000 });
      const term = await new LeaderLatch(zk, '${path}').lead();
      console.log('leads', String(term.fencingToken));`;
    await using child = await runScript({ source });
    const [, token] = (await child.line(/^leads (\d+)$/)) as unknown as [string, string];
    const latches = [rig.zk, rig.observer].map((zk) => new LeaderLatch(zk, path).start());
    await standing(rig, 3);
    await child.kill();
    const leading = Promise.race(latches.map((latch) => latch.lead()));
    // The server ends sessions in ticks of 200 ms; and a busy machine may hold up all of them.
    const term = await within(leading, { what: 'a leader', timeout: 1_000 + 1_000 + 200 + SLACK });
    expect(term.fencingToken.greaterThan(token)).toBe(true);
    expect(latches.map(({ isLeader }) => isLeader).sort()).toEqual([false, true]);
    await Promise.all(latches.map((latch) => latch.close()));
  });

  it('loses its term by an expiry and stands again, and there are never two leaders', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const [ours, other] = [new LeaderLatch(rig.zk, path), new LeaderLatch(rig.observer, path)];
    let highest = (await ours.lead()).fencingToken;
    other.start();
    await standing(rig, 2);
    for (let round = 0; round < 3; round++) {
      const term = await ours.lead();
      const lostBefore = other.lead().then((next) => ({ next, held: term.held, signal: term.signal.aborted }));
      await rig.outlive();
      const { next, held, signal } = await within(lostBefore, { what: 'the other leader' });
      expect([held, signal, ours.isLeader]).toEqual([false, true, false]);
      expect(next.fencingToken.greaterThan(term.fencingToken)).toBe(true);
      await rig.relink();
      await standing(rig, 2);
      await next.release();
      const again = await within(ours.lead(), { what: 'the first leader again' });
      expect([again.fencingToken.greaterThan(next.fencingToken), next.held, term.held]).toEqual([true, false, false]);
      expect(again.fencingToken.greaterThan(highest)).toBe(true);
      highest = again.fencingToken;
      await standing(rig, 2);
    }
    await Promise.all([ours.close(), other.close()]);
    expect(await rig.observer.getChildren(path)).toEqual([]);
  });

  it('goes on leading over a lost connection, and one who waits goes on waiting', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    const latch = new LeaderLatch(rig.zk, path);
    const term = await latch.lead();
    await rig.reconnect();
    expect([latch.leadership === term, term.held]).toEqual([true, true]);
    await latch.close();
    const other = new LeaderLatch(rig.observer, path);
    await other.lead();
    await using waiting = new LeaderLatch(rig.zk, path).start();
    const before = await standing(rig, 2);
    await rig.reconnect();
    expect((await rig.observer.getChildren(path)).sort()).toEqual(before.sort());
    await other.close();
    await within(waiting.lead(), { what: 'the next leader' });
  });

  it('loses with the connection where the caller wants that, and stands again after it', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    await using latch = new LeaderLatch(rig.zk, path, { loseOn: 'suspended' });
    const term = await latch.lead();
    await rig.unlink();
    expect([latch.isLeader, term.signal.aborted]).toEqual([false, true]);
    await rig.relink();
    const again = await within(latch.lead(), { what: 'the next term' });
    expect(again.fencingToken.greaterThan(term.fencingToken)).toBe(true);
    expect(await rig.observer.getChildren(path)).toHaveLength(1);
  });

  it('J5: is set up anew where its directory was deleted while it had no connection', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    const second = rig.add(await ZooKeeper.connect(rig.connectString, { sessionTimeout: 10_000 }));
    const latches = [new LeaderLatch(rig.zk, path), new LeaderLatch(second, path)];
    const term = await latches[0]!.lead();
    latches[1]!.start();
    await standing(rig, 2);
    await rig.unlink();
    await until(() => second.state === 'suspended', { what: 'both to be cut off' });
    await rig.observer.deleteTree(path);
    await rig.relink();
    await until(() => !term.held, { what: 'the old term to end' });
    await standing(rig, 2);
    const leading = Promise.race(latches.map((latch) => latch.lead()));
    expect((await within(leading, { what: 'a leader' })).fencingToken.greaterThan(term.fencingToken)).toBe(true);
    expect(latches.filter(({ isLeader }) => isLeader)).toHaveLength(1);
    await Promise.all(latches.map((latch) => latch.close()));
  });

  it('tells that it cannot stand any more, and can be closed', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT, renewSession: false });
    const latch = new LeaderLatch(rig.zk, path);
    await latch.lead();
    await rig.outlive();
    await rig.restore();
    expect(await failureOf(latch.lead())).toMatchObject({ code: 'SESSION_EXPIRED' });
    expect(latch.isLeader).toBe(false);
    await latch.close();
    expect(await failureOf(latch.lead())).toMatchObject({ code: 'CLOSED' });
  });
});

describe('close()', () => {
  it.each(['leads', 'waits', 'has asked for its znode'])(
    'without a connection, of one that %s, waits for the next one, and its znode is gone',
    async (role) => {
      await using rig = await startRig({ sessionTimeout: 10_000 });
      await rig.observer.ensurePath(path);
      const other = new LeaderLatch(rig.observer, path);
      if (role === 'waits') await other.lead();
      const others = role === 'waits' ? 1 : 0;
      const latch = new LeaderLatch(rig.zk, path);
      if (role === 'has asked for its znode') {
        const lost = rig.proxy.swallowNextReply(({ opCode }) => opCode === op.create);
        rig.proxy.refuse();
        latch.start();
        await lost;
        await rig.events.first('suspended');
      } else {
        latch.start();
        await standing(rig, others + 1);
        if (role === 'leads') await latch.lead();
        await rig.unlink();
      }
      const closed = gate();
      let isClosed = false;
      void latch.close().then(() => {
        isClosed = true;
        closed.open();
      });
      expect(latch.isLeader).toBe(false);
      expect(await rig.observer.getChildren(path)).toHaveLength(others + 1);
      expect(isClosed).toBe(false);
      await rig.relink();
      await within(closed.promise, { what: 'the end' });
      expect(await rig.observer.getChildren(path)).toHaveLength(others);
      await other.close();
    },
  );

  it('settles when the session has ended, and when the client is closed', async () => {
    for (const how of ['expiry', 'close']) {
      await using rig = await startRig({ sessionTimeout: SHORT });
      const latch = new LeaderLatch(rig.zk, path);
      await latch.lead();
      if (how === 'expiry') await rig.outlive();
      else await rig.unlink();
      const closing = latch.close();
      if (how === 'expiry') await rig.relink();
      else await rig.zk.close({ timeout: 10 });
      await within(closing, { what: 'the end' });
    }
  });
});
