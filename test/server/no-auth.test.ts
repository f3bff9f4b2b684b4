/** What an ACL denies names the permission and the znode that has to grant it. */
import { expect, it } from '@jest/globals';
import { acl, NoAuthError, type ZooKeeper } from 'zookit';
import { useClients } from './clients.js';

const clients = useClients();

type Act = (zk: ZooKeeper, path: string) => Promise<unknown>;

const denied: readonly [string, string, 'node' | 'parent', Act][] = [
  ['create', 'create', 'parent', (zk, path) => zk.create(`${path}/child`)],
  ['delete', 'delete', 'parent', (zk, path) => zk.delete(`${path}/there`)],
  ['getData', 'read', 'node', (zk, path) => zk.getData(path)],
  ['setData', 'write', 'node', (zk, path) => zk.setData(path, 'x')],
  ['getChildren', 'read', 'node', (zk, path) => zk.getChildren(path)],
  ['getAcl', 'read', 'node', (zk, path) => zk.getAcl(path)],
  ['setAcl', 'admin', 'node', (zk, path) => zk.setAcl(path, acl.open)],
];

/** A znode with a child, that nobody may do anything with. */
async function closed(): Promise<string> {
  const path = `${await clients.folder()}/closed`;
  await clients.zk.create(path);
  await clients.zk.create(`${path}/there`);
  await clients.zk.setAcl(path, [acl.digest('nobody', 'knows')]);
  return path;
}

it.each(denied)('%s needs the permission %s on the %s', async (operation, permission, _, act) => {
  const path = await closed();
  const error: unknown = await act(clients.zk, path).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(NoAuthError);
  expect(error).toMatchObject({ operation, permission, deniedBy: path });
  expect((error as Error).message).toContain(`: it needs the permission ${permission} on ${path}`);
});

it('in a transaction the operation is named, too', async () => {
  const path = await closed();
  const folder = await clients.folder();
  const committing = clients.zk.transaction().create(`${folder}/fine`).setData(path, 'x').commit();
  const error: unknown = await committing.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(NoAuthError);
  expect(error).toMatchObject({
    operation: 'setData',
    path,
    permission: 'write',
    deniedBy: path,
    transaction: { index: 1 },
  });
});
