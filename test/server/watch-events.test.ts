import { beforeAll, describe, expect, it } from '@jest/globals';
import { acl, type WatchEvent, type ZooKeeper } from 'zookit';
import { needs } from '../support/features.js';
import { Recorder, useClients } from './clients.js';

const clients = useClients();

/** Sees every change with its own session only, so that an event is another client's doing. */
let other: ZooKeeper;
beforeAll(async () => {
  other = await clients.another();
});

type Tell = (event: WatchEvent) => void;

/** Leaves a watch; `at` is the folder of the test, `node` and `parent` are the two levels below it. */
interface Places {
  readonly at: string;
  readonly parent: string;
  readonly node: string;
}

/** The ways to watch, by what they say in the first column of the table. */
const ways: Readonly<Record<string, (places: Places, watch: Tell) => Promise<unknown>>> = {
  'getData of the znode': ({ node }, watch) => clients.zk.getData(node, { watch }),
  'exists of the znode': ({ node }, watch) => clients.zk.exists(node, { watch }),
  'getChildren of the znode': ({ node }, watch) => clients.zk.getChildren(node, { watch }),
  'getChildren with stat of the znode': ({ node }, watch) => clients.zk.getChildren(node, { watch, stat: true }),
  'getData of the parent': ({ parent }, watch) => clients.zk.getData(parent, { watch }),
  'exists of the parent': ({ parent }, watch) => clients.zk.exists(parent, { watch }),
  'getChildren of the parent': ({ parent }, watch) => clients.zk.getChildren(parent, { watch }),
  'getChildren with stat of the parent': ({ parent }, watch) => clients.zk.getChildren(parent, { watch, stat: true }),
  'persistent on the znode': ({ node }, onEvent) => clients.zk.addWatch(node, { onEvent }),
  'persistent on the parent': ({ parent }, onEvent) => clients.zk.addWatch(parent, { onEvent }),
  'persistent on the grandparent': ({ at }, onEvent) => clients.zk.addWatch(at, { onEvent }),
  'recursive on the znode': ({ node }, onEvent) => clients.zk.addWatch(node, { onEvent, recursive: true }),
  'recursive on the parent': ({ parent }, onEvent) => clients.zk.addWatch(parent, { onEvent, recursive: true }),
  'recursive on the grandparent': ({ at }, onEvent) => clients.zk.addWatch(at, { onEvent, recursive: true }),
};

/** The changes; `exists`: whether the znode is there before. */
const changes: Readonly<Record<string, { exists: boolean; make: (node: string) => Promise<unknown> }>> = {
  create: { exists: false, make: (node) => other.create(node) },
  'create in a transaction': { exists: false, make: (node) => other.transaction().create(node).commit() },
  setData: { exists: true, make: (node) => other.setData(node, 'new') },
  'setData in a transaction': { exists: true, make: (node) => other.transaction().setData(node, 'new').commit() },
  delete: { exists: true, make: (node) => other.delete(node) },
  'delete in a transaction': { exists: true, make: (node) => other.transaction().delete(node).commit() },
  setAcl: { exists: true, make: (node) => other.setAcl(node, acl.open) },
  'own create': { exists: false, make: (node) => clients.zk.create(node) },
  'own setData': { exists: true, make: (node) => clients.zk.setData(node, 'new') },
  'own delete': { exists: true, make: (node) => clients.zk.delete(node) },
};

const created = {
  'exists of the znode': 'created node',
  'getData of the parent': 'nothing',
  'exists of the parent': 'nothing',
  'getChildren of the parent': 'childrenChanged parent',
  'getChildren with stat of the parent': 'childrenChanged parent',
  'persistent on the znode': 'created node',
  'persistent on the parent': 'childrenChanged parent',
  'persistent on the grandparent': 'nothing',
  'recursive on the znode': 'created node',
  'recursive on the parent': 'created node',
  'recursive on the grandparent': 'created node',
};

const dataChanged = {
  'getData of the znode': 'dataChanged node',
  'exists of the znode': 'dataChanged node',
  'getChildren of the znode': 'nothing',
  'getChildren with stat of the znode': 'nothing',
  'getData of the parent': 'nothing',
  'getChildren of the parent': 'nothing',
  'persistent on the znode': 'dataChanged node',
  'persistent on the parent': 'nothing',
  'recursive on the znode': 'dataChanged node',
  'recursive on the parent': 'dataChanged node',
  'recursive on the grandparent': 'dataChanged node',
};

const deleted = {
  'getData of the znode': 'deleted node',
  'exists of the znode': 'deleted node',
  'getChildren of the znode': 'deleted node',
  'getChildren with stat of the znode': 'deleted node',
  'getData of the parent': 'nothing',
  'exists of the parent': 'nothing',
  'getChildren of the parent': 'childrenChanged parent',
  'getChildren with stat of the parent': 'childrenChanged parent',
  'persistent on the znode': 'deleted node',
  'persistent on the parent': 'childrenChanged parent',
  'persistent on the grandparent': 'nothing',
  'recursive on the znode': 'deleted node',
  'recursive on the parent': 'deleted node',
  'recursive on the grandparent': 'deleted node',
};

/** What each change makes each watch tell: sections 7.2 and 7.3 of the protocol. */
const table: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  create: created,
  'create in a transaction': created,
  'own create': created,
  setData: dataChanged,
  'setData in a transaction': dataChanged,
  'own setData': dataChanged,
  delete: deleted,
  'delete in a transaction': deleted,
  'own delete': deleted,
  setAcl: Object.fromEntries(Object.keys(deleted).map((way) => [way, 'nothing'])),
};

describe.each(Object.keys(table))('%s', (change) => {
  const rows = Object.entries(table[change] ?? {});
  const staying = /^(persistent|recursive)/;

  async function expectTold(way: string, expected: string): Promise<void> {
    const at = await clients.folder();
    const places = { at, parent: `${at}/parent`, node: `${at}/parent/node` };
    const { exists, make } = changes[change] ?? { exists: false, make: () => Promise.reject(new Error(change)) };
    await other.create(places.parent);
    if (exists) await other.create(places.node, 'old');
    const recorder = new Recorder();
    await ways[way]?.(places, recorder.tell);
    await make(places.node);
    // The watch tells of a change before any later answer; so what is not there now never comes.
    await clients.zk.sync();
    const [type = '', place = ''] = expected.split(' ');
    expect(recorder.seen).toEqual(place === '' ? [] : [`${type} ${places[place as keyof Places]}`]);
  }

  const name = 'is told to a watch by %s as: %s';
  it.each(rows.filter(([way]) => !staying.test(way)))(name, expectTold);
  needs('addWatch').each(rows.filter(([way]) => staying.test(way)))(name, expectTold);
});

describe('the end of a session', () => {
  it('tells watches that its ephemeral znodes are gone', async () => {
    const at = await clients.folder();
    const owner = await clients.another();
    await owner.create(`${at}/e`, null, { mode: 'ephemeral' });
    const [data, children] = [new Recorder(), new Recorder()];
    await clients.zk.getData(`${at}/e`, { watch: data.tell });
    await clients.zk.getChildren(at, { watch: children.tell });
    await owner.close({ timeout: 20_000 });
    await clients.zk.sync();
    expect(data.seen).toEqual([`deleted ${at}/e`]);
    expect(children.seen).toEqual([`childrenChanged ${at}`]);
  });

  needs('addWatch')('tells recursive watches that its ephemeral znodes are gone', async () => {
    const at = await clients.folder();
    const owner = await clients.another();
    await owner.create(`${at}/e`, null, { mode: 'ephemeral' });
    const recorder = new Recorder();
    await clients.zk.addWatch(at, { recursive: true, onEvent: recorder.tell });
    await owner.close({ timeout: 20_000 });
    await clients.zk.sync();
    expect(recorder.seen).toEqual([`deleted ${at}/e`]);
  });

  needs('addWatch')('tells its own watches before it, and that they have ended', async () => {
    const at = await clients.folder();
    const zk = await clients.another();
    const [oneShot, persistent] = [new Recorder(), new Recorder()];
    await zk.exists(`${at}/none`, { watch: oneShot.tell });
    await zk.addWatch(at, { onEvent: persistent.tell });
    await zk.close();
    expect(oneShot.seen).toEqual(['ended closed']);
    expect(persistent.seen).toEqual(['ended closed']);
  });
});
