import { expect, it } from '@jest/globals';
import { OwnedByOtherError, PersistentNode } from 'zookit/recipes';
import { failureOf } from '../server/clients.js';
import { until } from '../support/until.js';
import { usePeers } from './peers.js';

const peers = usePeers();

async function data(path: string): Promise<string> {
  return (await peers.zk.getData(path)).text();
}

it('a znode that Curator keeps is not ours to take where we are told so, and free when Curator has closed', async () => {
  const path = '/of-curator';
  const java = await peers.curator.open('persistentNode', path, { data: 'java' });
  expect(await java.call('created')).toBe(true);
  const refused = new PersistentNode(peers.zk, path, 'node', { onConflict: 'fail' }).start();
  expect(await failureOf(refused.published())).toBeInstanceOf(OwnedByOtherError);
  await refused.close();
  expect(await data(path)).toBe('java');
  await java.close();
  expect(await peers.zk.has(path)).toBe(false);
  await using node = new PersistentNode(peers.zk, path, 'node', { onConflict: 'fail' }).start();
  await node.published();
  expect(await data(path)).toBe('node');
});

it('a znode that Curator keeps comes back when we delete it, as ours does when Curator does', async () => {
  const path = '/deleted';
  const java = await peers.curator.open('persistentNode', path, { data: 'java' });
  expect(await java.call('created')).toBe(true);
  await peers.zk.delete(path);
  await until(async () => (await data(path)) === 'java', { what: 'the znode of Curator' });
  await java.close();

  await using node = new PersistentNode(peers.zk, path, 'node').start();
  await node.published();
  // It takes the znode of another session for its own, writes its data over it, and deletes it at its end.
  const careless = await peers.curator.open('persistentNode', path, { data: 'java' });
  await until(async () => (await data(path)) === 'java', { what: 'what Curator writes' });
  expect((await peers.zk.exists(path))?.ephemeralOwner).toEqual(peers.zk.session.id);
  await careless.close();
  await until(async () => (await data(path)) === 'node', { what: 'our znode to come back' });
  await until(() => node.held, { what: 'it to know' });
});
