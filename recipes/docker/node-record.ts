import { childPath, type Long, NoNodeError, type ZooKeeper } from 'zookit';
import { defer, type Deferred } from '../common/waiting.js';
import { untilItCan } from '../members/node-place.js';
import { PersistentNode } from '../members/persistent-node.js';

/** What an agent says of its node. */
export interface AgentSelf {
  readonly hostname: string;
  readonly address: string | null;
  readonly zone: string | null;
}

/** What is left of an agent that was on this node before: its session lives on for a while, and its registrations with it. */
export interface FormerAgent {
  readonly session: Long;
  /** The services that it had registered instances of. */
  readonly services: readonly string[];
}

/**
 * The znode that says that an agent is on a node, ephemeral: `PATH/<node>`. It names the services that the agent registers
 * instances of, so that the next one finds what is left of this one. It goes, or is taken over, with what it speaks of.
 */
export class NodeRecord {
  #services = new Set<string>();
  readonly #failure: Deferred<never> = defer<never>();
  #node: PersistentNode | undefined;
  #self: AgentSelf | undefined;
  #opened: Promise<FormerAgent | undefined> | undefined;

  /** Does not connect. */
  constructor(
    private readonly zk: ZooKeeper,
    private readonly path: string,
  ) {}

  /** Rejects when another agent has taken the place, or it can be had no more. */
  get failure(): Promise<never> {
    return this.#failure.promise;
  }

  /**
   * Puts the record of a node up, or changes what it says. Resolves, with who was there before, as soon as ZooKeeper has been
   * asked. @throws as {@link failure} says.
   */
  async open(node: string, self: AgentSelf): Promise<FormerAgent | undefined> {
    this.#self = self;
    this.#opened ??= this.#open(node);
    const former = await this.#opened;
    await this.#publish();
    return former;
  }

  /** Names a service, before an instance of it is registered. */
  async mention(service: string, signal: AbortSignal): Promise<void> {
    this.#services.add(service);
    await this.#opened;
    await this.#publish(signal);
  }

  /** Forgets all services but these. It is written with the next change. */
  retain(services: readonly string[]): void {
    this.#services = new Set(services);
  }

  /** Takes it away, or leaves it to the session. */
  async close({ leave }: { readonly leave: boolean }): Promise<void> {
    await this.#node?.close({ keep: leave });
  }

  async #open(node: string): Promise<FormerAgent | undefined> {
    const path = childPath(this.path, node);
    const former = await untilItCan(this.zk, () => formerAt(this.zk, path));
    // They are mentioned until the registrations of before are gone: the agent may end before.
    for (const service of former?.services ?? []) this.#services.add(service);
    this.#node = new PersistentNode(this.zk, path, this.#data()).start();
    void this.#follow(this.#node);
    return former?.session.equals(this.zk.session.id) === true ? undefined : former;
  }

  async #publish(signal?: AbortSignal): Promise<void> {
    const data = this.#data();
    if (this.#node?.data === data) await this.#node.published({ signal });
    else await this.#node?.setData(data, { signal });
  }

  #data(): string {
    return JSON.stringify({ ...this.#self, services: [...this.#services].sort() });
  }

  async #follow(node: PersistentNode): Promise<void> {
    try {
      for await (const _state of node);
    } catch (error) {
      this.#failure.reject(error);
    }
  }
}

async function formerAt(zk: ZooKeeper, path: string): Promise<FormerAgent | undefined> {
  try {
    const { stat, data } = await zk.getData(path, { sync: true });
    return { session: stat.ephemeralOwner, services: servicesIn(data) };
  } catch (error) {
    if (error instanceof NoNodeError) return undefined;
    throw error;
  }
}

/** What is no record of ours mentions nothing. */
function servicesIn(data: Buffer): string[] {
  try {
    const { services } = JSON.parse(data.toString('utf8')) as { services?: unknown };
    return Array.isArray(services) ? services.filter((each) => typeof each === 'string') : [];
  } catch {
    return [];
  }
}
