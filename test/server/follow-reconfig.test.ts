import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type ClientOptions, ZooKeeper } from 'zookit';
import { nextEvent, until } from '../support/until.js';
import { sharedServer, useChroot } from '../support/shared.js';
import { type Ensemble, startEnsemble, superAuth, type ZooKeeperServer } from '../support/zookeeper.js';

/** Long enough that no session ends because the machine is slow. */
const sessionTimeout = 20_000;

let ensemble: Ensemble;
let leader: ZooKeeperServer;
let superUser: ZooKeeper;

beforeAll(async () => {
  ensemble = await startEnsemble(3);
  leader = await ensemble.leader();
  superUser = await ZooKeeper.connect(leader.connectString, { auth: [superAuth] });
}, 60_000);

afterAll(async () => {
  await superUser.close();
  await ensemble.close();
});

const addresses = (): string[] => ensemble.servers.map(({ connectString }) => connectString).sort();

/** A member that does not lead: one that does is never removed here. */
function follower(): ZooKeeperServer {
  const found = ensemble.servers.find((server) => server !== leader);
  if (found === undefined) throw new Error('there is no follower');
  return found;
}

/** Waits until a follower that was taken in again serves as one: a change before that finds no quorum. */
async function inSync(): Promise<void> {
  const look = async (): Promise<boolean> => (await leader.fourLetter('mntr')).includes('zk_synced_followers\t2\n');
  await until(look, { what: 'two followers', timeout: 20_000 });
}

async function connectTo(servers: string, options: ClientOptions = {}): Promise<ZooKeeper> {
  return ZooKeeper.connect(servers, { sessionTimeout, followReconfig: true, ...options });
}

async function knows(zk: ZooKeeper, servers: readonly string[]): Promise<void> {
  const expected = [...servers].sort().join();
  await until(() => [...zk.servers].sort().join() === expected, { what: `the servers ${expected}`, timeout: 20_000 });
}

describe('a client that follows the configuration of the ensemble', () => {
  beforeEach(inSync, 30_000);

  it('learns of the servers that it was not told, and reaches them when its own is lost', async () => {
    const only = follower();
    await using zk = await connectTo(only.connectString);
    await knows(zk, addresses());
    const { id } = zk.session;
    if (zk.session.server === only.connectString) {
      // By chance it may have moved to one of the others already.
      const moved = nextEvent(zk, 'connected', { timeout: 20_000 });
      await only.kill();
      await moved;
    } else await only.kill();
    try {
      expect(await zk.exists('/')).not.toBeNull();
      expect(zk.session.id).toEqual(id);
      expect(zk.session.server).not.toBe(only.connectString);
    } finally {
      await only.launch();
      await only.ready();
    }
  });

  it('leaves a server that is taken out, and learns of it when it is taken in again', async () => {
    const out = follower();
    const rest = addresses().filter((server) => server !== out.connectString);
    const { line = '' } = (await superUser.getConfig()).servers.find(({ id }) => id === out.id) ?? {};
    await using zk = await connectTo(`${addresses().join()}${useChroot()}`);
    await zk.ensurePath('/');
    const { path } = await zk.create('/mine', null, { mode: 'ephemeral' });
    const { id } = zk.session;
    await superUser.reconfig({ leaving: [out.id ?? NaN] });
    await knows(zk, rest);
    await until(async () => (await zk.has(path)) && rest.includes(zk.session.server ?? ''), {
      what: 'a server of the rest',
    });
    expect(zk.session.id).toEqual(id);
    await superUser.reconfig({ joining: [line] });
    await knows(zk, addresses());
    expect((await zk.exists(path))?.ephemeralOwner).toEqual(id);
  });

  it('follows in each new session', async () => {
    await using zk = await connectTo(leader.connectString);
    await knows(zk, addresses());
    const { session } = zk;
    // Another client takes the session over, and ends it.
    await using thief = await ZooKeeper.connect(leader.connectString, { session: session.export() });
    await thief.close();
    await until(() => zk.session !== session && zk.state === 'connected', { what: 'a new session', timeout: 20_000 });
    const out = follower();
    const { line = '' } = (await superUser.getConfig()).servers.find(({ id }) => id === out.id) ?? {};
    await superUser.reconfig({ leaving: [out.id ?? NaN] });
    await knows(
      zk,
      addresses().filter((server) => server !== out.connectString),
    );
    await superUser.reconfig({ joining: [line] });
    await knows(zk, addresses());
  });
});

it('is not followed unless that was asked for', async () => {
  await using zk = await connectTo(leader.connectString, { followReconfig: false });
  await using other = await connectTo(leader.connectString);
  await knows(other, addresses());
  expect(zk.servers).toEqual([leader.connectString]);
});

it('is none at a server that stands alone: the client keeps its servers', async () => {
  const server = sharedServer().connectString;
  await using zk = await connectTo(server);
  // The answer to the question for the configuration came before this one.
  expect(await zk.exists('/')).not.toBeNull();
  expect([zk.servers, zk.session.server]).toEqual([[server], server]);
});
