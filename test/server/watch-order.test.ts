import { beforeAll, describe, expect, it } from '@jest/globals';
import type { WatchEvent, ZooKeeper } from 'zookit';
import { type Feature, knows, needs } from '../support/features.js';
import { Recorder, useClients } from './clients.js';

const clients = useClients();
let other: ZooKeeper;
beforeAll(async () => {
  other = await clients.another();
});

describe('a watch tells of a change', () => {
  needs('addWatch')('before any read shows it', async () => {
    const path = await clients.folder();
    const recorder = new Recorder();
    await clients.zk.addWatch(path, { onEvent: recorder.tell });
    const looks: Promise<{ version: number; told: number }>[] = [];
    const writes: Promise<unknown>[] = [];
    for (let round = 0; round < 300; round++) {
      writes.push(other.setData(path, String(round)));
      const look = clients.zk.getData(path).then(({ stat }) => ({ version: stat.version, told: recorder.seen.length }));
      looks.push(look);
      // Every few rounds the two clients wait for each other, so that the reads meet all kinds of states.
      if (round % 7 === 0) await look;
    }
    await Promise.all(writes);
    looks.push(clients.zk.getData(path).then(({ stat }) => ({ version: stat.version, told: recorder.seen.length })));
    const seen = await Promise.all(looks);
    expect(seen.filter(({ version, told }) => told < version)).toEqual([]);
    expect(seen.at(-1)).toEqual({ version: 300, told: 300 });
    expect(new Set(seen.map(({ version }) => version)).size).toBeGreaterThan(10);
  });

  needs('addWatch')('of its own client before the write is answered', async () => {
    const path = await clients.folder();
    const recorder = new Recorder();
    const order: string[] = [];
    const onEvent = (event: WatchEvent): void => {
      recorder.tell(event);
      order.push(`event ${recorder.seen.length}`);
    };
    await clients.zk.addWatch(path, { onEvent });
    const rounds = Array.from({ length: 100 }, (_, index) => index + 1);
    // All at once: answers and events arrive many in one piece.
    await Promise.all(
      rounds.map(async (round) => {
        await clients.zk.setData(path, String(round));
        order.push(`answer ${round}`);
      }),
    );
    expect(order).toEqual(rounds.flatMap((round) => [`event ${round}`, `answer ${round}`]));
  });

  it('after the read that has left it was answered', async () => {
    const order: string[] = [];
    const paths = await Promise.all(Array.from({ length: 100 }, () => clients.folder()));
    await Promise.all(
      paths.flatMap((path) => [
        (async () => {
          await clients.zk.getData(path, { watch: () => order.push(`event ${path}`) });
          order.push(`read ${path}`);
        })(),
        clients.zk.setData(path, 'changed'),
      ]),
    );
    expect(order).toEqual(paths.flatMap((path) => [`read ${path}`, `event ${path}`]));
  });

  it('of a child before that of the children of its parent', async () => {
    const at = await clients.folder();
    const recorder = new Recorder();
    await clients.zk.exists(`${at}/n`, { watch: recorder.tell });
    await clients.zk.getChildren(at, { watch: recorder.tell });
    await other.create(`${at}/n`);
    await clients.zk.sync();
    expect(recorder.seen).toEqual([`created ${at}/n`, `childrenChanged ${at}`]);
  });

  needs('addWatch')('in the order of the transactions, whoever made them', async () => {
    const at = await clients.folder();
    const recorder = new Recorder();
    await clients.zk.addWatch(at, { recursive: true, onEvent: recorder.tell });
    const writers = [clients.zk, other];
    const created = await Promise.all(
      Array.from({ length: 400 }, (_, index) => (writers[index % 2] ?? other).create(`${at}/n${index}`)),
    );
    await clients.zk.sync();
    const inOrder = created.sort((a, b) => a.zxid.compare(b.zxid)).map(({ path }) => `created ${path}`);
    expect(recorder.seen).toEqual(inOrder);
  });

  needs('addWatch')('to both of two clients that watch what the other one writes', async () => {
    const [mine, theirs] = [await clients.folder(), await clients.folder()];
    const [iSee, theySee] = [new Recorder(), new Recorder()];
    await clients.zk.addWatch(theirs, { onEvent: iSee.tell });
    await other.addWatch(mine, { onEvent: theySee.tell });
    await Promise.all([clients.zk.setData(mine, 'mine'), other.setData(theirs, 'theirs')]);
    await Promise.all([clients.zk.sync(), other.sync()]);
    expect([iSee.seen, theySee.seen]).toEqual([[`dataChanged ${theirs}`], [`dataChanged ${mine}`]]);
    expect((await clients.zk.getData(theirs)).text()).toBe('theirs');
    expect((await other.getData(mine)).text()).toBe('mine');
  });
});

describe('operations', () => {
  it('of 1,000 mixed ones, all at once, settle in the order of the calls', async () => {
    const at = await clients.folder();
    const { zk } = clients;
    await zk.create(`${at}/n`);
    const kinds: (() => Promise<unknown>)[] = [
      () => zk.getData(`${at}/n`),
      () => zk.getData(`${at}/missing`),
      () => zk.exists(`${at}/missing`),
      () => zk.setData(`${at}/n`, 'x'),
      () => zk.setData(`${at}/n`, 'x', 1_000_000),
      () => zk.create(`${at}/s-`, null, { mode: 'persistentSequential' }),
      () => zk.create(`${at}/n`),
      () => zk.getChildren(at),
      () => zk.getAcl(at),
      () => zk.sync(),
      () => zk.transaction().check(at).setData(at, 'y').commit(),
      () => zk.transaction().check(`${at}/missing`).commit(),
      () => zk.delete(`${at}/missing`),
      () => zk.has(at),
    ];
    // What a server does not know it refuses ahead of its turn, and closes the connection.
    const later: [Feature, () => Promise<unknown>][] = [
      ['getEphemerals', () => zk.getEphemerals()],
      ['multiRead', () => zk.multiRead().getData(at).read()],
      ['whoAmI', () => zk.whoAmI()],
      ['addWatch', () => zk.addWatch(`${at}/missing`)],
      ['removeWatches', () => zk.removeWatches(`${at}/missing`)],
      ['removeWatches', () => zk.removeWatches(`${at}/missing`)],
      ['getConfig', () => zk.getConfig()],
      ['ttl', () => zk.create(`${at}/t-`, null, { mode: 'ttlSequential', ttl: 60_000 })],
    ];
    kinds.push(...later.filter(([feature]) => knows(feature)).map(([, call]) => call));
    const settled: number[] = [];
    const calls = Array.from({ length: 1_000 }, async (_, index) => {
      await kinds[index % kinds.length]?.().catch(() => undefined);
      settled.push(index);
    });
    await Promise.all(calls);
    expect(settled).toEqual(settled.map((_, index) => index));
    expect(settled).toHaveLength(1_000);
  });
});
