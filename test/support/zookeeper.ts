/** Real ZooKeeper servers for tests: one that stands alone, or an ensemble. Each test file closes what it started. */
import { startMembers, type ZooKeeperServer } from './zookeeper-process.cjs';
import { until } from './until.js';

export { startServer, superAuth, ZooKeeperServer } from './zookeeper-process.cjs';

/** Options of the servers; see `zookeeper-settings.cjs` for their defaults. `homes`: the ZooKeeper of each member. */
export type EnsembleOptions = NonNullable<Parameters<typeof startMembers>[1]>;

/** Several servers that vote. Reconfiguration is enabled; it needs `superAuth` or `skipACL`. */
export class Ensemble {
  /** @param servers by their ids: `servers[0]` is server 1 */
  constructor(readonly servers: readonly ZooKeeperServer[]) {}

  /** All members, in the order of their ids. */
  get connectString(): string {
    return this.servers.map((server) => server.connectString).join(',');
  }

  /** The leader, waiting for an election if one is under way. */
  async leader(): Promise<ZooKeeperServer> {
    return until(async () => (await this.withMode('leader'))[0], { what: 'a leader' });
  }

  /** Those that follow the leader at this moment. */
  async followers(): Promise<ZooKeeperServer[]> {
    return this.withMode('follower');
  }

  /** Resolves when every server that runs also serves. */
  async ready(): Promise<void> {
    await Promise.all(this.servers.filter((server) => server.running).map((server) => server.ready()));
  }

  /** Ends all members in an orderly way; their data stay. */
  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()));
  }

  /** Starts the members that do not run, and waits until all serve. */
  async start(): Promise<void> {
    await Promise.all(this.servers.filter((server) => !server.running).map((server) => server.launch()));
    await this.ready();
  }

  /** Ends all members for good and deletes what they left. */
  async close(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.close()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private async withMode(mode: string): Promise<ZooKeeperServer[]> {
    const modes = await Promise.all(this.servers.map((server) => server.mode()));
    return this.servers.filter((_, index) => modes[index] === mode);
  }
}

/** Starts an ensemble of `count` servers on free ports. Resolves when all of them serve. */
export async function startEnsemble(count: number, options: EnsembleOptions = {}): Promise<Ensemble> {
  return new Ensemble(await startMembers(count, options));
}
