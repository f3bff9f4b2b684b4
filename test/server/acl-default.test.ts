/** The option `defaultAcl`. */
import { beforeAll, expect, test } from '@jest/globals';
import { acl, InvalidArgumentError, NoAuthError, ZooKeeper } from 'zookit';
import { sharedServer, useChroot } from '../support/shared.js';

const chroot = useChroot();

const connect = (options: object): Promise<ZooKeeper> =>
  ZooKeeper.connect(sharedServer().connectString + chroot, {
    auth: [{ scheme: 'digest', auth: 'ann:secret' }],
    ...options,
  });

beforeAll(async () => {
  await using zk = await ZooKeeper.connect(sharedServer().connectString + chroot);
  await zk.ensurePath('/');
});

test('a list goes for every znode that is created without an ACL, parents and transactions included', async () => {
  await using zk = await connect({ defaultAcl: acl.creatorAll });
  await zk.ensurePath('/list', 'persistent');
  await zk.create('/list/a/b', 'x', { parents: true });
  await zk.create('/list/open', null, { acl: acl.open });
  await zk.transaction().create('/list/c').commit();
  await zk.upsert('/list/d', 'y');
  const ids = async (path: string): Promise<string[]> => (await zk.getAcl(path)).acl.map(({ scheme }) => scheme);
  for (const path of ['/list', '/list/a', '/list/a/b', '/list/c', '/list/d'])
    expect(await ids(path)).toEqual(['digest']);
  expect(await ids('/list/open')).toEqual(['world']);
  await using stranger = await ZooKeeper.connect(sharedServer().connectString + chroot);
  await expect(stranger.getData('/list/a/b')).rejects.toBeInstanceOf(NoAuthError);
});

test('a function is given the path with the chroot, and gives the ACL', async () => {
  const asked: string[] = [];
  const defaultAcl = (path: string): typeof acl.open => {
    asked.push(path);
    return path.includes('secret') ? acl.creatorAll : acl.open;
  };
  await using zk = await connect({ defaultAcl });
  await zk.create('/secret');
  await zk.create('/public-', null, { mode: 'persistentSequential' });
  expect(asked).toEqual([`${chroot}/secret`, `${chroot}/public-`]);
  expect((await zk.getAcl('/secret')).acl[0]?.scheme).toBe('digest');
});

test('what the function gives is checked', async () => {
  await using zk = await connect({ defaultAcl: () => [] });
  await expect(zk.create('/wrong')).rejects.toBeInstanceOf(InvalidArgumentError);
});
