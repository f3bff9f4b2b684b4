import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type LookupLike, ZooKeeper } from 'zookit';
import { type Proxy, startProxy } from '../support/proxy.js';
import { useChroot } from '../support/shared.js';
import { until } from '../support/until.js';
import { startWireServer } from '../support/wire-server.js';
import { type Ensemble, startEnsemble, type ZooKeeperServer } from '../support/zookeeper.js';
import { Load } from './load/load.js';

/** Session timeout that outlasts an election on a busy machine, which may take tens of seconds. */
const LONG = 60_000;

let ensemble: Ensemble;
let proxies: Proxy[];
let observer: ZooKeeper;

beforeAll(async () => {
  ensemble = await startEnsemble(3);
  proxies = await Promise.all(ensemble.servers.map((server) => startProxy(server)));
}, 120_000);

afterAll(async () => {
  for (const proxy of proxies) await proxy.close();
  await ensemble.close();
});

beforeEach(async () => {
  observer = await ZooKeeper.connect(ensemble.connectString + useChroot(), { sessionTimeout: 60_000 });
  await observer.ensurePath('/');
}, 120_000);

afterEach(async () => {
  for (const proxy of proxies) {
    proxy.heal({ deliver: false });
    proxy.slow({});
    proxy.requests.length = 0;
    await proxy.accept();
  }
  await ensemble.start();
  await observer.close();
}, 120_000);

function startLoad(sessionTimeout: number): Promise<Load> {
  const servers = proxies.map(({ connectString }) => connectString).join(',') + observer.root;
  return Load.start(observer, 3, () => ZooKeeper.connect(servers, { sessionTimeout }));
}

/** The member that the first client uses, and the proxy before it, once it is connected. */
function used({ clients }: Load): Promise<{ member: ZooKeeperServer; proxy: Proxy }> {
  const look = (): { member: ZooKeeperServer; proxy: Proxy } | undefined => {
    const index = proxies.findIndex(({ connectString }) => connectString === clients[0]?.zk.session.server);
    return index < 0 ? undefined : { member: ensemble.servers[index]!, proxy: proxies[index]! };
  };
  return until(look, { what: 'the first client to be connected', timeout: 60_000 });
}

/** Every client has its connection, or none: what is asked for meanwhile waits. */
async function untilSuspended({ clients }: Load): Promise<void> {
  await until(() => clients.every(({ zk }) => zk.state === 'suspended'), {
    what: 'all to be suspended',
    timeout: 60_000,
  });
}

describe('three clients with mixed traffic lose nothing they were promised while', () => {
  const survived = new Set(['suspended', 'connected']);

  it('a server is killed and comes back', async () => {
    await using load = await startLoad(LONG);
    const { member } = await used(load);
    await member.kill();
    await load.goesOn();
    await member.start();
    await load.goesOn();
    expect(load.told).toEqual(survived);
    expect(await load.finish()).toEqual([]);
  }, 240_000);

  it('the leader is killed', async () => {
    await using load = await startLoad(LONG);
    const leader = await ensemble.leader();
    await leader.kill();
    await load.goesOn();
    await leader.start();
    expect(load.told).toEqual(survived);
    expect(await load.finish()).toEqual([]);
  }, 240_000);

  it('a server is stopped for longer than the session timeout', async () => {
    await using load = await startLoad(2_000);
    const { member } = await used(load);
    const begin = performance.now();
    member.pause();
    try {
      await until(() => performance.now() - begin > 3_000, { what: 'the session timeout to pass' });
      await load.goesOn();
    } finally {
      member.resume();
    }
    await load.goesOn();
    expect(await load.finish()).toEqual([]);
  }, 240_000);

  it('all three servers are restarted, one after the other', async () => {
    await using load = await startLoad(LONG);
    for (const server of ensemble.servers) {
      await server.stop();
      await load.goesOn();
      await server.start();
    }
    await load.goesOn();
    expect(load.told).toEqual(survived);
    expect(await load.finish()).toEqual([]);
  }, 240_000);

  it('the quorum is lost, and returns', async () => {
    await using load = await startLoad(LONG);
    const [one, two] = ensemble.servers;
    await Promise.all([one!.kill(), two!.kill()]);
    await untilSuspended(load);
    await Promise.all([one!.launch(), two!.launch()]);
    await ensemble.ready();
    await load.goesOn();
    expect(load.told).toEqual(survived);
    expect(await load.finish()).toEqual([]);
  }, 240_000);

  it('a server falls silent, to old connections and to new ones', async () => {
    await using load = await startLoad(3_000);
    const { proxy } = await used(load);
    proxy.cut();
    await load.clients[0]!.events.first('suspended', 30_000);
    await load.goesOn();
    proxy.heal({ deliver: false });
    await load.goesOn();
    expect(await load.finish()).toEqual([]);
  }, 240_000);

  it.each(['toServer', 'toClient'] as const)(
    'one direction of a link is silent (%s)',
    async (direction) => {
      await using load = await startLoad(3_000);
      const { proxy } = await used(load);
      if (direction === 'toServer') proxy.cutToServer();
      else proxy.cutToClient();
      await load.clients[0]!.events.first('suspended', 30_000);
      await load.goesOn();
      // What was held back arrives late: at the server, which may carry it out, or at a client that has gone on.
      proxy.heal();
      await load.goesOn();
      expect(await load.finish()).toEqual([]);
    },
    240_000,
  );

  it('the links are slow and narrow, and drop now and then', async () => {
    await using load = await startLoad(LONG);
    for (const proxy of proxies) proxy.slow({ latency: 30, bytesPerSecond: 20_000 });
    await load.goesOn();
    for (const proxy of proxies) proxy.resetAll();
    await load.goesOn();
    for (const proxy of proxies) proxy.slow({});
    await load.goesOn();
    expect(load.told).toEqual(survived);
    expect(await load.finish()).toEqual([]);
  }, 240_000);

  it('links are cut in the middle of requests and replies', async () => {
    await using load = await startLoad(LONG);
    for (let round = 1; round <= 10; round++) {
      const cuts = proxies.filter(({ connections }) => connections > 0);
      await Promise.all(cuts.map((proxy) => (round % 2 === 0 ? proxy.cutNextReply() : proxy.cutNextRequest())));
    }
    await load.goesOn();
    expect(load.told).toEqual(survived);
    expect(await load.finish()).toEqual([]);
  }, 240_000);

  it('sessions expire, with operations waiting and on the wire', async () => {
    await using load = await startLoad(2_000);
    for (const { zk, name } of load.clients)
      await zk.create(`/alive-${name}`, null, { mode: 'ephemeral', retry: true });
    // What is on the wire now is held back with the connections, and what comes then waits for the next one.
    for (const proxy of proxies) proxy.cut();
    await untilSuspended(load);
    await until(async () => !(await observer.getChildren('/')).some((name) => name.startsWith('alive-')), {
      what: 'the servers to end the sessions',
      timeout: 60_000,
    });
    expect(load.clients.map(({ history }) => history.open > 10)).toEqual([true, true, true]);
    for (const proxy of proxies) proxy.heal({ deliver: false });
    await load.goesOn();
    expect(load.told).toEqual(new Set([...survived, 'lost', 'expired']));
    expect(await load.finish()).toEqual([]);
  }, 240_000);

  it('a server accepts connections and never answers', async () => {
    await using silent = await startWireServer({ handshake: 'silence' });
    await using load = await startLoad(6_000);
    const { proxy, member } = await used(load);
    proxy.setTarget(silent.host, silent.port);
    proxy.resetAll();
    await load.goesOn();
    // Now there is no way around it: it is tried by all.
    const others = proxies.filter((other) => other !== proxy);
    for (const other of others) other.refuse();
    for (const other of others) other.resetAll();
    await until(() => silent.openConnections > 0, { what: 'somebody to try the silent server', timeout: 30_000 });
    for (const other of others) await other.accept();
    await load.goesOn();
    proxy.setTarget(member.host, member.port);
    expect(await load.finish()).toEqual([]);
  }, 240_000);

  it('the only name of the servers gets another address', async () => {
    const port = proxies[0]!.port;
    await using elsewhere = await startProxy(ensemble.servers[1]!, { host: '127.0.0.2', port });
    let address = proxies[0]!.host;
    const lookup: LookupLike = (_, __, callback) => process.nextTick(() => callback(null, [{ address, family: 4 }]));
    const servers = `zookeeper:${port}${observer.root}`;
    await using load = await Load.start(observer, 3, () =>
      ZooKeeper.connect(servers, { sessionTimeout: LONG, lookup }),
    );
    proxies[0]!.refuse();
    proxies[0]!.resetAll();
    await untilSuspended(load);
    address = elsewhere.host;
    await load.goesOn();
    expect(elsewhere.connections).toBe(3);
    expect(load.told).toEqual(survived);
    expect(await load.finish()).toEqual([]);
  }, 240_000);
});
