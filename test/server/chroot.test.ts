import { describe, expect, it } from '@jest/globals';
import {
  InvalidArgumentError,
  InvalidConnectStringError,
  InvalidPathError,
  NoNodeError,
  ZooKeeper,
  type ZooKeeperError,
} from 'zookit';
import { needs } from '../support/features.js';
import { failureOf, Recorder, useClients } from './clients.js';

const clients = useClients();

/** A client that sees `folder` as its root: by its connect string, or as a view. */
async function rooted(how: string, folder: string): Promise<ZooKeeper> {
  return how === 'view' ? clients.zk.chroot(folder) : clients.another({}, folder);
}

describe.each(['connect string', 'view'])('R1: below a chroot (%s) no result shows it', (how) => {
  it('of reads and writes', async () => {
    const folder = await clients.folder();
    const zk = await rooted(how, folder);
    expect(zk.root).toBe(clients.chroot + folder);
    expect(await zk.create('/a', 'x')).toMatchObject({ path: '/a', name: 'a' });
    const sequential = await zk.create('/s-', null, { mode: 'ephemeralSequential' });
    expect(sequential).toMatchObject({ path: '/s-0000000001', sequence: 1 });
    expect((await zk.create('/deep/er', null, { parents: true })).path).toBe('/deep/er');
    expect((await zk.create('/p', null, { protected: true })).path).toMatch(/^\/_c_/);
    await zk.sync('/');
    expect((await clients.zk.getData(`${folder}/a`)).text()).toBe('x');
    expect(await zk.getChildren('/')).toEqual(expect.arrayContaining(['a', 'deep']));
  });

  needs(
    'createWithStat',
    'containers',
    'getEphemerals',
    'getAllChildrenNumber',
  )('of later ones', async () => {
    const zk = await rooted(how, await clients.folder());
    const created = await zk.create('/e', 'four', { mode: 'ephemeral', stat: true });
    expect(created).toMatchObject({ path: '/e', stat: { dataLength: 4 } });
    expect((await zk.create('/c', null, { mode: 'container' })).path).toBe('/c');
    expect(await zk.getEphemerals('/')).toEqual(['/e']);
    expect(await zk.getAllChildrenNumber('/')).toBe(2);
  });

  it('of transactions and bulk operations', async () => {
    const folder = await clients.folder();
    const zk = await rooted(how, folder);
    const [created, stat] = await zk
      .transaction()
      .create('/n-', null, { mode: 'persistentSequential' })
      .setData('/', 'root')
      .commit();
    expect([created.path, stat.dataLength]).toEqual(['/n-0000000000', 4]);
    await zk.ensurePath('/x/y');
    await zk.upsert('/x/z', 'z');
    const walked = [];
    for await (const { path } of zk.walk('/')) walked.push(path);
    expect(walked.sort()).toEqual(['/', '/n-0000000000', '/x', '/x/y', '/x/z']);
    expect((await zk.getChildrenData('/x')).get('z')?.text()).toBe('z');
    await zk.deleteTree('/x');
    expect(await zk.has('/x')).toBe(false);
  });

  needs('multiRead')('of several reads at once', async () => {
    const zk = await rooted(how, await clients.folder());
    await zk.create('/a', 'x');
    const [node, children] = await zk.multiRead().getData('/a').getChildren('/').read();
    expect(node).toMatchObject({ status: 'fulfilled', value: { data: Buffer.from('x') } });
    expect(children).toEqual({ status: 'fulfilled', value: ['a'] });
  });

  it('of errors', async () => {
    const folder = await clients.folder();
    const zk = await rooted(how, folder);
    const failures = [
      zk.getData('/x'),
      zk.create('/x/y'),
      zk.transaction().delete('/x').commit(),
      zk.addWatch('relative'),
    ].map((promise) => failureOf(promise) as Promise<ZooKeeperError>);
    for (const error of await Promise.all(failures)) {
      expect(error.path).toMatch(/^\/x(\/y)?$|^relative$/);
      expect(error.message + String(error.stack?.split('\n')[0])).not.toContain(folder);
    }
  });

  it('of watches; one on "/" fires', async () => {
    const folder = await clients.folder();
    const zk = await rooted(how, folder);
    const [data, children, exists] = [new Recorder(), new Recorder(), new Recorder()];
    await zk.getData('/', { watch: data.tell });
    await zk.getChildren('/', { watch: children.tell });
    await zk.exists('/a', { watch: exists.tell });
    await clients.zk.setData(folder, 'x');
    await clients.zk.create(`${folder}/a`);
    await zk.sync();
    expect(data.seen).toEqual(['dataChanged /']);
    expect(children.seen).toEqual(['childrenChanged /']);
    expect(exists.seen).toEqual(['created /a']);
  });

  needs('addWatch')('of watches that stay', async () => {
    const folder = await clients.folder();
    const zk = await rooted(how, folder);
    const [persistent, recursive] = [new Recorder(), new Recorder()];
    const one = await zk.addWatch('/', { onEvent: persistent.tell });
    const other = await zk.addWatch('/', { onEvent: recursive.tell, recursive: true });
    await clients.zk.setData(folder, 'x');
    await clients.zk.create(`${folder}/a`);
    await zk.sync();
    expect(persistent.seen).toEqual(['dataChanged /', 'childrenChanged /']);
    expect(recursive.seen).toEqual(['dataChanged /', 'created /a']);
    expect([one.path, other.path]).toEqual(['/', '/']);
    await Promise.all([one.close(), other.close()]);
  });
});

describe('a chroot', () => {
  needs('addWatch', 'getEphemerals')('R2: that begins like another path cuts nothing off it', async () => {
    const folder = await clients.folder();
    const zoo = clients.zk.chroot(`${folder}/zoo`);
    const recorder = new Recorder();
    // A watch of the whole client, so that the events of the neighbour come by on the same connection.
    const all = await clients.zk.addWatch(folder, { recursive: true, onEvent: recorder.tell });
    await zoo.ensurePath('/');
    await clients.zk.create(`${folder}/zookeeper`);
    await clients.zk.create(`${folder}/zookeeper/config`, 'mine', { mode: 'ephemeral' });
    await zoo.create('/keeper', null, { mode: 'ephemeral' });
    expect(await zoo.getEphemerals()).toEqual(['/keeper']);
    await zoo.sync();
    expect(recorder.seen).toEqual(
      ['/zoo', '/zookeeper', '/zookeeper/config', '/zoo/keeper'].map((path) => `created ${folder}${path}`),
    );
    await all.close();
  });

  needs('getConfig')('does not hide the configuration of the ensemble', async () => {
    const view = clients.zk.chroot('/anywhere');
    expect(await view.getConfig()).toEqual(await clients.zk.getConfig());
    await expect(view.reconfig({ leaving: [1] })).rejects.toMatchObject({ path: '/zookeeper/config' });
  });

  it('that is not there is NoNodeError, and is made by ensurePath("/")', async () => {
    const folder = await clients.folder();
    const zk = await clients.another({}, `${folder}/new/root`);
    await expect(zk.getChildren('/')).rejects.toThrow(NoNodeError);
    await expect(zk.create('/a')).rejects.toThrow(NoNodeError);
    await zk.create('/a', null, { parents: true });
    expect(await clients.zk.getChildren(`${folder}/new/root`)).toEqual(['a']);
  });

  it('in a chroot adds up; unrooted shows the whole tree', async () => {
    const folder = await clients.folder();
    await clients.zk.create(`${folder}/a/b/c`, 'x', { parents: true });
    const view = clients.zk.chroot(folder).chroot('/a').chroot('/').chroot('/b');
    expect((await view.getData('/c')).text()).toBe('x');
    expect(view.root).toBe(`${clients.chroot}${folder}/a/b`);
    expect((await view.unrooted().getData(`${view.root}/c`)).text()).toBe('x');
    expect(view.unrooted().root).toBe('/');
  });

  it('of a view shares the session, which it cannot close', async () => {
    const folder = await clients.folder();
    const view = clients.zk.chroot(folder);
    expect(view.session.id.equals(clients.zk.session.id)).toBe(true);
    await expect(view.close()).rejects.toThrow(InvalidArgumentError);
    await view[Symbol.asyncDispose]();
    expect([clients.zk.state, view.state]).toEqual(['connected', 'connected']);
  });

  it('that is no path is refused', () => {
    expect(() => clients.zk.chroot('a')).toThrow(InvalidPathError);
    expect(() => ZooKeeper.open('127.0.0.1:1/a//b')).toThrow(InvalidConnectStringError);
  });
});
