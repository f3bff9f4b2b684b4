/** What callers of the example see, from outside of its networks. */
import { ZooKeeper } from 'zookit';
import {
  type ServiceInstance,
  type ServiceList,
  type ServiceProvider,
  ServiceRegistry,
  type SwarmTask,
} from 'zookit/recipes';
import { until } from '../support/until.js';
import { servers, type Stack } from './rig.js';
import type { Shop } from './shop.js';

/** What the tasks of the example register beside their address. */
export interface WebPayload {
  readonly version: string;
  readonly swarm: SwarmTask;
}

export class Observer {
  /** When an instance went off the list, ms since 1970. */
  readonly went = new Map<string, number>();
  /** ms from the registration of an instance until it was seen here, in the order in which they came. */
  readonly latencies: number[] = [];
  private readonly provider: ServiceProvider<WebPayload>;
  private readonly following: Promise<void>;

  private constructor(
    private readonly zk: ZooKeeper,
    private readonly shop: Shop,
  ) {
    this.provider = new ServiceRegistry(zk).provider<WebPayload>(shop.web);
    this.following = this.follow();
  }

  static async start(stack: Stack, shop: Shop): Promise<Observer> {
    return new Observer(await ZooKeeper.connect(servers, { sessionTimeout: 10_000, lookup: stack.lookup }), shop);
  }

  get list(): ServiceList<WebPayload> {
    return this.provider.list;
  }

  /** Resolves when so many tasks run and these are what callers see: nothing stale, nothing doubled, nothing missing. */
  async settled(count: number): Promise<readonly ServiceInstance<WebPayload>[]> {
    let running: string[] = [];
    return until(
      async () => {
        running = await this.shop.running();
        const { instances, stale } = this.list;
        const isSame = running.join() === ids(instances).join() && instances.every(({ enabled }) => enabled);
        return running.length === count && isSame && !stale && instances;
      },
      { what: `${count} tasks in the list`, timeout: 90_000, interval: 200 },
    ).catch((error: unknown) => {
      const seen = JSON.stringify(this.list.instances.map(({ id, enabled }) => ({ id, enabled })));
      throw new Error(`these run: ${running.join()}; callers see ${seen}`, { cause: error });
    });
  }

  async close(): Promise<void> {
    await this.provider.close();
    await this.following;
    await this.zk.close();
  }

  private async follow(): Promise<void> {
    for await (const { added, removed } of this.provider) {
      // One machine: the clock of this process is that of the tasks.
      for (const { registrationTimeUTC } of added) this.latencies.push(Date.now() - registrationTimeUTC);
      for (const { id } of removed) this.went.set(id, Date.now());
    }
  }
}

export function ids(instances: readonly ServiceInstance[]): string[] {
  return instances.map(({ id }) => id).sort();
}
