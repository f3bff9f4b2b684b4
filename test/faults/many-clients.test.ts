import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ZooKeeper } from 'zookit';
import { type Proxy, startProxy } from '../support/proxy.js';
import { useChroot } from '../support/shared.js';
import { startServer, type ZooKeeperServer } from '../support/zookeeper.js';
import { op } from './rig.js';

const COUNT = 1_000;

let server: ZooKeeperServer;
let proxy: Proxy;

beforeAll(async () => {
  server = await startServer();
  proxy = await startProxy(server);
});

afterAll(async () => {
  await proxy.close();
  await server.close();
});

test('1,000 clients in one process come back after a restart of the server, spread, each with its session', async () => {
  await using observer = await ZooKeeper.connect(server.connectString + useChroot(), { sessionTimeout: 60_000 });
  await observer.ensurePath('/');
  const open = (): ZooKeeper => ZooKeeper.open(proxy.connectString + observer.root, { sessionTimeout: 60_000 });
  const zks = Array.from({ length: COUNT }, open);
  try {
    await Promise.all(zks.map((zk, index) => zk.create(`/mine-${index}`, null, { mode: 'ephemeral' })));
    const ids = zks.map((zk) => zk.session.toString());
    const ended: string[] = [];
    for (const zk of zks) zk.on('expired', () => ended.push(zk.session.toString()));

    const connects: number[] = [];
    const before = proxy.totalConnections;
    const ignore = proxy.onRequest(({ opCode }) => {
      if (opCode === op.connect) connects.push(performance.now());
    });
    await server.stop();
    await server.start();
    await Promise.all(zks.map((zk) => zk.ready({ timeout: 60_000 })));
    ignore();

    expect(zks.map((zk) => zk.session.toString())).toEqual(ids);
    expect(ended).toEqual([]);
    const mine = await Promise.all(zks.map((zk, index) => zk.exists(`/mine-${index}`)));
    // They ask rarely, and not all at once: loose bounds, for a busy machine lets timers wait for each other.
    expect(proxy.totalConnections - before).toBeLessThan(20 * COUNT);
    expect(mostWithin(50, connects)).toBeLessThan((3 / 4) * COUNT);
    expect(mine.map((stat, index) => stat?.ephemeralOwner.equals(zks[index]!.session.id))).toEqual(zks.map(() => true));
  } finally {
    await Promise.all(zks.map((zk) => zk.close()));
  }
}, 120_000);

/** How many of these moments lie in one span of `ms`, at most. */
function mostWithin(ms: number, times: readonly number[]): number {
  return Math.max(...times.map((begin) => times.filter((time) => time >= begin && time < begin + ms).length));
}
