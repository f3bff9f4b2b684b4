import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError, OperationTimeoutError } from 'zookit';
import { LeaderLatch, type LeaderLatchOptions, NotLeaderError } from 'zookit/recipes';
import { until, within } from '../../support/until.js';
import { expectFailure, useClients } from '../clients.js';

const clients = useClients();

/** Candidates with a client each, standing in this order. */
async function standing(path: string, options: readonly LeaderLatchOptions[]): Promise<LeaderLatch[]> {
  const latches: LeaderLatch[] = [];
  for (const each of options) {
    latches.push(new LeaderLatch(await clients.another(), path, each).start());
    await until(async () => (await clients.zk.getChildren(path)).length === latches.length, { what: 'a candidate' });
  }
  return latches;
}

async function close(latches: readonly LeaderLatch[]): Promise<void> {
  await Promise.all(latches.map((latch) => latch.close()));
}

const ids = async (latch: LeaderLatch): Promise<string[]> => (await latch.participants()).map(({ id }) => id);

describe('what a candidate tells of itself', () => {
  it('is read by others, from when it stands', async () => {
    const path = await clients.folder();
    const latches = await standing(path, [{ id: 'anna', payload: [1, 2] }, { id: 'ben', ready: false }, {}]);
    expect(await latches[0]!.participants()).toMatchObject([
      { id: 'anna', payload: [1, 2], ready: true, isLeader: true },
      { id: 'ben', payload: undefined, ready: false, isLeader: false },
      { id: '', payload: undefined, ready: true, isLeader: false },
    ]);
    expect(latches.map(({ id }) => id)).toEqual(['anna', 'ben', '']);
    await close(latches);
  });

  it('is changed by its terms, one change after the other, and stays for the next term', async () => {
    const path = await clients.folder();
    await using latch = new LeaderLatch<number>(clients.zk, path, { id: 'anna', payload: 0 });
    const term = await latch.lead();
    const changes = [1, 2, 3].map((payload) => term.proclaim(payload));
    await Promise.all(changes);
    expect((await latch.leader())?.payload).toBe(3);
    await term.release();
    const next = await latch.lead();
    expect((await latch.leader())?.payload).toBe(3);
    const node = await clients.zk.getData(next.path);
    expect(node.text()).toBe('anna\n{"payload":3}');
  });

  it('cannot be changed by who leads no more, and must be JSON', async () => {
    const path = await clients.folder();
    const latch = new LeaderLatch(clients.zk, path);
    const term = await latch.lead();
    await expectFailure(
      term.proclaim(() => 1),
      InvalidArgumentError,
    );
    await expectFailure(term.proclaim(1n), InvalidArgumentError);
    await expectFailure(term.proclaim(1, { timeout: -1 }), InvalidArgumentError);
    const late = clients.zk.delete(term.path);
    // The deletion is under way: the server refuses.
    await expectFailure(term.proclaim(1), NotLeaderError);
    await late;
    await latch.close();
    await expectFailure(term.proclaim(1), NotLeaderError);
  });
});

describe('changes()', () => {
  it.each(['silent', 'notify'] as const)('tells of terms and of their ends; closing mode %s', async (closeMode) => {
    const path = await clients.folder();
    const latch = new LeaderLatch(clients.zk, path, { closeMode });
    expect(latch.state).toBe('idle');
    const seen: string[] = [];
    for await (const { type, term } of latch.changes()) {
      seen.push(`${type} ${term.held}`);
      expect(latch.state === 'leading').toBe(type === 'elected' && term.held);
      if (seen.length === 1) await term.release();
      if (seen.length === 3) void latch.close();
    }
    const ended = closeMode === 'notify' ? ['lost false'] : [];
    expect(seen).toEqual(['elected true', 'lost false', 'elected true', ...ended]);
    expect(latch.state).toBe('closed');
  });

  it('tells of no end twice, and passes over terms that come and go meanwhile', async () => {
    const latch = new LeaderLatch(clients.zk, await clients.folder());
    const changes = latch.changes();
    const first = (await changes.next()).value!;
    for (let round = 0; round < 3; round++) await (await latch.lead()).release();
    const last = await latch.lead();
    expect((await changes.next()).value).toEqual({ type: 'lost', term: first.term });
    expect((await changes.next()).value).toEqual({ type: 'elected', term: last });
    await latch.close();
    expect(await changes.next()).toEqual({ done: true, value: undefined });
  });
});

describe('handOver()', () => {
  it('waits for somebody, and steps down only then', async () => {
    const path = await clients.folder();
    const [anna] = await standing(path, [{ id: 'anna' }]);
    const term = await anna!.lead();
    await expectFailure(anna!.handOver({ timeout: 30 }), OperationTimeoutError);
    expect(term.held).toBe(true);
    const handing = anna!.handOver();
    const ben = new LeaderLatch(await clients.another(), path, { id: 'ben' });
    const next = await within(ben.lead(), { what: 'ben' });
    expect(await handing).toMatchObject({ id: 'ben', path: next.path, fencingToken: next.fencingToken });
    expect([term.held, next.fencingToken.greaterThan(term.fencingToken)]).toEqual([false, true]);
    await until(async () => (await ids(ben)).join() === 'ben,anna', { what: 'anna at the end' });
    await close([anna!, ben]);
  });

  it('passes to the one that is named, and who is passed over stands on', async () => {
    const path = await clients.folder();
    const latches = await standing(path, [{ id: 'anna' }, { id: 'ben' }, { id: 'carl' }, { id: 'dora' }]);
    const [anna, ben, carl, dora] = latches;
    await anna!.lead();
    expect(await within(anna!.handOver({ to: 'carl' }), { what: 'the end' })).toMatchObject({ id: 'carl' });
    await within(carl!.lead(), { what: 'carl' });
    expect([anna!, ben!, dora!].map(({ isLeader }) => isLeader)).toEqual([false, false, false]);
    await until(async () => (await ids(anna!)).length === 4, { what: 'all to stand' });
    expect((await ids(anna!)).slice(0, 2)).toEqual(['carl', 'dora']);
    await close(latches);
    expect(await clients.zk.getChildren(path)).toEqual([]);
  });

  it('waits until its successor has said that it is ready', async () => {
    const path = await clients.folder();
    const latches = await standing(path, [{ id: 'anna' }, { id: 'ben', ready: false }, { id: 'carl', ready: false }]);
    const [anna, ben, carl] = latches;
    const term = await anna!.lead();
    const handing = anna!.handOver();
    await carl!.setReady(false);
    expect(term.held).toBe(true);
    await carl!.setReady();
    expect(await within(handing, { what: 'the end' })).toMatchObject({ id: 'carl', ready: true });
    await within(carl!.lead(), { what: 'carl' });
    expect(ben!.isLeader).toBe(false);
    await ben!.setReady();
    await ben!.setReady(false);
    const ready = (await carl!.participants()).map(({ id, ready: isReady }) => `${id} ${isReady}`);
    expect(ready).toContain('ben false');
    await close(latches);
    await ben!.setReady();
  });

  it('is refused to who does not lead, and ends with the term', async () => {
    const path = await clients.folder();
    const latches = await standing(path, [{ id: 'anna' }, { id: 'ben', ready: false }]);
    const [anna, ben] = latches;
    const term = await anna!.lead();
    await expectFailure(ben!.handOver(), NotLeaderError);
    await expectFailure(anna!.handOver({ to: 5 as never }), InvalidArgumentError);
    await expectFailure(anna!.handOver({ too: 'ben' } as never), InvalidArgumentError);
    const handing = expectFailure(anna!.handOver(), NotLeaderError);
    await clients.zk.delete(term.path);
    await within(handing, { what: 'the end' });
    await close(latches);
  });
});

it.each([{ id: 5 }, { ready: 'yes' }, { payload: () => 1 }, { closeMode: 'loud' }, { ident: 'anna' }, { margin: -1 }])(
  'refuses the options %j',
  (options) => {
    expect(() => new LeaderLatch(clients.zk, '/latch', options as never)).toThrow(InvalidArgumentError);
  },
);

it('says that readiness needs its option', async () => {
  await using latch = new LeaderLatch(clients.zk, await clients.folder());
  await expectFailure(latch.setReady(), InvalidArgumentError);
});
