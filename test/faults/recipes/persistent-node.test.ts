import { describe, expect, it } from '@jest/globals';
import { type NodeState, PersistentNode, type PersistentNodeOptions } from 'zookit/recipes';
import { needs } from '../../support/features.js';
import { until, within } from '../../support/until.js';
import { failureOf, op, type Rig, startRig, SHORT } from '../rig.js';

const modes: readonly (readonly [string, PersistentNodeOptions])[] = [
  ['ephemeral', {}],
  ['ephemeral, protected', { protected: true }],
  ['ephemeral, sequential', { mode: 'ephemeralSequential' }],
  ['persistent', { mode: 'persistent' }],
  ['persistent, sequential', { mode: 'persistentSequential' }],
];

async function children({ observer }: Rig): Promise<string[]> {
  return await observer.getChildren('/nodes');
}

describe('a persistent node', () => {
  it.each(modes)('%s: is there once, whatever request or reply was lost', async (_, options) => {
    for (const offlineQueue of [{}, false] as const) {
      await using rig = await startRig({ sessionTimeout: 10_000, offlineQueue });
      await rig.observer.ensurePath('/nodes');
      for (const opCode of [op.create, op.exists, op.setData, op.getChildren, op.delete, op.sync]) {
        void rig.proxy.swallowNextReply((request) => request.opCode === opCode);
        void rig.proxy.swallowNextRequest((request) => request.opCode === opCode);
        const node = new PersistentNode(rig.zk, '/nodes/n', 'first', options).start();
        await node.published({ timeout: 20_000 });
        await node.setData('second');
        expect(await children(rig)).toEqual([node.path?.slice('/nodes/'.length)]);
        expect((await rig.observer.getData(node.path ?? '')).text()).toBe('second');
        await node.close();
        expect(await children(rig)).toEqual([]);
      }
    }
  });

  it.each(modes)('%s: that is closed before the answer to its creation came leaves nothing', async (_, options) => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    await rig.observer.ensurePath('/nodes');
    const ignore = rig.proxy.onRequest(({ opCode }) => {
      if (opCode === op.create) rig.proxy.holdReplies();
    });
    const node = new PersistentNode(rig.zk, '/nodes/n', 'x', options).start();
    await until(async () => (await children(rig)).length === 1, { what: 'the creation' });
    ignore();
    const closing = node.close();
    rig.proxy.heal({ deliver: false });
    await within(closing, { what: 'the end', timeout: 20_000 });
    expect(await children(rig)).toEqual([]);
  });

  it.each(modes)('%s: is at its path after an expiry, with the latest data', async (_, options) => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    await rig.observer.ensurePath('/nodes');
    const node = new PersistentNode(rig.zk, '/nodes/n', 'first', options).start();
    await node.published();
    const { path = '', signal } = node;
    const states: NodeState[] = [];
    const telling = (async () => {
      for await (const state of node) states.push(state);
    })();
    await rig.outlive();
    expect([node.held, signal.aborted]).toEqual([false, true]);
    const isEphemeral = options.mode?.startsWith('persistent') !== true;
    expect(await rig.observer.has(path)).toBe(!isEphemeral);
    await until(() => states.length === 2, { what: 'the loss to be told' });
    const writing = node.setData('second');
    await rig.relink();
    await writing;
    expect(await children(rig)).toEqual([path.slice('/nodes/'.length)]);
    const { data, stat } = await rig.observer.getData(path);
    expect([data.toString(), rig.zk.session.owns(stat), node.held]).toEqual(['second', isEphemeral, true]);
    await until(() => states.length === 3, { what: 'the return to be told' });
    expect(states).toEqual([{ standing: true, path }, { standing: false }, { standing: true, path }]);
    await node.close();
    await telling;
    expect(await children(rig)).toEqual([]);
  });

  it('is neither deleted nor created by a lost connection', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    const node = new PersistentNode(rig.zk, '/n', 'x').start();
    await node.published();
    const before = await rig.observer.exists('/n');
    await rig.unlink();
    expect(node.held).toBe(true);
    await rig.relink();
    await rig.zk.sync('/');
    expect([(await rig.observer.exists('/n'))?.czxid, node.held]).toEqual([before?.czxid, true]);
    await node.close();
  });

  it.each(modes)('%s: that is closed without a connection is gone after the next one', async (_, options) => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    await rig.observer.ensurePath('/nodes');
    const node = new PersistentNode(rig.zk, '/nodes/n', 'x', options).start();
    await node.published();
    await rig.unlink();
    const closing = node.close();
    expect(node.held).toBe(false);
    await rig.relink();
    await closing;
    expect(await children(rig)).toEqual([]);
  });

  it('that is not ephemeral is deleted in the next session, if this one ends before', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    await rig.observer.ensurePath('/nodes');
    const node = new PersistentNode(rig.zk, '/nodes/n', 'x', { mode: 'persistent' }).start();
    await node.published();
    const outliving = rig.outlive();
    await rig.events.first('suspended');
    const closing = node.close();
    await outliving;
    expect(await children(rig)).toEqual(['n']);
    await rig.relink();
    await closing;
    expect(await children(rig)).toEqual([]);
  });

  it('waits for the place of another session until that has ended', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const theirs = new PersistentNode(rig.zk, '/n', 'theirs').start();
    await theirs.published();
    await using ours = new PersistentNode(rig.observer, '/n', 'ours', { onConflict: 'wait' }).start();
    expect(await failureOf(ours.published({ timeout: 50 }))).toMatchObject({ code: 'OPERATION_TIMEOUT' });
    await rig.outlive();
    await ours.published();
    await rig.relink();
    expect(await failureOf(theirs.setData('x'))).toMatchObject({ code: 'OWNED_BY_OTHER' });
    expect((await rig.observer.getData('/n')).text()).toBe('ours');
    await theirs.close();
  });

  needs('ttl')('with a ttl is touched again after a lost connection', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    const node = new PersistentNode(rig.zk, '/n', 'x', { mode: 'ttl', ttl: 60_000, touchEvery: 50 }).start();
    await node.published();
    const touches = async (): Promise<number> => (await rig.observer.exists('/n/touch'))?.version ?? 0;
    await until(async () => (await touches()) > 2, { what: 'touches' });
    await rig.unlink();
    const before = await touches();
    await rig.relink();
    await until(async () => (await touches()) > before + 2, { what: 'more touches' });
    await node.close({ keep: false });
    expect(await rig.observer.has('/n')).toBe(false);
  });

  needs('ttl')('with a ttl stands, and is touched, over lost requests and replies', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    const node = new PersistentNode(rig.zk, '/n', 'x', { mode: 'ttl', ttl: 60_000, touchEvery: 30 }).start();
    await node.published();
    const lost = [rig.proxy.swallowNextReply(({ opCode }) => opCode === op.setData)];
    lost.push(rig.proxy.swallowNextRequest(({ opCode }) => opCode === op.setData));
    await within(Promise.all(lost), { what: 'two lost touches', timeout: 20_000 });
    const before = (await rig.observer.exists('/n/touch'))?.version ?? 0;
    await until(async () => ((await rig.observer.exists('/n/touch'))?.version ?? 0) > before, { what: 'a touch' });
    expect(node.held).toBe(true);
    await node.close({ keep: false });
  });
});
