import { describe, expect, it } from '@jest/globals';
import { ZooKeeper } from 'zookit';
import { type ElectionTerm, LeaderElection, LeaderLatch, NotLeaderError } from 'zookit/recipes';
import { runScript } from '../../support/child.js';
import { sharedServer } from '../../support/shared.js';
import { gate, until, within } from '../../support/until.js';
import { failureOf, op, type Rig, startRig, SHORT } from '../rig.js';

const path = '/election';
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

const signalled = ({ signal }: ElectionTerm): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** An election whose terms are recorded. */
function recorded(zk: ZooKeeper, options: ConstructorParameters<typeof LeaderElection>[3] = {}) {
  const terms: ElectionTerm[] = [];
  const work = async (term: ElectionTerm): Promise<void> => {
    terms.push(term);
    await signalled(term);
  };
  return { terms, election: new LeaderElection(zk, path, work, { requeue: true, ...options }) };
}

describe('an election', () => {
  it('J1: of three, one of which leads and is killed, has one leader again within the session timeout and a second', async () => {
    await using rig = await startRig();
    const source = `
      import { ZooKeeper } from 'zookit';
      import { LeaderElection } from 'zookit/recipes';
      const zk = await ZooKeeper.connect('${sharedServer().connectString}${rig.chroot}', { sessionTimeout: 1_000 });
      await new LeaderElection(zk, '${path}', ({ fencingToken }) => {
        console.log('leads', String(fencingToken));
        return new Promise(() => {});
      }).run();`;
    await using child = await runScript({ source });
    const [, token] = (await child.line(/^leads (\d+)$/)) as unknown as [string, string];
    const both = [rig.zk, rig.observer].map((zk) => recorded(zk));
    for (const { election } of both) election.start();
    await standing(rig, 3);
    await child.kill();
    const leads = (): ElectionTerm | undefined => both.flatMap(({ terms }) => terms)[0];
    // The server ends sessions in ticks of 200 ms; and a busy machine may hold up all of them.
    const term = await until(leads, { what: 'a leader', timeout: 1_000 + 1_000 + 200 + SLACK });
    expect(term.fencingToken.greaterThan(token)).toBe(true);
    expect(both.map(({ election }) => election.isLeader).sort()).toEqual([false, true]);
    await Promise.all(both.map(({ election }) => election.close()));
  });

  it('loses its term by an expiry, and stands again once its function has returned; there are never two leaders', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const terms: ElectionTerm[] = [];
    let settle = gate();
    const ours = new LeaderElection(
      rig.zk,
      path,
      async (term) => {
        terms.push(term);
        await signalled(term);
        await settle.promise;
      },
      { requeue: true },
    ).start();
    await until(() => ours.isLeader, { what: 'our term' });
    const heldMeanwhile: boolean[] = [];
    const others: ElectionTerm[] = [];
    const other = new LeaderElection(
      rig.observer,
      path,
      async (term) => {
        heldMeanwhile.push(ours.isLeader, terms.at(-1)?.signal.aborted === false);
        others.push(term);
        await signalled(term);
      },
      { requeue: true },
    ).start();
    await standing(rig, 2);
    for (let round = 1; round <= 2; round++) {
      await rig.outlive();
      await until(() => others.length === round, { what: 'the other leader' });
      expect(others.at(-1)!.fencingToken.greaterThan(terms.at(-1)!.fencingToken)).toBe(true);
      await rig.relink();
      expect([await standing(rig, 1), terms.length]).toMatchObject([[expect.any(String)], round]);
      settle.open();
      await standing(rig, 2);
      settle = gate();
      other.interrupt();
      await until(() => terms.length === round + 1, { what: 'our next term' });
      expect(terms.at(-1)!.fencingToken.greaterThan(others.at(-1)!.fencingToken)).toBe(true);
      await standing(rig, 2);
    }
    settle.open();
    await Promise.all([ours.close(), other.close()]);
    expect(heldMeanwhile).toEqual([false, false, false, false]);
    expect(await rig.observer.getChildren(path)).toEqual([]);
  });

  it('goes on leading, and waiting, over lost connections, and creates nothing anew', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    const { terms, election } = recorded(rig.zk);
    election.start();
    await until(() => election.isLeader, { what: 'the term' });
    const second = rig.add(await ZooKeeper.connect(rig.connectString, { sessionTimeout: 10_000 }));
    const waiting = recorded(second);
    waiting.election.start();
    const before = await standing(rig, 2);
    for (let round = 0; round < 5; round++) {
      await rig.reconnect();
      await until(() => second.state === 'connected', { what: 'the other client' });
    }
    expect([(await standing(rig, 2)).sort(), terms.length, terms[0]!.held]).toEqual([before.sort(), 1, true]);
    await election.close();
    await until(() => waiting.election.isLeader, { what: 'the next leader' });
    await waiting.election.close();
  });

  it('interrupts its function with the connection where the caller wants that, and stands again after it', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    const { terms, election } = recorded(rig.zk, { loseOn: 'suspended' });
    election.start();
    await until(() => election.isLeader, { what: 'the term' });
    await rig.unlink();
    expect([terms[0]!.signal.aborted, election.isLeader]).toEqual([true, false]);
    await rig.relink();
    await until(() => terms.length === 2, { what: 'the next term' });
    expect(terms[1]!.fencingToken.greaterThan(terms[0]!.fencingToken)).toBe(true);
    expect(await rig.observer.getChildren(path)).toHaveLength(1);
    await election.close();
  });

  it('runs its function once where the answer to its create is lost, and leaves no znode', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    await rig.observer.ensurePath(path);
    const lost = rig.proxy.swallowNextReply(({ opCode }) => opCode === op.create);
    let runs = 0;
    const election = new LeaderElection(rig.zk, path, () => ++runs);
    const running = election.run();
    await lost;
    expect(await within(running, { what: 'the function' })).toBe(1);
    expect([runs, await rig.observer.getChildren(path)]).toEqual([1, []]);
    await election.close();
  });

  it('that waited without a connection and was ended by its limit has no znode after the reconnect', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    await using other = await new LeaderLatch(rig.observer, '/elsewhere').lead();
    await rig.observer.create(path);
    const holder = await rig.observer.create(`${path}/lock-`, null, { mode: 'ephemeralSequential' });
    const election = new LeaderElection(rig.zk, path, () => 1);
    const stop = new AbortController();
    const running = failureOf(election.run({ signal: stop.signal }));
    await standing(rig, 2);
    await rig.unlink();
    stop.abort();
    expect(await within(running, { what: 'the end of the wait' })).toMatchObject({ code: 'ABORTED' });
    const closing = election.close();
    await rig.relink();
    await within(closing, { what: 'the end' });
    expect(await rig.observer.getChildren(path)).toEqual([holder.path.slice(path.length + 1)]);
    expect(other.held).toBe(true);
  });

  it.each(['leads', 'waits'])('that %s, closed without a connection, is gone after the reconnect', async (role) => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    const others = role === 'waits' ? 1 : 0;
    if (role === 'waits') {
      await rig.observer.ensurePath(path);
      await rig.observer.create(`${path}/lock-`, null, { mode: 'ephemeralSequential' });
    }
    const { election } = recorded(rig.zk);
    election.start();
    await standing(rig, others + 1);
    if (role === 'leads') await until(() => election.isLeader, { what: 'the term' });
    await rig.unlink();
    const closing = election.close();
    expect(await rig.observer.getChildren(path)).toHaveLength(others + 1);
    await rig.relink();
    await within(closing, { what: 'the end' });
    expect(await rig.observer.getChildren(path)).toHaveLength(others);
  });
});

describe('a hand-over', () => {
  it('goes on where its answer is lost', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    const anna = new LeaderLatch(rig.zk, path, { id: 'anna' });
    await anna.lead();
    const others = [];
    for (const id of ['ben', 'carl']) {
      others.push(new LeaderLatch(rig.observer, path, { id }).start());
      await standing(rig, others.length + 1);
    }
    const lost = rig.proxy.swallowNextReply(({ opCode }) => opCode === op.multi);
    const handing = anna.handOver({ to: 'carl' });
    await lost;
    expect(await within(handing, { what: 'the end' })).toMatchObject({ id: 'carl' });
    await within(others[1]!.lead(), { what: 'carl' });
    expect(others[0]!.isLeader).toBe(false);
    await Promise.all([anna, ...others].map((latch) => latch.close()));
  });

  it('is ended by the loss of the term', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const anna = new LeaderLatch(rig.zk, path, { id: 'anna' });
    await anna.lead();
    const handing = failureOf(anna.handOver());
    await rig.outlive();
    await rig.relink();
    expect(await within(handing, { what: 'the end' })).toBeInstanceOf(NotLeaderError);
    await anna.close();
  });
});

describe('proclaim()', () => {
  it('waits for the connection, is done where its answer is lost, and the last word stays', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    const latch = new LeaderLatch<number>(rig.zk, path, { id: 'anna' });
    const term = await latch.lead();
    const lost = rig.proxy.swallowNextReply(({ opCode }) => opCode === op.setData);
    const words = [1, 2].map((word) => term.proclaim(word));
    await lost;
    await Promise.all(words);
    expect((await rig.observer.getData(term.path)).text()).toBe('anna\n{"payload":2}');
    await rig.unlink();
    expect(await failureOf(term.proclaim(3, { timeout: 20 }))).toMatchObject({ code: 'OPERATION_TIMEOUT' });
    const late = term.proclaim(4);
    await rig.relink();
    await within(late, { what: 'the word' });
    expect((await rig.observer.getData(term.path)).text()).toBe('anna\n{"payload":4}');
    await latch.close();
  });

  it('is refused after an expiry, and writes nothing into the znode of the next term', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const latch = new LeaderLatch<number>(rig.zk, path, { id: 'anna', payload: 0 });
    const term = await latch.lead();
    await rig.outlive();
    const late = failureOf(term.proclaim(1));
    await rig.relink();
    expect(await late).toBeInstanceOf(NotLeaderError);
    const next = await latch.lead();
    expect((await rig.observer.getData(next.path)).text()).toBe('anna\n{"payload":0}');
    await latch.close();
  });
});
