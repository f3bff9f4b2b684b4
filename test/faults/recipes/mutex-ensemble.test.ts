import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ConnectionLossError, ZooKeeper } from 'zookit';
import { type Lock, Mutex } from 'zookit/recipes';
import { type Ensemble, startEnsemble, type ZooKeeperServer } from '../../support/zookeeper.js';
import { until } from '../../support/until.js';

const CONTENDERS = 100;
const CLIENTS = 10;

let ensemble: Ensemble;
const zks: ZooKeeper[] = [];

beforeAll(async () => {
  ensemble = await startEnsemble(3);
  for (let count = 0; count < CLIENTS; count++)
    zks.push(await ZooKeeper.connect(ensemble.connectString, { sessionTimeout: 30_000, connectTimeout: 60_000 }));
}, 120_000);

afterAll(async () => {
  await Promise.all(zks.map((zk) => zk.close({ timeout: 1_000 })));
  await ensemble.close();
}, 60_000);

/** Adds the token of the holder to those in the znode: once, and only as long as it holds. */
async function append(zk: ZooKeeper, lock: Lock): Promise<void> {
  const token = lock.fencingToken.toString();
  for (;;) {
    const node = await zk.getData('/tokens', { sync: true });
    const tokens = node.text().split(' ');
    if (tokens.at(-1) === token) return;
    try {
      const written = [...tokens, token].join(' ');
      await lock.guard(zk.transaction()).setData('/tokens', written, node.stat.version).commit();
      return;
    } catch (error) {
      if (!(error instanceof ConnectionLossError)) throw error;
    }
  }
}

async function restart(server: ZooKeeperServer): Promise<void> {
  await server.stop();
  await server.start();
}

it('100 contenders over a rolling restart: one holder at a time, in order, and everyone is served', async () => {
  const [first] = zks as [ZooKeeper];
  await first.create('/tokens', '0');
  const ends: string[] = [];
  for (const zk of zks) zk.on('session', ({ type }) => (type === 'lost' || type === 'expired' ? ends.push(type) : 0));

  const served: { contender: number; token: string }[] = [];
  let inside = 0;
  let restarting = Promise.resolve();
  const work = async (zk: ZooKeeper, contender: number, lock: Lock): Promise<void> => {
    expect([++inside, lock.held]).toEqual([1, true]);
    served.push({ contender, token: lock.fencingToken.toString() });
    // The lock goes from hand to hand while a member is stopped and starts; the next one goes when that is back.
    if (served.length % 30 === 10) {
      await restarting;
      const server = ensemble.servers[(served.length - 10) / 30];
      if (server !== undefined) restarting = restart(server);
    }
    await append(zk, lock);
    inside--;
  };
  const gateKeeper = await new Mutex(first, '/lock').acquire();
  const contending: Promise<void>[] = [];
  for (let contender = 0; contender < CONTENDERS; contender++) {
    const zk = zks[contender % CLIENTS] ?? first;
    contending.push(new Mutex(zk, '/lock').using((lock) => work(zk, contender, lock)));
  }
  await until(async () => (await first.getChildren('/lock')).length === CONTENDERS + 1, {
    what: 'all to stand in line',
  });
  await gateKeeper.release();
  await Promise.all(contending);
  await restarting;

  const tokens = served.map(({ token }) => BigInt(token));
  expect(new Set(served.map(({ contender }) => contender)).size).toBe(CONTENDERS);
  // The order of the line: of the znodes, and so of the requests of each client.
  expect(tokens).toEqual([...tokens].sort((a, b) => Number(a - b)));
  for (let client = 0; client < CLIENTS; client++) {
    const ours = served.map(({ contender }) => contender).filter((contender) => contender % CLIENTS === client);
    expect(ours).toEqual([...ours].sort((a, b) => a - b));
  }
  const written = (await first.getData('/tokens', { sync: true })).text().split(' ');
  expect(written).toEqual(['0', ...served.map(({ token }) => token)]);
  expect([ends, await first.getChildren('/lock')]).toEqual([[], []]);
}, 180_000);
