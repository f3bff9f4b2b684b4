import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Stat, ZooKeeper } from 'zookit';
import { HoldUps } from '../support/hold-ups.js';
import { type Proxy, startProxy } from '../support/proxy.js';
import { useChroot } from '../support/shared.js';
import { until } from '../support/until.js';
import { type Ensemble, startEnsemble, type ZooKeeperServer } from '../support/zookeeper.js';
import { EventLog, op, Seen } from './rig.js';

/** How much later a timer may run, ms, beside the time for which this process was held up. */
const SLACK = 250;

let ensemble: Ensemble;
let proxies: Proxy[];

beforeAll(async () => {
  ensemble = await startEnsemble(3);
  proxies = await Promise.all(ensemble.servers.map((server) => startProxy(server)));
}, 60_000);

afterAll(async () => {
  for (const proxy of proxies) await proxy.close();
  await ensemble.close();
});

beforeEach(async () => {
  for (const proxy of proxies) proxy.requests.length = 0;
  await ensemble.start();
}, 60_000);

/** A client of the members behind these proxies, in a part of the tree of its own. */
async function connect(behind: readonly Proxy[], sessionTimeout: number): Promise<ZooKeeper> {
  const servers = behind.map(({ connectString }) => connectString).join(',');
  const chroot = useChroot();
  const zk = await ZooKeeper.connect(servers + chroot, { sessionTimeout });
  await zk.ensurePath('/');
  return zk;
}

/** The member that the client uses, and the proxy before it. */
function used(zk: ZooKeeper): { member: ZooKeeperServer; proxy: Proxy } {
  const index = proxies.findIndex(({ connectString }) => connectString === zk.session.server);
  return { member: ensemble.servers[index]!, proxy: proxies[index]! };
}

/** Something that the client owns and watches. */
async function furnish(zk: ZooKeeper): Promise<{ stat: Stat; seen: Seen }> {
  const seen = new Seen();
  const { stat } = await zk.create('/mine', null, { mode: 'ephemeral', stat: true });
  await zk.create('/node');
  await zk.getData('/node', { watch: seen.tell });
  await zk.addWatch('/node', { onEvent: seen.tell });
  return { stat, seen };
}

describe('a member that is killed', () => {
  it('costs nothing but a reconnect: session, ephemeral znodes and watches move to another one', async () => {
    await using zk = await connect(proxies, 30_000);
    const events = new EventLog(zk);
    const { stat, seen } = await furnish(zk);
    const { member, proxy } = used(zk);
    await member.kill();
    await events.first('connected');
    expect(events.types).toEqual(['suspended', 'connected']);
    expect(events.all[1]).toMatchObject({ resumed: true, sessionId: stat.ephemeralOwner });
    expect(used(zk).proxy).not.toBe(proxy);
    expect((await zk.exists('/mine'))?.czxid).toEqual(stat.czxid);
    await zk.setData('/node', 'x');
    await seen.count(3);
    expect(seen.all.sort()).toEqual(['dataChanged /node', 'dataChanged /node', 'resync']);
  });

  it('may be the leader', async () => {
    await using zk = await connect(proxies, 30_000);
    const events = new EventLog(zk);
    const { stat, seen } = await furnish(zk);
    const waiting: Promise<unknown>[] = [];
    zk.on('suspended', () => waiting.push(zk.create('/while-there-was-no-leader')));
    await (await ensemble.leader()).kill();
    await events.first('connected');
    await until(async () => (await zk.setData('/node', 'x')).version > 0, { what: 'a leader' });
    await Promise.all(waiting);
    expect((await zk.exists('/mine'))?.czxid).toEqual(stat.czxid);
    await seen.count(2);
    expect(events.types).not.toContain('expired');
    expect(events.types).not.toContain('aheadOfServers');
  });
});

describe('F1: a member that is silent', () => {
  it('is noticed after two thirds of the session timeout, and the session is saved at the next one', async () => {
    const followers = await ensemble.followers();
    const behind = proxies.filter((_, index) => followers.includes(ensemble.servers[index]!));
    await using zk = await connect(behind, 6_000);
    const events = new EventLog(zk);
    const { stat } = await furnish(zk);
    const { member, proxy } = used(zk);
    const silentSince = performance.now();
    using heldUp = new HoldUps();
    member.pause();
    try {
      await events.first('connected');
    } finally {
      member.resume();
    }
    expect(events.types).toEqual(['suspended', 'connected']);
    expect(events.timeOf('suspended') - silentSince).toBeLessThanOrEqual((2 / 3) * 6_000 + 200 + SLACK + heldUp.total);
    expect(used(zk).proxy).not.toBe(proxy);
    expect((await zk.exists('/mine'))?.ephemeralOwner).toEqual(stat.ephemeralOwner);
  });
});

describe('B9: a session that moves to another member', () => {
  it('carries the last zxid, so that what was seen once stays seen', async () => {
    await using zk = await connect(proxies, 30_000);
    const events = new EventLog(zk);
    await zk.create('/counter', '0');
    for (let count = 1; count <= 10; count++) {
      const { mzxid } = await zk.setData('/counter', String(count));
      const { proxy } = used(zk);
      events.clear();
      proxy.resetAll();
      // The first thing on the new connection, from a member that may not have heard of it yet.
      expect((await zk.getData('/counter')).text()).toBe(String(count));
      await events.first('connected');
      const [connect] = used(zk)
        .proxy.requests.filter(({ opCode }) => opCode === op.connect)
        .slice(-1);
      expect(connect?.body.readBigInt64BE(4)).toBe(BigInt(mzxid.toString()));
    }
  });
});
