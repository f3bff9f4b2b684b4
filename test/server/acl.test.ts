import { describe, expect, it } from '@jest/globals';
import {
  type Acl,
  acl,
  allPermissions,
  BadVersionError,
  digestId,
  InvalidAclError,
  InvalidArgumentError,
  NoAuthError,
  NoNodeError,
  ZooKeeper,
} from 'zookit';
import { needs, since } from '../support/features.js';
import { startProxy } from '../support/proxy.js';
import { sharedServer } from '../support/shared.js';
import { useClients } from './clients.js';

const clients = useClients();

/** A client that has proved to be `user`. */
const as = (user: string): Promise<ZooKeeper> => clients.another({ auth: [{ scheme: 'digest', auth: `${user}:pw` }] });

describe('getAcl and setAcl', () => {
  it.each<[string, readonly Acl[], readonly Acl[]]>([
    ['open', acl.open, [{ scheme: 'world', id: 'anyone', permissions: allPermissions }]],
    ['readOnly', acl.readOnly, [{ scheme: 'world', id: 'anyone', permissions: ['read'] }]],
    [
      'world with permissions',
      [acl.world('delete', 'read', 'admin')],
      [{ scheme: 'world', id: 'anyone', permissions: ['read', 'delete', 'admin'] }],
    ],
    [
      'ip',
      [acl.ip('127.0.0.1'), acl.ip('10.0.0.1', 'read')],
      [
        { scheme: 'ip', id: '127.0.0.1', permissions: allPermissions },
        { scheme: 'ip', id: '10.0.0.1', permissions: ['read'] },
      ],
    ],
    [
      'digest',
      [acl.digest('alice', 'pw', 'write'), acl.world('read', 'admin')],
      [
        { scheme: 'digest', id: digestId('alice', 'pw'), permissions: ['write'] },
        { scheme: 'world', id: 'anyone', permissions: ['read', 'admin'] },
      ],
    ],
    // The server replaces this one by what the connection has proved.
    ['creatorAll', acl.creatorAll, [{ scheme: 'digest', id: digestId('alice', 'pw'), permissions: allPermissions }]],
    ['auth', [acl.auth('admin')], [{ scheme: 'digest', id: digestId('alice', 'pw'), permissions: ['admin'] }]],
  ])('%s: what was set, at creation or later, comes back', async (_, given, expected) => {
    const folder = await clients.folder();
    const alice = await as('alice');
    await alice.create(`${folder}/created`, null, { acl: given });
    await alice.create(`${folder}/set`);
    await alice.setAcl(`${folder}/set`, given);
    const superUser = await clients.superUser();
    for (const name of ['created', 'set']) {
      expect((await superUser.getAcl(`${clients.chroot}${folder}/${name}`)).acl).toEqual(expected);
    }
    await Promise.all([alice.close(), superUser.close()]);
  });

  since('3.5.0')('ip takes a range of addresses', async () => {
    const folder = await clients.folder();
    const range = acl.ip('10.0.0.0/8', 'read');
    await clients.zk.create(`${folder}/n`, null, { acl: [range, acl.world('admin')] });
    expect((await clients.zk.getAcl(`${folder}/n`)).acl[0]).toEqual(range);
  });

  it('setAcl counts aversion up, and replaces only the version that was given', async () => {
    const folder = await clients.folder();
    expect((await clients.zk.setAcl(folder, acl.open)).aversion).toBe(1);
    await expect(clients.zk.setAcl(folder, acl.readOnly, 0)).rejects.toThrow(BadVersionError);
    const stat = await clients.zk.setAcl(folder, [acl.world('read')], 1);
    expect(stat).toMatchObject({ aversion: 2, version: 0 });
    expect(await clients.zk.getAcl(folder)).toEqual({ acl: acl.readOnly, stat });
  });

  it('getAcl hides the hash of digests from those without admin', async () => {
    const folder = await clients.folder();
    const entries = [acl.digest('alice', 'pw', 'read', 'admin'), acl.world('read')];
    await clients.zk.setAcl(folder, entries);
    expect((await clients.zk.getAcl(folder)).acl[0]).toEqual({ ...entries[0], id: 'alice:x' });
    const alice = await as('alice');
    expect((await alice.getAcl(folder)).acl).toEqual(entries);
    await alice.close();
  });

  it('of a missing znode are NoNodeError', async () => {
    await expect(clients.zk.getAcl('/none')).rejects.toThrow(NoNodeError);
    await expect(clients.zk.setAcl('/none', acl.open)).rejects.toThrow(NoNodeError);
  });
});

describe('the server refuses', () => {
  it.each<[string, readonly Acl[]]>([
    ['creatorAll of a client that has proved nothing', acl.creatorAll],
    ['an unknown scheme', [{ scheme: 'nosuch', id: 'x', permissions: ['read'] }]],
    ['an id that is none of its scheme', [acl.ip('not an address')]],
  ])('%s: InvalidAclError', async (_, invalid) => {
    const folder = await clients.folder();
    await expect(clients.zk.create(`${folder}/n`, null, { acl: invalid })).rejects.toThrow(InvalidAclError);
    await expect(clients.zk.setAcl(folder, invalid)).rejects.toThrow(InvalidAclError);
    expect((await clients.zk.getAcl(folder)).acl).toEqual(acl.open);
  });

  it.each<[string, readonly Acl[]]>([
    ['an empty ACL', []],
    ['a permission that there is not', [{ scheme: 'world', id: 'anyone', permissions: ['fly' as 'read'] }]],
  ])('%s is not even sent', async (_, invalid) => {
    await expect(clients.zk.create('/n', null, { acl: invalid })).rejects.toThrow(InvalidArgumentError);
    await expect(clients.zk.setAcl('/', invalid)).rejects.toThrow(InvalidArgumentError);
  });
});

describe('each permission allows what it is for, and its absence forbids it', () => {
  type Act = (zk: ZooKeeper, path: string) => Promise<unknown>;

  async function expectPermission(permission: string, act: Act): Promise<void> {
    const folder = await clients.folder();
    const others = allPermissions.filter((each) => each !== permission);
    for (const [name, granted] of [
      ['with', [permission]],
      ['without', others],
    ] as [string, never[]][]) {
      await clients.zk.create(`${folder}/${name}`);
      await clients.zk.create(`${folder}/${name}/child`);
      await clients.zk.setAcl(`${folder}/${name}`, [acl.world(...granted)]);
    }
    await act(clients.zk, `${folder}/with`);
    await expect(act(clients.zk, `${folder}/without`)).rejects.toThrow(NoAuthError);
  }

  it.each<[string, Act]>([
    ['read', (zk, path) => zk.getData(path)],
    ['read', (zk, path) => zk.getChildren(path)],
    ['read', (zk, path) => zk.getChildren(path, { stat: true })],
    ['read', (zk, path) => zk.transaction().check(path).commit()],
    ['write', (zk, path) => zk.setData(path, 'x')],
    ['create', (zk, path) => zk.create(`${path}/new`)],
    ['delete', (zk, path) => zk.delete(`${path}/child`)],
    ['admin', (zk, path) => zk.setAcl(path, acl.open)],
  ])('%s: %s', expectPermission);

  needs('getAllChildrenNumber')('read: getAllChildrenNumber', () =>
    expectPermission('read', (zk, path) => zk.getAllChildrenNumber(path)),
  );

  it('getAcl wants read or admin', async () => {
    const folder = await clients.folder();
    for (const permission of ['read', 'admin', 'write'] as const) {
      await clients.zk.create(`${folder}/${permission}`, null, { acl: [acl.world(permission)] });
    }
    await clients.zk.getAcl(`${folder}/read`);
    await clients.zk.getAcl(`${folder}/admin`);
    await expect(clients.zk.getAcl(`${folder}/write`)).rejects.toThrow(NoAuthError);
  });

  it('E6: create with parents below a forbidden one is one NoAuthError, after one attempt at each level', async () => {
    const folder = await clients.folder();
    await clients.zk.setAcl(folder, acl.readOnly);
    await using proxy = await startProxy(sharedServer());
    await using zk = await ZooKeeper.connect(proxy.connectString + clients.chroot);
    const outcome = zk.create(`${folder}/a/b/c`, 'x', { parents: true });
    await expect(outcome).rejects.toThrow(NoAuthError);
    await expect(outcome).rejects.toMatchObject({ operation: 'create', path: `${folder}/a` });
    const create = 1;
    expect(proxy.requests.filter(({ opCode }) => opCode === create)).toHaveLength(3);
    expect(await clients.zk.getChildren(folder)).toEqual([]);
  });
});
