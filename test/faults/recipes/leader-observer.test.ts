import { describe, expect, it } from '@jest/globals';
import { LeaderLatch, type LeaderView, observeLeader } from 'zookit/recipes';
import { until, within } from '../../support/until.js';
import { startRig, SHORT } from '../rig.js';

const path = '/leaders';

async function view(views: AsyncIterator<LeaderView>, wanted: (view: LeaderView) => boolean): Promise<LeaderView> {
  for (;;) {
    const next = await within(views.next(), { what: 'another view' });
    if (next.done === true) throw new Error('there are no more views');
    if (wanted(next.value)) return next.value;
  }
}

const of = (id: string | undefined, stale: boolean) => (each: LeaderView) =>
  each.leader?.id === id && each.stale === stale;

describe('an observer', () => {
  it('has the last leader without a connection, marked as stale, and the new one after it', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    await using observer = observeLeader(rig.zk, path);
    const views = observer[Symbol.asyncIterator]();
    const anna = new LeaderLatch(rig.observer, path, { id: 'anna' });
    await anna.lead();
    await view(views, of('anna', false));
    await rig.unlink();
    await view(views, of('anna', true));
    expect(observer.current.stale).toBe(true);
    await anna.close();
    const ben = new LeaderLatch(rig.observer, path, { id: 'ben' });
    await ben.lead();
    await rig.relink();
    await view(views, of('ben', false));
    await ben.close();
    await view(views, of(undefined, false));
  });

  it('goes on in the next session', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    await using observer = observeLeader(rig.zk, path);
    const views = observer[Symbol.asyncIterator]();
    await using anna = new LeaderLatch(rig.observer, path, { id: 'anna' });
    await anna.lead();
    await view(views, of('anna', false));
    await rig.outlive();
    await view(views, of('anna', true));
    await rig.relink();
    await view(views, of('anna', false));
    await anna.close();
    await view(views, of(undefined, false));
  });

  it('finds its way over changes that come while the connection comes and goes', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    const zk = rig.zk;
    await using observer = observeLeader(zk, path);
    for (let round = 0; round < 8; round++) {
      const latch = new LeaderLatch(rig.observer, path, { id: `leader ${round}` });
      await latch.lead();
      rig.proxy.resetAll();
      await until(() => observer.current.leader?.id === `leader ${round}`, { what: `leader ${round}` });
      rig.proxy.resetAll();
      await latch.close();
      await until(() => observer.current.leader === undefined, { what: 'nobody' });
    }
  });

  it('tells those who wait that the client was closed', async () => {
    await using rig = await startRig();
    const observer = observeLeader(rig.zk, path);
    const waiting = observer.leader().catch((error: unknown) => error);
    await rig.zk.close();
    expect(await within(waiting, { what: 'the end' })).toMatchObject({ code: 'CLOSED' });
    await observer.close();
  });
});
