import { expect, it } from '@jest/globals';
import { Long, type ZooKeeper } from 'zookit';
import { removeOrphans } from '../../../../recipes/docker/orphans.js';

it('removes what belongs to the former agent and is not wanted, and nothing else', async () => {
  const owners = new Map([
    ['/services/web/gone', 1],
    ['/services/web/wanted', 1],
    ['/services/web/foreign', 2],
    ['/services/other/gone', 1],
    ['/services/unmentioned/gone', 1],
  ]);
  const zk = {
    getChildren: async (path: string) =>
      [...owners.keys()].filter((each) => each.startsWith(`${path}/`)).map((each) => each.slice(path.length + 1)),
    exists: async (path: string) => ({ ephemeralOwner: Long.fromNumber(owners.get(path)!), version: 0 }),
    delete: async (path: string) => void owners.delete(path),
  } as unknown as ZooKeeper;
  const removed: string[] = [];
  await removeOrphans(
    zk,
    '/services',
    { session: Long.fromNumber(1), services: ['web', 'other', 'no/service'] },
    (service, id) => service === 'web' && id === 'wanted',
    (service, id) => removed.push(`${service}/${id}`),
  );
  expect([...owners.keys()]).toEqual(['/services/web/wanted', '/services/web/foreign', '/services/unmentioned/gone']);
  expect(removed).toEqual(['web/gone', 'other/gone']);
});
