import { describe, expect, it, test } from '@jest/globals';
import { fence, type Rig, Seen, startRig } from './rig.js';

/** Each case holds on the connection on which the watches were made, and on a later one. */
const connections: readonly [string, (rig: Rig) => Promise<unknown>][] = [
  ['on the first connection', async () => undefined],
  [
    'after a reconnect',
    async (rig) => {
      await rig.reconnect();
      await fence(rig.zk);
    },
  ],
];

describe.each(connections)('%s', (_, settle) => {
  it('B5: the same function that watches one path twice is called once, two functions once each', async () => {
    await using rig = await startRig();
    const { zk, observer } = rig;
    await zk.create('/node');
    const once = new Seen();
    const other = new Seen();
    await zk.getData('/node', { watch: once.tell });
    await zk.getData('/node', { watch: once.tell });
    await zk.exists('/node', { watch: once.tell });
    await zk.getData('/node', { watch: other.tell });
    await settle(rig);
    await observer.setData('/node', 'x');
    await observer.setData('/node', 'y');
    await fence(zk);
    expect([once.all, other.all]).toEqual([['dataChanged /node'], ['dataChanged /node']]);
  });

  it('B6: a multi that sets, deletes and creates fires the watches on all three', async () => {
    await using rig = await startRig();
    const { zk, observer } = rig;
    for (const path of ['/a', '/b', '/c']) await zk.create(path);
    const seen = new Seen();
    await zk.getData('/a', { watch: seen.tell });
    await zk.exists('/b', { watch: seen.tell });
    await zk.getChildren('/c', { watch: seen.tell });
    await settle(rig);
    await observer.transaction().setData('/a', 'x').delete('/b').create('/c/x').commit();
    await fence(zk);
    expect(seen.all).toEqual(['dataChanged /a', 'deleted /b', 'childrenChanged /c']);
  });

  it('B8: a recursive watch reports no childrenChanged, though a child watch below it does', async () => {
    await using rig = await startRig();
    const { zk, observer } = rig;
    await zk.create('/r/a', null, { parents: true });
    const recursive = new Seen();
    const child = new Seen();
    await zk.addWatch('/r', { recursive: true, onEvent: recursive.tell });
    await zk.getChildren('/r/a', { watch: child.tell });
    await settle(rig);
    recursive.all.length = 0;
    await observer.create('/r/a/b');
    await observer.delete('/r/a/b');
    await observer.setData('/r', 'x');
    await fence(zk);
    expect(recursive.all).toEqual(['created /r/a/b', 'deleted /r/a/b', 'dataChanged /r']);
    expect(child.all).toEqual(['childrenChanged /r/a']);
  });
});

test('a watch whose read was sent again over a reconnect is there once', async () => {
  await using rig = await startRig();
  const { zk, proxy, observer } = rig;
  await zk.create('/node');
  const seen = new Seen();
  const persistent = new Seen();
  const swallowed = proxy.swallowNextReply(({ opCode }) => opCode === 4);
  await Promise.all([
    zk.getData('/node', { watch: seen.tell }),
    zk.addWatch('/node', { onEvent: persistent.tell }),
    swallowed,
  ]);
  await observer.setData('/node', 'x');
  await observer.setData('/node', 'y');
  await fence(zk);
  expect(seen.all).toEqual(['dataChanged /node']);
  expect(persistent.all).toEqual(['dataChanged /node', 'dataChanged /node']);
});

test('a read that failed leaves no watch', async () => {
  await using rig = await startRig();
  const seen = new Seen();
  await expect(rig.zk.getData('/node', { watch: seen.tell })).rejects.toMatchObject({ code: 'NO_NODE' });
  await rig.observer.create('/node');
  await rig.reconnect();
  await rig.observer.setData('/node', 'x');
  await fence(rig.zk);
  expect(seen.all).toEqual([]);
});
