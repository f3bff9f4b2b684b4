import { existsSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  BadArgumentsError,
  BadVersionError,
  Long,
  NewConfigNoQuorumError,
  NoAuthError,
  ReconfigInProgressError,
  type ZooKeeper,
} from 'zookit';
import { needs, runsOn } from '../support/features.js';
import { until } from '../support/until.js';
import { type Ensemble, startEnsemble, type ZooKeeperServer } from '../support/zookeeper.js';
import { expectFailure, Recorder, useClients } from './clients.js';

let ensemble: Ensemble;
let leader: ZooKeeperServer;
beforeAll(async () => {
  ensemble = await startEnsemble(3);
  leader = await ensemble.leader();
});
// All but those that say otherwise talk to the leader, which is never removed: a server that is loses its clients.
const clients = useClients(() => leader);
let superUser: ZooKeeper;
beforeAll(async () => {
  superUser = await clients.superUser();
});
afterAll(() => ensemble.close());

const followers = (): ZooKeeperServer[] => ensemble.servers.filter((server) => server !== leader);
const idOf = (server: ZooKeeperServer | undefined): number => server?.id ?? NaN;

/** The line of a server as the ensemble was started with it. */
async function lineOf(id: number): Promise<string> {
  const { servers } = await superUser.getConfig();
  return servers.find((server) => server.id === id)?.line ?? '';
}

async function serverIds(): Promise<number[]> {
  return (await superUser.getConfig()).servers.map(({ id }) => id).sort();
}

/**
 * Waits until the servers beside the leader have these roles. A server changes its role by connecting to the leader
 * anew, in its own time, and the leader counts its old connection until then: so wait after each change of a role, or
 * this state cannot be told from the one before the change.
 */
async function haveRoles(observers: number): Promise<void> {
  const counts = [`zk_synced_followers\t${2 - observers}`, `zk_synced_observers\t${observers}`];
  const look = async (): Promise<boolean> => {
    const lines = (await leader.fourLetter('mntr')).split('\n');
    const modes = await Promise.all(followers().map((server) => server.mode()));
    const inRole = modes.filter((mode) => mode === 'observer').length === observers && !modes.includes(undefined);
    // Before 3.5 it does not count observers; nothing makes any there.
    return inRole && (!runsOn('3.5.0') || counts.every((count) => lines.includes(count)));
  };
  await until(look, { what: `${observers} observers beside the leader`, timeout: 20_000 });
}

/** Makes a voting server an observer, or back, and waits until it is. */
async function changeRole(line: string, role: 'participant' | 'observer'): Promise<void> {
  await superUser.reconfig({ joining: [line.replace(':participant', `:${role}`)] });
  await haveRoles(role === 'observer' ? 1 : 0);
}

/** How many requests the leader has not answered. */
async function outstanding(): Promise<number> {
  return Number(/^Outstanding: (\d+)$/m.exec(await leader.fourLetter('srvr'))?.[1]);
}

describe('getConfig', () => {
  needs('getConfig')('gives the servers of the ensemble, typed', async () => {
    const { servers, version } = await clients.zk.getConfig();
    expect(servers.map(({ id, role, client }) => ({ id, role, client })).sort((a, b) => a.id - b.id)).toEqual(
      ensemble.servers.map(({ id, host, port }) => ({ id, role: 'participant', client: { host, port } })),
    );
    for (const { peers } of servers) {
      expect(peers).toEqual([{ host: '127.0.0.1', quorumPort: expect.any(Number), electionPort: expect.any(Number) }]);
    }
    expect(version).toBeInstanceOf(Long);
  });

  needs('getConfig')('may be asked by anybody, below any chroot', async () => {
    expect(await clients.zk.chroot('/x').getConfig()).toEqual(await superUser.getConfig());
  });
});

describe('reconfig', () => {
  beforeEach(() => haveRoles(0));

  needs('getConfig', 'reconfig')('removes and adds a server, and resolves with the new configuration', async () => {
    const id = idOf(followers()[0]);
    const line = await lineOf(id);
    const before = await clients.zk.getConfig();
    const without = await superUser.reconfig({ leaving: [id], fromVersion: before.version });
    expect(without.servers).toHaveLength(2);
    expect(without.version.greaterThan(before.version)).toBe(true);
    await clients.zk.sync();
    expect(await clients.zk.getConfig()).toEqual(without);
    const again = await superUser.reconfig({ joining: [line], fromVersion: without.version });
    expect(again.servers.map((server) => server.line).sort()).toEqual(before.servers.map((each) => each.line).sort());
  });

  needs('getConfig', 'reconfig')('tells watches of the configuration, with its path', async () => {
    const id = idOf(followers()[1]);
    const line = await lineOf(id);
    const [rooted, oneShot] = [new Recorder(), new Recorder()];
    await clients.zk.chroot('/x').getConfig({ watch: rooted.tell });
    await clients.zk.getConfig({ watch: oneShot.tell });
    await changeRole(line, 'observer');
    await clients.zk.sync();
    const { servers } = await clients.zk.getConfig();
    expect(servers.find((server) => server.id === id)?.role).toBe('observer');
    await changeRole(line, 'participant');
    await clients.zk.sync();
    expect([rooted.seen, oneShot.seen]).toEqual([['dataChanged /zookeeper/config'], ['dataChanged /zookeeper/config']]);
  });

  needs('getConfig', 'reconfig')('replaces all members at once', async () => {
    const { servers } = await superUser.getConfig();
    const gone = idOf(followers()[0]);
    const rest = servers.filter(({ id }) => id !== gone).map(({ line }) => line);
    const config = await superUser.reconfig({ members: rest });
    expect(config.servers.map(({ line }) => line).sort()).toEqual(rest.sort());
    await superUser.reconfig({ members: servers.map(({ line }) => line) });
    expect(await serverIds()).toEqual([1, 2, 3]);
  });

  const path = '/zookeeper/config';

  needs('getConfig', 'reconfig')('from another version is BadVersionError', async () => {
    const { version } = await superUser.getConfig();
    const wrong = superUser.reconfig({ leaving: [idOf(followers()[0])], fromVersion: version.add(1) });
    await expect(wrong).rejects.toThrow(BadVersionError);
    await expect(wrong).rejects.toMatchObject({ serverCode: -103, operation: 'reconfig', path });
    expect(await serverIds()).toEqual([1, 2, 3]);
  });

  needs('getConfig', 'reconfig')('by anybody but a super user is NoAuthError', async () => {
    const refused = clients.zk.reconfig({ leaving: [idOf(followers()[0])] });
    await expectFailure(refused, NoAuthError);
    await expect(refused).rejects.toMatchObject({ serverCode: -102, operation: 'reconfig', path });
  });

  needs('getConfig', 'reconfig')('to what is no server is BadArgumentsError', async () => {
    const refused = superUser.reconfig({ joining: ['server.9=nonsense'] });
    await expectFailure(refused, BadArgumentsError);
    await expect(refused).rejects.toMatchObject({ serverCode: -8, operation: 'reconfig', path });
  });

  needs('getConfig', 'reconfig')('to servers of which most are not there is NewConfigNoQuorumError', async () => {
    const line = await lineOf(idOf(leader));
    const absent = [8, 9].map((id) => `server.${id}=127.0.0.1:${id}:1${id}:participant;127.0.0.1:2${id}`);
    const refused = superUser.reconfig({ members: [line, ...absent] });
    await expect(refused).rejects.toThrow(NewConfigNoQuorumError);
    await expect(refused).rejects.toMatchObject({ serverCode: -13, operation: 'reconfig', path });
    expect(await serverIds()).toEqual([1, 2, 3]);
  });

  needs('getConfig', 'reconfig')('while another one is under way is ReconfigInProgressError', async () => {
    const id = idOf(followers()[0]);
    const line = await lineOf(id);
    const next = leader.nextMembersFile;
    expect(existsSync(next)).toBe(false);
    // While no follower acknowledges the first change, it stays under way: the leader has written down that it is.
    for (const follower of followers()) follower.pause();
    const first = superUser.reconfig({ joining: [line.replace(':participant', ':observer')] });
    await until(() => existsSync(next), { what: 'the reconfiguration to begin' });
    const second = superUser.reconfig({ leaving: [id] });
    second.catch(() => undefined);
    await until(async () => (await outstanding()) >= 2, { what: 'the second request to arrive' });
    // The leader looks at requests one by one: when it answers this one, it has refused the second.
    await clients.zk.has('/');
    for (const follower of followers()) follower.resume();
    await expect(second).rejects.toThrow(ReconfigInProgressError);
    await expect(second).rejects.toMatchObject({ serverCode: -14, operation: 'reconfig', path });
    expect((await first).servers.find((server) => server.id === id)?.role).toBe('observer');
    await haveRoles(1);
    await changeRole(line, 'participant');
  });
});

describe('clients at different servers', () => {
  beforeAll(() => haveRoles(0));

  it('see what the others have written, after a sync', async () => {
    const folder = await clients.folder();
    const members = await Promise.all(followers().map((server) => clients.at(server)));
    for (const [round, writer] of [clients.zk, ...members, clients.zk, ...members].entries()) {
      await writer.setData(folder, String(round));
      const readers = [clients.zk, ...members];
      const seen = await Promise.all(
        readers.map(async (reader) => {
          await reader.sync(folder);
          return (await reader.getData(folder)).text();
        }),
      );
      expect(seen).toEqual(readers.map(() => String(round)));
    }
  });

  needs('addWatch')('are told of changes by their watches', async () => {
    const folder = await clients.folder();
    const [follower] = followers();
    if (follower === undefined) throw new Error('there is no follower');
    const member = await clients.at(follower);
    await member.sync(folder);
    const [recorder, ephemeral] = [new Recorder(), new Recorder()];
    await member.addWatch(folder, { recursive: true, onEvent: recorder.tell });
    await clients.zk.create(`${folder}/a`);
    await clients.zk.delete(`${folder}/a`);
    await member.sync(folder);
    expect(recorder.seen).toEqual([`created ${folder}/a`, `deleted ${folder}/a`]);
    await member.create(`${folder}/e`, null, { mode: 'ephemeral' });
    await clients.zk.sync(folder);
    await clients.zk.exists(`${folder}/e`, { watch: ephemeral.tell });
    await member.close();
    await clients.zk.sync();
    expect(ephemeral.seen).toEqual([`deleted ${folder}/e`]);
  });
});
