import type { ZooKeeper } from 'zookit';
import { until } from '../../support/until.js';
import { createdPath, LoadClient, type Locking, sharedPaths } from './load-client.js';
import { areCurrent, findProblems } from './verdict.js';

/** Operations of each client that must succeed before a fault counts as begun or as over. */
const ENOUGH = 40;

/** What a client leaves behind in a process if it leaves anything. */
function level(): Record<string, number> {
  const active = process.getActiveResourcesInfo();
  return {
    sockets: active.filter((each) => each === 'TCPSocketWrap').length,
    timers: active.filter((each) => each === 'Timeout').length,
    listeners: process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0),
  };
}

/** Several clients that work on the same znodes while a fault runs. */
export class Load {
  private readonly locking: Locking = { holders: new Map(), highest: 0n, taken: 0, problems: [] };

  private constructor(
    readonly clients: readonly LoadClient[],
    /** Sees the same part of the tree, over a link of its own. */
    private readonly observer: ZooKeeper,
    private readonly before: Record<string, number>,
  ) {}

  /** `connect` makes one client of the load; each has a session of its own. */
  static async start(observer: ZooKeeper, count: number, connect: () => Promise<ZooKeeper>): Promise<Load> {
    for (const path of [...sharedPaths, createdPath]) await observer.ensurePath(path);
    const before = level();
    const zks = await Promise.all(Array.from({ length: count }, connect));
    const clients: LoadClient[] = [];
    const load = new Load(clients, observer, before);
    clients.push(...zks.map((zk, index) => new LoadClient(zk, `c${index}`, load.locking)));
    await Promise.all(clients.map((client) => client.start()));
    await load.goesOn();
    return load;
  }

  /** The types of events that the clients have told so far, each once. */
  get told(): Set<string> {
    return new Set(this.clients.flatMap(({ events }) => events.types));
  }

  /** Resolves when every client has had enough answers to operations called from now on. */
  async goesOn(): Promise<void> {
    const goals = this.clients.map(({ history }) => history.answered + ENOUGH + history.open);
    await until(() => this.clients.every(({ history }, index) => history.answered >= goals[index]!), {
      what: 'answers for every client',
      timeout: 120_000,
    });
  }

  /** Stops the traffic and closes the clients. Resolves with all that was wrong: nothing, it is to be hoped. */
  async finish(): Promise<string[]> {
    await this.stop();
    const problems: string[] = this.locking.taken > 0 ? [] : ['nobody has ever had the lock'];
    const note = (error: unknown): void => void problems.push(String(error));
    await until(() => areCurrent(this.observer, this.clients), {
      what: 'watches to lead to the last values',
      timeout: 30_000,
    }).catch(note);
    problems.push(...(await findProblems(this.observer, this.clients)), ...this.locking.problems);
    await this.close();
    await until(() => Object.entries(level()).every(([name, now]) => now <= this.before[name]!), {
      what: `no more to be open than before: ${JSON.stringify(this.before)}`,
      timeout: 30_000,
    }).catch(note);
    return problems;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  private async stop(): Promise<void> {
    await Promise.all(this.clients.map((client) => client.stop()));
  }

  private async close(): Promise<void> {
    const stopped = this.stop();
    for (const { followers } of this.clients) for (const follower of followers) follower.stop();
    await Promise.all(this.clients.map(({ zk }) => zk.close({ timeout: 5_000 })));
    await stopped;
  }
}
