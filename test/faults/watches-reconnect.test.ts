import { describe, expect, it, test } from '@jest/globals';
import type { WatchEvent } from 'zookit';
import { fence, inShort, op, type Rig, Seen, startRig } from './rig.js';

async function takeOne(events: AsyncIterator<WatchEvent, undefined>): Promise<string> {
  const { value } = await events.next();
  return value === undefined ? 'done' : inShort(value);
}

/** Drops the link, runs `meanwhile`, and heals it. */
const drops: readonly [string, number, (rig: Rig, meanwhile: () => Promise<unknown>) => Promise<void>][] = [
  [
    'reset',
    1_000,
    async (rig, meanwhile) => {
      await rig.unlink();
      await meanwhile();
      await rig.relink();
    },
  ],
  [
    // Time enough between the end of the client's patience (2/3) and the end of the session.
    'silent',
    4_000,
    async (rig, meanwhile) => {
      rig.proxy.cut();
      await rig.events.first('suspended');
      await meanwhile();
      rig.proxy.heal({ deliver: false });
      await rig.events.first('connected');
    },
  ],
];

describe.each(drops)('B1: over a link that was %s', (_, sessionTimeout, drop) => {
  it('tells data, exists and child watches of what changed meanwhile, each exactly once', async () => {
    await using rig = await startRig({ sessionTimeout });
    const { zk, observer } = rig;
    await zk.create('/data');
    await zk.create('/parent');
    const data = new Seen();
    const exists = new Seen();
    const children = new Seen();
    await zk.getData('/data', { watch: data.tell });
    await zk.exists('/missing', { watch: exists.tell });
    await zk.getChildren('/parent', { watch: children.tell });

    const change = (name: string): Promise<unknown> =>
      Promise.all([
        observer.setData('/data', name),
        observer.upsert('/missing', name),
        observer.create(`/parent/${name}`),
      ]);
    await drop(rig, () => change('first'));
    await change('second');
    await fence(zk);
    expect(rig.events.all.find(({ type }) => type === 'connected')).toMatchObject({ resumed: true });
    expect(data.all).toEqual(['dataChanged /data']);
    expect(exists.all).toEqual(['created /missing']);
    expect(children.all).toEqual(['childrenChanged /parent']);
  });
});

test('watches of znodes that did not change meanwhile fire at their next change, once', async () => {
  await using rig = await startRig();
  const { zk, observer } = rig;
  await zk.create('/data');
  const seen = new Seen();
  await zk.getData('/data', { watch: seen.tell });
  await zk.exists('/missing', { watch: seen.tell });
  await zk.getChildren('/', { watch: seen.tell });
  await rig.reconnect();
  await rig.reconnect();
  expect(seen.all).toEqual([]);
  await observer.setData('/data', 'first');
  await observer.setData('/data', 'second');
  await observer.create('/missing');
  await fence(zk);
  expect(seen.all.sort()).toEqual(['childrenChanged /', 'created /missing', 'dataChanged /data']);
});

test('an exists watch on a znode that was there fires when it was deleted meanwhile', async () => {
  await using rig = await startRig();
  const { zk, observer } = rig;
  await zk.create('/node');
  const seen = new Seen();
  await zk.exists('/node', { watch: seen.tell });
  await zk.getChildren('/node', { watch: seen.tell });
  await rig.unlink();
  await observer.delete('/node');
  await rig.relink();
  await fence(zk);
  // One listener at one path is told once, though two watches were on it.
  expect(seen.all).toEqual(['deleted /node']);
});

describe('persistent and recursive watches', () => {
  it('get a resync after the reconnect, and go on', async () => {
    await using rig = await startRig();
    const { zk, observer } = rig;
    await zk.create('/persistent');
    await zk.create('/recursive');
    const persistent = (await zk.addWatch('/persistent'))[Symbol.asyncIterator]();
    const recursive = (await zk.addWatch('/recursive', { recursive: true }))[Symbol.asyncIterator]();
    await rig.unlink();
    await observer.setData('/persistent', 'missed');
    await observer.create('/recursive/missed');
    await rig.relink();
    expect([await takeOne(persistent), await takeOne(recursive)]).toEqual(['resync', 'resync']);
    await observer.setData('/persistent', 'next');
    await observer.create('/persistent/child');
    await observer.create('/recursive/next');
    await observer.create('/recursive/next/below');
    expect([await takeOne(persistent), await takeOne(persistent)]).toEqual([
      'dataChanged /persistent',
      'childrenChanged /persistent',
    ]);
    expect([await takeOne(recursive), await takeOne(recursive)]).toEqual([
      'created /recursive/next',
      'created /recursive/next/below',
    ]);
  });

  it('share a path with one-shot ones over a reconnect, and each is told once', async () => {
    await using rig = await startRig();
    const { zk, observer } = rig;
    await zk.create('/node');
    const persistent = new Seen();
    const oneShot = new Seen();
    await zk.addWatch('/node', { onEvent: persistent.tell });
    await zk.getData('/node', { watch: oneShot.tell });
    await zk.getChildren('/node', { watch: oneShot.tell });
    await rig.reconnect();
    await fence(zk);
    await observer.setData('/node', 'first');
    await observer.setData('/node', 'second');
    await observer.create('/node/child');
    await fence(zk);
    expect(oneShot.all).toEqual(['dataChanged /node', 'childrenChanged /node']);
    expect(persistent.all).toEqual(['resync', 'dataChanged /node', 'dataChanged /node', 'childrenChanged /node']);
  });

  it('leave the one-shot watch beside them its event when the change came while the link was down', async () => {
    await using rig = await startRig();
    const { zk, observer } = rig;
    await zk.create('/node');
    const persistent = new Seen();
    const oneShot = new Seen();
    await zk.addWatch('/node', { onEvent: persistent.tell });
    await zk.getData('/node', { watch: oneShot.tell });
    await rig.unlink();
    await observer.setData('/node', 'missed');
    await rig.relink();
    await fence(zk);
    expect(oneShot.all).toEqual(['dataChanged /node']);
    expect(persistent.all).toContain('resync');
    await observer.setData('/node', 'next');
    await fence(zk);
    expect(oneShot.all).toEqual(['dataChanged /node']);
    expect(persistent.all.at(-1)).toBe('dataChanged /node');
  });
});

describe('a watch that was given up while the link was down is not set again', () => {
  const ways: readonly [string, (rig: Rig, seen: Seen) => Promise<() => unknown>][] = [
    [
      'unwatch()',
      async ({ zk }, seen) => {
        await zk.exists('/node', { watch: seen.tell });
        return () => zk.unwatch('/node', seen.tell);
      },
    ],
    [
      'close() of the watcher',
      async ({ zk }, seen) => {
        const watcher = await zk.addWatch('/node', { onEvent: seen.tell });
        return () => watcher.close();
      },
    ],
    [
      'removeWatches()',
      async ({ zk }, seen) => {
        await zk.exists('/node', { watch: seen.tell });
        await zk.addWatch('/node', { recursive: true, onEvent: seen.tell });
        return () => {
          const removed = zk.removeWatches('/node');
          removed.catch(() => undefined);
        };
      },
    ],
  ];

  it.each(ways)('by %s', async (_, arrange) => {
    await using rig = await startRig();
    const seen = new Seen();
    const giveUp = await arrange(rig, seen);
    await rig.unlink();
    await giveUp();
    await rig.relink();
    await rig.observer.create('/node');
    await rig.observer.setData('/node', 'x');
    await fence(rig.zk);
    expect(rig.newestOpCodes).not.toContain(op.setWatches);
    expect(rig.newestOpCodes).not.toContain(op.setWatches2);
    expect(seen.all.filter((event) => event !== 'ended removed')).toEqual([]);
  });
});
