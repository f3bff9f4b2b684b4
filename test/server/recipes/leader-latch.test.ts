import { describe, expect, it, jest, test } from '@jest/globals';
import { ClosedError, InvalidPathError, OperationTimeoutError, type ZooKeeper } from 'zookit';
import { LeaderLatch, type Leadership } from 'zookit/recipes';
import { sharedServer } from '../../support/shared.js';
import { gate, until, within } from '../../support/until.js';
import { watchedPaths } from '../../support/watches.js';
import { failureOf, useClients } from '../clients.js';

const clients = useClients();

/** So many candidates, each with a client of its own, standing in this order. */
async function candidates(path: string, count: number): Promise<LeaderLatch[]> {
  const latches: LeaderLatch[] = [];
  for (let index = 0; index < count; index++) {
    latches.push(new LeaderLatch(await clients.another(), path, { id: `candidate ${index}` }).start());
    await standing(clients.zk, path, index + 1);
  }
  return latches;
}

async function standing(zk: ZooKeeper, path: string, count: number): Promise<void> {
  await until(async () => (await zk.getChildren(path)).length === count, { what: `${count} candidates` });
}

/** Resolves after so many turns of those who wait for promises. */
async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await Promise.resolve();
}

function leadersOf(latches: readonly LeaderLatch[]): number[] {
  return latches.flatMap((latch, index) => (latch.isLeader ? [index] : []));
}

describe('a latch', () => {
  it('elects one of five, and the next in line when that is closed, with a higher token', async () => {
    const path = await clients.folder();
    const latches = await candidates(path, 5);
    const tokens = [];
    for (let round = 0; round < 5; round++) {
      const term = await within(latches[round]!.lead(), { what: `leader ${round}` });
      expect(leadersOf(latches)).toEqual([round]);
      expect([term.held, latches[round]!.leadership]).toEqual([true, term]);
      tokens.push(term.fencingToken.toNumber());
      await latches[round]!.close();
      expect([term.held, term.signal.aborted, latches[round]!.leadership]).toEqual([false, true, undefined]);
    }
    expect(tokens).toEqual([...tokens].sort((a, b) => a - b));
    expect(await clients.zk.getChildren(path)).toEqual([]);
    expect(await watchedPaths(sharedServer(), clients.chroot + path)).toEqual([]);
  });

  it("names its znodes as Curator's", async () => {
    const path = await clients.folder();
    await using latch = new LeaderLatch(clients.zk, path, { id: 'Zoë' });
    const term = await latch.lead();
    expect(term.path.slice(path.length)).toMatch(/^\/_c_[0-9a-f-]{36}-latch-\d{10}$/);
    const node = await clients.zk.getData(term.path);
    expect([node.text(), node.stat.ephemeralOwner]).toEqual(['Zoë', clients.zk.session.id]);
  });

  it('tells who stands and who leads', async () => {
    const path = await clients.folder();
    const observer = new LeaderLatch(clients.zk, path);
    expect([await observer.participants(), await observer.leader()]).toEqual([[], undefined]);
    const latches = await candidates(path, 3);
    await clients.zk.create(`${path}/foreign`);
    expect((await observer.participants()).map(({ id, isLeader }) => [id, isLeader])).toEqual([
      ['candidate 0', true],
      ['candidate 1', false],
      ['candidate 2', false],
    ]);
    expect(await observer.leader()).toEqual((await observer.participants())[0]);
    expect(observer.isLeader).toBe(false);
    await Promise.all(latches.map((latch) => latch.close()));
    expect(await new LeaderLatch(clients.zk, '/nowhere').participants()).toEqual([]);
  });

  it('J8: tells so during hand-overs, too', async () => {
    const path = await clients.folder();
    const latches = await candidates(path, 8);
    const observer = new LeaderLatch(clients.zk, path);
    const looks = latches.map(async (latch) => {
      const closing = latch.close();
      expect((await observer.participants()).length).toBeLessThanOrEqual(8);
      await closing;
    });
    await Promise.all(looks);
    expect(await observer.leader()).toBeUndefined();
  });

  it('goes on standing when a wait for it is ended', async () => {
    const path = await clients.folder();
    const [first, second] = await candidates(path, 2);
    await expect(second!.lead({ timeout: 20 })).rejects.toThrow(OperationTimeoutError);
    await expect(second!.lead({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
    expect(await clients.zk.getChildren(path)).toHaveLength(2);
    await first!.close();
    await within(second!.lead(), { what: 'the second' });
    await second!.close();
  });

  it('stands anew when somebody deletes its znode: behind the others', async () => {
    const path = await clients.folder();
    const [first, second] = await candidates(path, 2);
    const term = await first!.lead();
    await clients.zk.delete(term.path);
    const next = await within(second!.lead(), { what: 'the second' });
    await until(() => !term.held, { what: 'the first to know' });
    expect(next.fencingToken.greaterThan(term.fencingToken)).toBe(true);
    await standing(clients.zk, path, 2);
    await second!.close();
    const again = await within(first!.lead(), { what: 'the first again' });
    expect([again === term, again.fencingToken.greaterThan(next.fencingToken)]).toEqual([false, true]);
    await first!.close();
  });

  it('ends a term that is released, and stands anew', async () => {
    const path = await clients.folder();
    const [first, second] = await candidates(path, 2);
    await (await first!.lead()).release();
    await within(second!.lead(), { what: 'the second' });
    await second!.close();
    await within(first!.lead(), { what: 'the first again' });
    await first!.close();
  });
});

describe('terms()', () => {
  it('gives each term when it begins, and ends with the latch', async () => {
    const path = await clients.folder();
    const latch = new LeaderLatch(clients.zk, path);
    const seen: Leadership[] = [];
    for await (const term of latch.terms()) {
      expect([term.held, latch.leadership]).toEqual([true, term]);
      seen.push(term);
      if (seen.length === 3) await latch.close();
      else await term.release();
    }
    expect(new Set(seen.map(({ path: each }) => each)).size).toBe(3);
    expect(await clients.zk.getChildren(path)).toEqual([]);
  });

  it.each(['while the next term is waited for', 'while a term lasts'])('ends without an error %s', async (when) => {
    const path = await clients.folder();
    const others = when === 'while a term lasts' ? [] : await candidates(path, 1);
    const latch = new LeaderLatch(clients.zk, path);
    const terms = latch.terms();
    const first = terms.next();
    if (others.length === 0) await first;
    else await standing(clients.zk, path, 2);
    const next = others.length === 0 ? terms.next() : first;
    await latch.close();
    expect(await within(next, { what: 'the end' })).toEqual({ done: true, value: undefined });
    await Promise.all(others.map((other) => other.close()));
  });

  it('ends with the signal of its reader, and the latch goes on', async () => {
    const latch = new LeaderLatch(clients.zk, await clients.folder());
    const stop = new AbortController();
    const terms = latch.terms({ signal: stop.signal });
    await terms.next();
    const next = terms.next();
    stop.abort();
    expect(await failureOf(next)).toMatchObject({ code: 'ABORTED' });
    expect(latch.isLeader).toBe(true);
    await latch.close();
  });
});

describe('close()', () => {
  it('J4: at any moment of a candidacy leaves no znode', async () => {
    const path = await clients.folder();
    const other = await clients.another();
    const [first] = await candidates(path, 1);
    for (let round = 0; round < 25; round++) {
      const latch = new LeaderLatch(other, path, { id: `round ${round}` }).start();
      for (let turn = 0; turn < round; turn++) await (turn % 2 === 0 ? other.exists('/') : Promise.resolve());
      if (round % 5 === 4) await (await first!.lead()).release();
      await latch.close();
      expect((await latch.participants()).filter(({ id }) => id === latch.id)).toEqual([]);
      await standing(other, path, 1);
    }
    await first!.close();
    expect(await watchedPaths(sharedServer(), clients.chroot + path)).toEqual([]);
  });

  it('ends who waits to lead, and nobody can stand afterwards', async () => {
    const path = await clients.folder();
    const [first, second] = await candidates(path, 2);
    const leading = failureOf(second!.lead());
    await second!.close();
    expect(await leading).toBeInstanceOf(ClosedError);
    await expect(second!.lead()).rejects.toThrow(ClosedError);
    expect(() => second!.start()).toThrow(ClosedError);
    await second!.close();
    await first!.close();
  });

  it('right when the term begins ends the wait for it as well', async () => {
    const path = await clients.folder();
    const zk = await clients.another();
    for (let depth = 0; depth < 30; depth++) {
      const latch = new LeaderLatch(zk, path);
      const closed = gate();
      const lease = jest.spyOn(zk, 'lease').mockImplementationOnce((options) => {
        lease.mockRestore();
        void turns(depth).then(() => latch.close().then(closed.open));
        return zk.lease(options);
      });
      const waits = [latch.lead(), latch.lead()].map((wait) => wait.catch((error: unknown) => error));
      await within(Promise.all([closed.promise, ...waits]), { what: 'the waits to end' });
      expect(await zk.getChildren(path)).toEqual([]);
    }
  });

  it('of one that never stood does nothing', async () => {
    await new LeaderLatch(clients.zk, await clients.folder()).close();
  });
});

test('the path is checked by the constructor', () => {
  expect(() => new LeaderLatch(clients.zk, '/latch/')).toThrow(InvalidPathError);
});
