import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { UnimplementedError, ZooKeeper } from 'zookit';
import { once } from 'zookit/recipes';
import { needs } from '../../support/features.js';
import { until } from '../../support/until.js';
import { startServer, type ZooKeeperServer } from '../../support/zookeeper.js';
import { failureOf, useClients } from '../clients.js';

// A server that looks for znodes to tidy away five times a second, not once a minute.
let server: ZooKeeperServer;
beforeAll(async () => {
  server = await startServer({ systemProperties: { 'znode.container.checkIntervalMs': 200 } });
});
const clients = useClients(() => server);
afterAll(() => server.close());

let runs = 0;
const job = (): number => ++runs;

needs('ttl', 'ttlInTransaction')('a result with a ttl is forgotten by itself', async () => {
  const path = `${await clients.folder()}/a`;
  runs = 0;
  expect(await once(clients.zk, path, job, { ttl: 1_000 })).toBe(1);
  await until(async () => !(await clients.zk.has(`${path}/result`)), { what: 'the result to go', timeout: 20_000 });
  expect(await once(clients.zk, path, job)).toBe(2);
});

it('a server without TTLs refuses before the job is run', async () => {
  await using plain = await startServer({ config: { extendedTypesEnabled: false } });
  await using zk = await ZooKeeper.connect(plain.connectString);
  runs = 0;
  expect(await failureOf(once(zk, '/a', job, { ttl: 1_000 }))).toBeInstanceOf(UnimplementedError);
  expect([runs, await zk.getChildren('/a'), await zk.getChildren('/a/lock')]).toEqual([0, ['lock'], []]);
});
