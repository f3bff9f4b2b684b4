import { beforeAll, describe, expect, it } from '@jest/globals';
import { type WatchEvent, type Watcher, ZooKeeper } from 'zookit';
import { needs } from '../support/features.js';
import { type Proxy, startProxy } from '../support/proxy.js';
import { sharedServer } from '../support/shared.js';
import { nextEvent } from '../support/until.js';
import { Recorder, useClients } from './clients.js';

// Before 3.9 a server keeps one mode of watch for a path, and forgets the others: the client makes up for it.

const clients = useClients();
let other: ZooKeeper;
beforeAll(async () => {
  other = await clients.another();
});

type Tell = (event: WatchEvent) => void;
type Way = 'getData' | 'exists' | 'getChildren' | 'persistent' | 'recursive';

const watch: Readonly<Record<Way, (zk: ZooKeeper, path: string, tell: Tell) => Promise<unknown>>> = {
  getData: (zk, path, tell) => zk.getData(path, { watch: tell }),
  exists: (zk, path, tell) => zk.exists(path, { watch: tell }),
  getChildren: (zk, path, tell) => zk.getChildren(path, { watch: tell }),
  persistent: (zk, path, tell) => zk.addWatch(path, { onEvent: tell }),
  recursive: (zk, path, tell) => zk.addWatch(path, { onEvent: tell, recursive: true }),
};

/** Every kind of change of a znode and its children, each more than once. */
async function change(path: string): Promise<void> {
  for (const data of ['1', '2']) await other.setData(path, data);
  for (const name of ['a', 'b']) await other.create(`${path}/${name}`);
  await other.setData(`${path}/a`, 'x');
  for (const name of ['a', 'b']) await other.delete(`${path}/${name}`);
  await other.delete(path);
  await other.create(path);
}

/** What `change` makes each kind of watch tell, whichever others there are. */
const told: Readonly<Record<Way, (path: string) => string[]>> = {
  getData: (path) => [`dataChanged ${path}`],
  exists: (path) => [`dataChanged ${path}`],
  getChildren: (path) => [`childrenChanged ${path}`],
  persistent: (path) => [
    ...Array<string>(2).fill(`dataChanged ${path}`),
    ...Array<string>(4).fill(`childrenChanged ${path}`),
    `deleted ${path}`,
    `created ${path}`,
  ],
  recursive: (path) => [
    ...[`dataChanged ${path}`, `dataChanged ${path}`, `created ${path}/a`, `created ${path}/b`],
    ...[`dataChanged ${path}/a`, `deleted ${path}/a`, `deleted ${path}/b`, `deleted ${path}`, `created ${path}`],
  ],
};

const kinds = Object.keys(watch) as Way[];
const pairs = kinds.flatMap((first) => kinds.map((second): [Way, Way] => [first, second]));
const combinations: Way[][] = [
  ...pairs,
  ['persistent', 'recursive', 'getChildren'],
  ['recursive', 'persistent', 'getChildren'],
  ['recursive', 'getChildren', 'persistent'],
  ['getChildren', 'recursive', 'persistent'],
  ['recursive', 'getData', 'exists', 'persistent', 'getChildren'],
];

const stays = (way: Way): boolean => way === 'persistent' || way === 'recursive';

/** Combinations of one-shot watches alone, for any server; those that hold one which stays need more. */
const named = (separator: string, staying: boolean): [string, Way[]][] =>
  combinations
    .filter((combination) => combination.some(stays) === staying)
    .map((combination) => [combination.join(separator), combination]);

/** `it.each`, for both kinds of combinations. */
function forEach(separator: string, name: string, test: (_: string, combination: Way[]) => Promise<void>): void {
  it.each(named(separator, false))(name, test);
  needs('addWatch').each(named(separator, true))(name, test);
}

describe('each watch of a path tells what it would tell alone', () => {
  forEach(', then ', '%s', async (_, combination) => {
    const path = await clients.folder();
    const recorders = combination.map(() => new Recorder());
    for (const [index, way] of combination.entries()) await watch[way](clients.zk, path, recorders[index]!.tell);
    await change(path);
    await clients.zk.sync();
    expect(recorders.map(({ seen }) => seen)).toEqual(combination.map((way) => told[way](path)));
  });

  forEach(', ', 'asked for at once: %s', async (_, combination) => {
    const path = await clients.folder();
    const recorders = combination.map(() => new Recorder());
    await Promise.all(combination.map((way, index) => watch[way](clients.zk, path, recorders[index]!.tell)));
    await change(path);
    await clients.zk.sync();
    expect(recorders.map(({ seen }) => seen)).toEqual(combination.map((way) => told[way](path)));
  });

  forEach(', then ', 'after a reconnect: %s', async (_, combination) => {
    const path = await clients.folder();
    await using proxy = await startProxy(sharedServer());
    await using zk = await ZooKeeper.connect(proxy.connectString + clients.chroot);
    const recorders = combination.map(() => new Recorder());
    for (const [index, way] of combination.entries()) await watch[way](zk, path, recorders[index]!.tell);
    await reconnect(zk, proxy);
    await change(path);
    await zk.sync();
    const seen = recorders.map((recorder) => recorder.seen.filter((event) => event !== 'resync'));
    expect(seen).toEqual(combination.map((way) => told[way](path)));
  });
});

async function reconnect(zk: ZooKeeper, proxy: Proxy): Promise<void> {
  const connected = nextEvent(zk, 'connected');
  proxy.resetAll();
  await connected;
  // The watches are set again before anything else that is asked on the new connection.
  await zk.sync();
}

describe('when one watch of a path is closed, the others go on', () => {
  const closable = ['persistent', 'recursive'] as const;
  const cases = closable.flatMap((closed) => kinds.flatMap((left): [string, string, Way][] => [[closed, left, left]]));
  needs('addWatch').each(cases)('%s closed, %s left, whichever was there first', async (closed, _, left) => {
    for (const closedFirst of [true, false]) {
      const path = await clients.folder();
      const [gone, stays] = [new Recorder(), new Recorder()];
      let watcher: Watcher | undefined;
      const addClosed = async (): Promise<void> => {
        watcher = await clients.zk.addWatch(path, { recursive: closed === 'recursive', onEvent: gone.tell });
      };
      if (closedFirst) await addClosed();
      await watch[left](clients.zk, path, stays.tell);
      if (!closedFirst) await addClosed();
      await watcher?.close();
      await change(path);
      await clients.zk.sync();
      expect(stays.seen).toEqual(told[left](path));
      expect(gone.seen).toEqual([]);
    }
  });

  needs('addWatch')(
    'a change right after close is told to the one-shot watch that was served by the closed one',
    async () => {
      const path = await clients.folder();
      const watcher = await clients.zk.addWatch(path, { onEvent: () => undefined });
      const [data, children] = [new Recorder(), new Recorder()];
      await clients.zk.getData(path, { watch: data.tell });
      await clients.zk.getChildren(path, { watch: children.tell });
      // Nobody waits: all three are on the wire before the removal is answered.
      const closed = watcher.close();
      const changes = [clients.zk.setData(path, 'x'), clients.zk.create(`${path}/a`)];
      await Promise.all([closed, ...changes]);
      expect(data.seen).toEqual([`dataChanged ${path}`]);
      expect(children.seen).toEqual([`childrenChanged ${path}`]);
    },
  );

  needs('addWatch')('B8: a recursive watch above a watch of children never tells childrenChanged', async () => {
    const at = await clients.folder();
    await clients.zk.create(`${at}/a`);
    const [recursive, children, persistent] = [new Recorder(), new Recorder(), new Recorder()];
    await clients.zk.addWatch(at, { recursive: true, onEvent: recursive.tell });
    await clients.zk.getChildren(`${at}/a`, { watch: children.tell });
    await clients.zk.addWatch(`${at}/a`, { onEvent: persistent.tell });
    await other.create(`${at}/a/x`);
    await clients.zk.sync();
    expect(recursive.seen).toEqual([`created ${at}/a/x`]);
    expect(children.seen).toEqual([`childrenChanged ${at}/a`]);
    expect(persistent.seen).toEqual([`childrenChanged ${at}/a`]);
  });
});
