import { describe, expect, it } from '@jest/globals';
import { ClosedError, InvalidPathError, OperationTimeoutError } from 'zookit';
import { LeaderElection, LeaderLatch, type LeaderView, Mutex, observeLeader } from 'zookit/recipes';
import { knows } from '../../support/features.js';
import { sharedServer } from '../../support/shared.js';
import { gate, until, within } from '../../support/until.js';
import { watchedPaths } from '../../support/watches.js';
import { expectFailure, useClients } from '../clients.js';

const clients = useClients();

/** Takes views until one is as wanted. */
async function view(views: AsyncIterator<LeaderView>, wanted: (view: LeaderView) => boolean): Promise<LeaderView> {
  for (;;) {
    const next = await within(views.next(), { what: 'another view' });
    if (next.done === true) throw new Error('there are no more views');
    if (wanted(next.value)) return next.value;
  }
}

const ledBy = (id: string | undefined) => (each: LeaderView) => !each.stale && each.leader?.id === id;

describe('observeLeader()', () => {
  it('tells who leads, and that nobody does, from before the path is there', async () => {
    const path = '/nobody-yet/leaders';
    await using observer = observeLeader(clients.zk, path);
    const views = observer[Symbol.asyncIterator]();
    expect(await view(views, ledBy(undefined))).toEqual({ leader: undefined, stale: false });
    const latch = new LeaderLatch(await clients.another(), path, { id: 'anna', payload: { port: 80 } });
    const term = await latch.lead();
    const seen = await view(views, ledBy('anna'));
    expect(seen.leader).toEqual({
      id: 'anna',
      path: term.path,
      isLeader: true,
      ready: true,
      payload: { port: 80 },
      fencingToken: term.fencingToken,
      since: (await clients.zk.getData(term.path)).stat.ctime,
    });
    expect([observer.current, await observer.leader()]).toEqual([seen, seen.leader]);
    await latch.close();
    await view(views, ledBy(undefined));
    const next = new LeaderLatch(clients.zk, path, { id: 'ben' }).start();
    await view(views, ledBy('ben'));
    await next.close();
  });

  it('tells each leader in turn, and is not disturbed by those who line up', async () => {
    const path = await clients.folder();
    const latches = [];
    for (const id of ['anna', 'ben', 'carl']) {
      const latch = new LeaderLatch(await clients.another(), path, { id }).start();
      latches.push(latch);
      await until(async () => (await clients.zk.getChildren(path)).length === latches.length, { what: id });
    }
    const zk = await clients.another();
    await using observer = observeLeader(zk, path);
    const views = observer[Symbol.asyncIterator]();
    await view(views, ledBy('anna'));
    // Of the leader alone: none is left on the list.
    expect(zk.watches().map((watch) => watch.path)).toEqual([observer.current.leader?.path]);
    await latches[0]!.close();
    await view(views, ledBy('ben'));
    await latches[1]!.close();
    await view(views, ledBy('carl'));
    await latches[2]!.close();
    await view(views, ledBy(undefined));
  });

  it('tells what the leader proclaims', async () => {
    const path = await clients.folder();
    await using latch = new LeaderLatch<{ epoch: number }>(clients.zk, path, { id: 'anna' });
    const term = await latch.lead();
    await using observer = observeLeader<{ epoch: number }>(await clients.another(), path);
    const views = observer[Symbol.asyncIterator]();
    expect((await view(views, ledBy('anna'))).leader?.payload).toBeUndefined();
    const proclaiming = [1, 2, 3].map((epoch) => term.proclaim({ epoch }));
    await view(views, ({ leader }) => (leader?.payload as { epoch?: number } | undefined)?.epoch === 3);
    expect(observer.current.leader?.payload?.epoch).toBe(3);
    await Promise.all(proclaiming);
  });

  it('sees elections, holders of a lock, and what is of other make', async () => {
    const path = await clients.folder();
    await using observer = observeLeader(clients.zk, path);
    const election = new LeaderElection(
      clients.zk,
      path,
      ({ signal }) => new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve())),
      { id: 'anna' },
    ).start();
    expect((await observer.leader({ timeout: 10_000 })).id).toBe('anna');
    await election.close();
    const kazoo = await clients.zk.create(`${path}/0123456789abcdef0123456789abcdef__lock__`, 'python', {
      mode: 'ephemeralSequential',
    });
    await until(() => observer.current.leader?.id === 'python', { what: "kazoo's" });
    await clients.zk.delete(kazoo.path);
    await using lock = await new Mutex(clients.zk, path, { data: 'holder' }).acquire();
    await until(() => observer.current.leader?.path === lock.path, { what: 'the holder of the lock' });
  });

  it('lets wait for a leader, within limits', async () => {
    const path = await clients.folder();
    const observer = observeLeader(clients.zk, path);
    await expectFailure(observer.leader({ timeout: 20 }), OperationTimeoutError);
    const waiting = observer.leader();
    await using latch = new LeaderLatch(clients.zk, path, { id: 'anna' }).start();
    expect((await within(waiting, { what: 'a leader' })).id).toBe('anna');
    await observer.close();
    await expectFailure(observer.leader(), ClosedError);
    await latch.close();
  });

  it('ends its iterations when it is closed, and leaves no watch', async () => {
    const path = await clients.folder();
    await using latch = new LeaderLatch(clients.zk, path);
    await latch.lead();
    const zk = await clients.another();
    for (const which of [path, `${path}/nobody`]) {
      const observer = observeLeader(zk, which);
      const seen = gate();
      const iterating = (async () => {
        for await (const _ of observer) seen.open();
      })();
      await within(seen.promise, { what: 'a view' });
      await observer.close();
      await within(iterating, { what: 'the end' });
    }
    expect(zk.watches()).toEqual([]);
    await latch.close();
    // An older server keeps watches until they tell.
    const watched = async (): Promise<string[]> => watchedPaths(sharedServer(), clients.chroot + path);
    if (knows('removeWatches')) await until(async () => (await watched()).length === 0, { what: 'no watch' });
  });

  it('checks its path', () => {
    expect(() => observeLeader(clients.zk, 'relative')).toThrow(InvalidPathError);
  });
});
