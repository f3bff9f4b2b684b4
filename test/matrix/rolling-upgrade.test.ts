import { afterAll, describe, expect, it } from '@jest/globals';
import { ConnectionLossError, ZooKeeper } from 'zookit';
import { Mutex } from 'zookit/recipes';
import { until } from '../support/until.js';
import { type Ensemble, startEnsemble } from '../support/zookeeper.js';
import { splitHomes, versionOf } from '../support/zookeeper-homes.cjs';

// An upgrade is done member by member, on the same data, while everything goes on.

const homes = splitHomes(process.env.ZOOKIT_TEST_UPGRADE);

/** The newest ZooKeeper of a line of releases, `3.8`, among those of the matrix. */
function homeOf(line: string): { home: string; version: string } {
  const found = homes
    .map((home) => ({ home, version: versionOf(home) }))
    .filter(({ version }) => version.startsWith(`${line}.`));
  const newest = found.sort((a, b) => b.version.localeCompare(a.version, 'en', { numeric: true }))[0];
  if (newest === undefined) throw new Error(`ZOOKIT_TEST_UPGRADE names no ZooKeeper ${line}: run npm run test:matrix`);
  return newest;
}

/** Something that is done again and again until the test is over. */
class Work {
  rounds = 0;
  private over = false;
  private readonly done: Promise<void>;

  constructor(round: (index: number) => Promise<void>) {
    this.done = (async () => {
      while (!this.over) await round(this.rounds++);
    })();
    // Whoever waits for progress in vain looks here.
    this.done.catch(() => undefined);
  }

  /** Resolves when it has gone on for a few rounds from now. */
  async goesOn(what: string): Promise<void> {
    const from = this.rounds;
    await Promise.race([until(() => this.rounds >= from + 3, { what, timeout: 60_000 }), this.done]);
  }

  async end(): Promise<void> {
    this.over = true;
    await this.done;
  }
}

const connect = (ensemble: Ensemble): Promise<ZooKeeper> =>
  ZooKeeper.connect(ensemble.connectString, { sessionTimeout: 30_000, connectTimeout: 60_000 });

const clients: ZooKeeper[] = [];
afterAll(() => Promise.all(clients.map((zk) => zk.close({ timeout: 1_000 }))));

const [old, young] = [homeOf('3.8'), homeOf('3.9')];

describe(`a rolling upgrade from ${old.version} to ${young.version}`, () => {
  it('loses no acknowledged write, no session, no lock, no ephemeral znode and no final state of a watch', async () => {
    await using ensemble = await startEnsemble(3, { home: old.home });
    for (let count = 0; count < 5; count++) clients.push(await connect(ensemble));
    const [writer, watcher, first, second, truth] = clients as [ZooKeeper, ZooKeeper, ZooKeeper, ZooKeeper, ZooKeeper];
    const sessions = clients.map((zk) => zk.session.id.toString());
    const ends: string[] = [];
    for (const zk of clients)
      zk.on('session', ({ type }) => (type === 'lost' || type === 'expired' ? ends.push(type) : undefined));

    // Writes, of which those count that were acknowledged.
    await writer.ensurePath('/writes');
    const acknowledged: string[] = [];
    const writing = new Work(async (index) => {
      try {
        acknowledged.push((await writer.create(`/writes/${index}`, String(index))).name);
      } catch (error) {
        if (!(error instanceof ConnectionLossError)) throw error;
      }
    });

    // A lock, held by one at a time, with tokens that grow.
    const holders = new Set<string>();
    const tokens: bigint[] = [];
    const overlaps: string[] = [];
    const contend = (name: string, zk: ZooKeeper): Work =>
      new Work(async () => {
        await using lock = await new Mutex(zk, '/lock').acquire();
        if (holders.size > 0) overlaps.push(`${name} beside ${[...holders].join()}`);
        holders.add(name);
        tokens.push(BigInt(lock.fencingToken.toString()));
        // Elsewhere than the lock's own client: this waits for an answer while the lock is held.
        await truth.has('/lock');
        if (!lock.held) overlaps.push(`${name} has lost the lock`);
        holders.delete(name);
      });
    const contending = [contend('first', first), contend('second', second)];

    // Watches of both kinds, and an ephemeral znode.
    const { czxid } = (await watcher.create('/mine', null, { mode: 'ephemeral', stat: true })).stat;
    await watcher.create('/state', 'before');
    const seen = { persistent: '', oneShot: '' };
    const look = async (): Promise<void> => {
      seen.persistent = (await watcher.getData('/state')).text();
    };
    await watcher.addWatch('/state', { onEvent: (event) => void (event.type !== 'ended' && look()) });
    const lookAgain = async (): Promise<void> => {
      seen.oneShot = (
        await watcher.getData('/state', { watch: (event) => void (event.type !== 'ended' && lookAgain()) })
      ).text();
    };
    await lookAgain();

    const leader = await ensemble.leader();
    const order = [...ensemble.servers.filter((server) => server !== leader), leader];
    for (const member of order) {
      await member.upgrade(young.home);
      expect(await member.version()).toBe(young.version);
      await until(async () => (await truth.setData('/state', `member ${member.id}`)).version > 0, {
        what: 'a leader',
        timeout: 60_000,
      });
      await until(() => seen.persistent === `member ${member.id}` && seen.oneShot === `member ${member.id}`, {
        what: `the watches to tell of member ${member.id}; they have told ${JSON.stringify(seen)}`,
      });
      await writing.goesOn('writes');
      for (const work of contending) await work.goesOn('locks');
    }
    for (const work of [writing, ...contending]) await work.end();

    await truth.sync('/');
    const kept = new Set(await truth.getChildren('/writes'));
    expect(acknowledged.filter((name) => !kept.has(name))).toEqual([]);
    expect(acknowledged.length).toBeGreaterThan(9);
    expect([overlaps, ends]).toEqual([[], []]);
    expect(tokens).toEqual([...new Set(tokens)].sort((a, b) => (a < b ? -1 : 1)));
    expect((await truth.exists('/mine'))?.czxid).toEqual(czxid);
    expect(clients.map((zk) => zk.session.id.toString())).toEqual(sessions);
  }, 180_000);
});
