import { describe, expect, it } from '@jest/globals';
import { acl, type CreateMode, NodeExistsError, NoNodeError, sequenceOf, Stat } from 'zookit';
import { needs } from '../support/features.js';
import { useClients } from './clients.js';

const clients = useClients();

describe('create', () => {
  it('creates a persistent znode that outlives its session', async () => {
    const folder = await clients.folder();
    const creator = await clients.another();
    const created = await creator.create(`${folder}/a`, 'data');
    expect(created).toEqual({ path: `${folder}/a`, name: 'a', zxid: expect.anything() });
    await creator.close();
    const stat = await clients.zk.exists(`${folder}/a`);
    expect(stat?.ephemeralOwner.isZero()).toBe(true);
    expect(stat?.czxid.equals(created.zxid)).toBe(true);
  });

  it('creates an ephemeral znode that its session owns and that goes with it', async () => {
    const folder = await clients.folder();
    const owner = await clients.another();
    await owner.create(`${folder}/e`, null, { mode: 'ephemeral' });
    const stat = await clients.zk.exists(`${folder}/e`);
    expect(stat?.ephemeralOwner.equals(owner.session.id)).toBe(true);
    await owner.close({ timeout: 20_000 });
    expect(await clients.zk.has(`${folder}/e`)).toBe(false);
  });

  it.each(['persistentSequential', 'ephemeralSequential'] as const)('%s: appends a number that grows', async (mode) => {
    const folder = await clients.folder();
    const { zk } = clients;
    await zk.create(`${folder}/plain`);
    const first = await zk.create(`${folder}/item-`, null, { mode });
    const second = await zk.create(`${folder}/other-`, null, { mode });
    // The counter is the parent's, counts children of every kind, and is the same for all prefixes.
    expect(first).toMatchObject({ path: `${folder}/item-0000000001`, name: 'item-0000000001', sequence: 1 });
    expect(second).toMatchObject({ path: `${folder}/other-0000000002`, sequence: 2 });
    expect(sequenceOf(first.name)).toBe(first.sequence);
    const owner = (await zk.exists(first.path))?.ephemeralOwner;
    expect(owner?.equals(zk.session.id)).toBe(mode === 'ephemeralSequential');
  });

  it('takes a sequential znode whose name is the number alone', async () => {
    const folder = await clients.folder();
    const created = await clients.zk.create(`${folder}/`, null, { mode: 'persistentSequential' });
    expect(created).toMatchObject({ path: `${folder}/0000000000`, name: '0000000000', sequence: 0 });
  });

  it('keeps digits of the wanted name apart from the number', async () => {
    const folder = await clients.folder();
    const { zk } = clients;
    const sequential = await zk.create(`${folder}/0123456789`, null, { mode: 'persistentSequential' });
    expect(sequential).toMatchObject({ name: '01234567890000000000', sequence: 0 });
    const plain = await zk.create(`${folder}/x-0000000007`);
    expect('sequence' in plain).toBe(false);
  });

  needs('containers')('container: holds children, and nobody owns it', async () => {
    const folder = await clients.folder();
    const created = await clients.zk.create(`${folder}/c`, 'box', { mode: 'container' });
    await clients.zk.create(`${folder}/c/child`);
    // The server marks containers by the highest bit of the owner, and does not tell it.
    expect(created.stat).toBeInstanceOf(Stat);
    expect(created.stat.ephemeralOwner.isZero()).toBe(true);
    expect((await clients.zk.getData(`${folder}/c`)).text()).toBe('box');
  });

  needs('ttl')('ttl and ttlSequential: bring their stat, and nobody owns them', async () => {
    const folder = await clients.folder();
    const plain = await clients.zk.create(`${folder}/t`, 'x', { mode: 'ttl', ttl: 2 ** 40 - 1 });
    const sequential = await clients.zk.create(`${folder}/s-`, 'yy', { mode: 'ttlSequential', ttl: 60_000 });
    expect(plain.stat).toMatchObject({ dataLength: 1, version: 0 });
    expect(sequential).toMatchObject({ path: `${folder}/s-0000000001`, sequence: 1, stat: { dataLength: 2 } });
    expect(sequential.stat.ephemeralOwner.isZero()).toBe(true);
  });

  needs('createWithStat', 'containers', 'ttl').each<[CreateMode, object]>([
    ['persistent', {}],
    ['ephemeral', {}],
    ['persistentSequential', {}],
    ['ephemeralSequential', {}],
    ['container', {}],
    ['ttl', { ttl: 60_000 }],
    ['ttlSequential', { ttl: 60_000 }],
  ])('%s with stat: brings the stat that the server has', async (mode, more) => {
    const folder = await clients.folder();
    const options = { mode, stat: true, ...more } as { mode: 'persistent'; stat: true };
    const created = await clients.zk.create(`${folder}/n`, 'four', options);
    expect(created.stat).toBeInstanceOf(Stat);
    expect(created.stat).toEqual(await clients.zk.exists(created.path));
    expect(created.stat.czxid.equals(created.zxid)).toBe(true);
    expect(created.stat.dataLength).toBe(4);
  });

  it('sets the ACL that was asked for', async () => {
    const folder = await clients.folder();
    await clients.zk.create(`${folder}/r`, null, { acl: acl.readOnly });
    expect((await clients.zk.getAcl(`${folder}/r`)).acl).toEqual(acl.readOnly);
  });
});

describe('R7: the data that was created is the data that is read', () => {
  it('no data, and null, are null', async () => {
    const folder = await clients.folder();
    await clients.zk.create(`${folder}/none`);
    await clients.zk.create(`${folder}/null`, null);
    for (const name of ['none', 'null']) {
      const node = await clients.zk.getData(`${folder}/${name}`);
      expect(node).toMatchObject({ isNull: true, data: Buffer.alloc(0), stat: { dataLength: 0 } });
    }
  });

  it.each<[string, string | Uint8Array, Buffer]>([
    ['an empty string', '', Buffer.alloc(0)],
    ['no bytes', new Uint8Array(), Buffer.alloc(0)],
    ['text', 'Grüße, 世界 🦒', Buffer.from('Grüße, 世界 🦒', 'utf8')],
    ['bytes', Uint8Array.of(0, 255, 128, 10), Buffer.from([0, 255, 128, 10])],
    ['a part of a larger array', Uint8Array.of(9, 8, 7, 6).subarray(1, 3), Buffer.from([8, 7])],
  ])('%s', async (_, data, expected) => {
    const folder = await clients.folder();
    await clients.zk.create(`${folder}/n`, data);
    const node = await clients.zk.getData(`${folder}/n`);
    expect(node.isNull).toBe(false);
    expect(node.data).toEqual(expected);
    expect(node.stat.dataLength).toBe(expected.length);
  });
});

describe('create with protected', () => {
  it('puts a unique prefix before the name, as Curator does', async () => {
    const folder = await clients.folder();
    const options = { mode: 'ephemeralSequential', protected: true } as const;
    const [one, two] = await Promise.all([
      clients.zk.create(`${folder}/lock-`, null, options),
      clients.zk.create(`${folder}/lock-`, null, options),
    ]);
    expect(one.name).toMatch(/^_c_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-lock-0000000000$/);
    expect(one.sequence).toBe(0);
    expect(two.sequence).toBe(1);
    expect(two.name.slice(0, 39)).not.toBe(one.name.slice(0, 39));
    expect((await clients.zk.getChildren(folder)).sort()).toEqual([one.name, two.name].sort());
  });

  it('creates the parents, too, if asked to', async () => {
    const folder = await clients.folder();
    const created = await clients.zk.create(`${folder}/a/b/n`, 'x', { protected: true, parents: true });
    expect(created.path).toMatch(new RegExp(`^${folder}/a/b/_c_[0-9a-f-]{36}-n$`));
    expect((await clients.zk.getData(created.path)).text()).toBe('x');
  });
});

describe('create with parents', () => {
  it('true: creates what is missing, empty, open and persistent', async () => {
    const folder = await clients.folder();
    const { zk } = clients;
    await zk.create(`${folder}/a`, 'keep');
    await zk.create(`${folder}/a/b/c/d`, 'leaf', { parents: true, mode: 'ephemeral', acl: acl.readOnly });
    expect((await zk.getData(`${folder}/a`)).text()).toBe('keep');
    expect((await zk.getData(`${folder}/a/b`)).isNull).toBe(true);
    expect((await zk.getAcl(`${folder}/a/b/c`)).acl).toEqual(acl.open);
    expect((await zk.exists(`${folder}/a/b/c`))?.ephemeralOwner.isZero()).toBe(true);
    expect((await zk.exists(`${folder}/a/b/c/d`))?.ephemeralOwner.equals(zk.session.id)).toBe(true);
  });

  it('without it: a missing parent is NoNodeError', async () => {
    const folder = await clients.folder();
    await expect(clients.zk.create(`${folder}/a/b`)).rejects.toThrow(NoNodeError);
    await expect(clients.zk.create(`${folder}/a/b`, null, { parents: false })).rejects.toThrow(NoNodeError);
  });

  it('an existing znode is NodeExistsError all the same', async () => {
    const folder = await clients.folder();
    await expect(clients.zk.create(folder, null, { parents: true })).rejects.toThrow(NodeExistsError);
  });

  it('many at once below the same missing parents all succeed', async () => {
    const folder = await clients.folder();
    const names = Array.from({ length: 50 }, (_, index) => `n${index}`);
    await Promise.all(names.map((name) => clients.zk.create(`${folder}/a/b/${name}`, null, { parents: true })));
    expect((await clients.zk.getChildren(`${folder}/a/b`)).sort()).toEqual(names.sort());
  });
});
