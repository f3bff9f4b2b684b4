import { describe, expect, it } from '@jest/globals';
import { Group } from 'zookit/recipes';
import { runScript } from '../../support/child.js';
import { sharedServer } from '../../support/shared.js';
import { until } from '../../support/until.js';
import { failureOf, op, startRig, SHORT } from '../rig.js';

const path = '/group';

describe('a group', () => {
  it('N5: keeps what it knew, as stale, while there is no connection; an empty list is what the server said', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    await using group = new Group(rig.zk, path);
    const other = await new Group(rig.observer, path).join('other');
    await group.until((all) => all.length === 1);
    await rig.unlink();
    expect([group.view.members.length, group.view.stale]).toEqual([1, true]);
    // What it knew is not what counts now.
    expect(await failureOf(group.until((all) => all.length === 1, { timeout: 50 }))).toMatchObject({
      code: 'OPERATION_TIMEOUT',
    });
    await other.leave();
    expect(group.view.members).toHaveLength(1);
    await rig.relink();
    await group.until((all) => all.length === 0);
    expect(group.view.stale).toBe(false);
  });

  it('tells whoever iterates it when it becomes stale, and when it is current again', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    const group = new Group(rig.zk, path);
    const seen: boolean[] = [];
    const iterating = (async () => {
      for await (const { stale } of group) seen.push(stale);
    })();
    await until(() => seen.at(-1) === false, { what: 'the first view' });
    await rig.unlink();
    await until(() => seen.at(-1) === true, { what: 'it to be stale' });
    await rig.relink();
    await until(() => seen.at(-1) === false, { what: 'it to be current' });
    await group.close();
    await iterating;
  });

  it('follows the new session after an expiry, and its member joins again', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    await using group = new Group(rig.zk, path);
    await using observing = new Group(rig.observer, path);
    const member = await group.join('own', { data: 'x' });
    await observing.until((all) => all.length === 1);
    await rig.outlive();
    await observing.until((all) => all.length === 0);
    expect([member.held, member.signal.aborted]).toEqual([false, true]);
    await rig.relink();
    const [again] = await observing.until((all) => all.length === 1);
    expect([again?.id, again?.data.toString()]).toEqual(['own', 'x']);
    await until(() => member.held, { what: 'it to know' });
    await group.until((all) => all.length === 1);
    await member.leave();
    await group.until((all) => all.length === 0);
  });

  it('is current after lost requests and replies of each kind', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    await using group = new Group(rig.zk, path);
    const others = new Group(rig.observer, path);
    await group.ready();
    for (const opCode of [op.getChildren, 12, op.getData, op.exists]) {
      void rig.proxy.swallowNextReply((request) => request.opCode === opCode);
      void rig.proxy.swallowNextRequest((request) => request.opCode === opCode);
      const member = await others.join('a', { data: '1' });
      await group.until((all) => all[0]?.data.toString() === '1', { timeout: 20_000 });
      await member.setData('2');
      await group.until((all) => all[0]?.data.toString() === '2', { timeout: 20_000 });
      await member.leave();
      await group.until((all) => all.length === 0, { timeout: 20_000 });
    }
  });

  it('misses nobody: random joins and leaves over resets end with what the server has', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    await using group = new Group(rig.zk, path);
    await group.ready();
    const others = new Group(rig.observer, path);
    for (let round = 0; round < 10; round++) {
      const joined = await Promise.all(Array.from({ length: 8 }, (_, index) => others.join(`m${index}`)));
      rig.proxy.resetAll();
      await Promise.all(joined.filter(() => Math.random() < 0.5).map((member) => member.leave()));
      const there = (await rig.observer.getChildren(path)).sort();
      await group.until((all) => all.map(({ id }) => id).join() === there.join(), { timeout: 20_000 });
      await Promise.all(joined.map((member) => member.leave()));
    }
    await group.until((all) => all.length === 0);
  });

  it('knows that a member was killed when its session is over; until then its id is taken', async () => {
    await using rig = await startRig();
    await using group = new Group(rig.observer, path);
    await using child = await runScript({
      source: `
        import { ZooKeeper } from 'zookit';
        import { Group } from 'zookit/recipes';
        const zk = await ZooKeeper.connect('${sharedServer().connectString}${rig.chroot}', { sessionTimeout: ${SHORT} });
        const member = await new Group(zk, '${path}').join('killed');
        console.log('joined', member.held);
        setInterval(() => undefined, 1000);`,
    });
    await child.line(/^joined true$/);
    await group.until((all) => all.length === 1);
    await child.kill();
    // It may be gone already, where this machine is slow.
    const [tried, next] = await Promise.allSettled([
      new Group(rig.zk, path).join('killed'),
      new Group(rig.zk, path).join('killed', { onConflict: 'wait', timeout: 20_000 }),
    ]);
    expect(tried.status === 'fulfilled' || (tried.reason as { code?: string }).code === 'OWNED_BY_OTHER').toBe(true);
    expect(next.status).toBe('fulfilled');
    await group.until((all) => all.length === 1 && all[0]?.id === 'killed');
    const stat = await rig.observer.exists(`${path}/killed`);
    expect(stat && rig.zk.session.owns(stat)).toBe(true);
  });
});
