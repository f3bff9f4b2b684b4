import { setMaxListeners } from 'node:events';
import { checkPath, childPath, type WaitOptions, type ZooKeeper } from 'zookit';
import { checkNames } from '../common/options.js';
import { after, defer, Wait } from '../common/waiting.js';
import type { RegisteredService } from '../services/registered-service.js';
import { ServiceRegistry } from '../services/service-registry.js';
import { AgentJournal, messageOf } from './agent-journal.js';
import {
  type DockerAgentOptions,
  optionNames,
  resolveAgentOptions,
  type ResolvedAgentOptions,
} from './agent-options.js';
import { type DockerAgentStatus, statusOf } from './agent-status.js';
import { ContainerFollower, type NodeAddress } from './container-follower.js';
import { DockerEngine } from './docker-engine.js';
import type { EngineEvent } from './engine-event.js';
import type { EngineInfo } from './engine-report.js';
import { EventFollower } from './event-follower.js';
import { KeptInstance } from './kept-instance.js';
import { type FormerAgent, NodeRecord } from './node-record.js';
import { removeChildren, removeOrphans } from './orphans.js';
import { publisherPath, SwarmPublisher } from './swarm-publisher.js';
import { registrationOf, type WantedInstance } from './wanted-instance.js';

/**
 * Registers the containers of one Docker engine as instances of services, by their labels, and on a manager of a Swarm
 * publishes its nodes and services: for services that cannot embed this library. One agent a node.
 *
 * Znodes: `BASE/<service>/<id>`, as {@link ServiceRegistry} has them, where the id is that of the Swarm's task, else that of
 * the container; `SWARM/agents/<node>`, ephemeral: that the agent is there; `SWARM/nodes/<id>` and `SWARM/services/<name>`,
 * persistent; `SWARM/publisher`: which of the managers' agents writes these.
 *
 * - While connected: what runs, and passes its health check if it has one, is registered; what was told to stop is not
 *   enabled any more; what has ended is gone.
 * - While ZooKeeper is away: registrations stand as long as the session lives. What happens meanwhile is done when it is
 *   there again.
 * - After an expiry: all is registered again in the new session.
 * - While the engine is away: all stays as it is. When it is back, everything is looked at again.
 */
export class DockerAgent implements AsyncDisposable {
  readonly #zk: ZooKeeper;
  readonly #options: ResolvedAgentOptions;
  readonly #engine: DockerEngine;
  readonly #registry: ServiceRegistry;
  readonly #journal: AgentJournal;
  readonly #closing = new AbortController();
  readonly #containers: ContainerFollower;
  readonly #events: EventFollower;
  readonly #record: NodeRecord;
  readonly #ready = defer();
  readonly #ended = defer();
  #info: EngineInfo | undefined;
  #isConnected = false;
  #publisher: SwarmPublisher | undefined;
  #run: Promise<void> | undefined;
  /** Whether what an agent before has left was looked at. */
  #settling: 'not yet' | 'under way' | 'done' = 'not yet';
  #closed: Promise<void> | undefined;
  /** The reconciliation under way, and whether another one is to follow. */
  #reconciling: Promise<void> | undefined;
  #isDue = false;
  #stopTimer: () => void = () => undefined;

  /** @throws InvalidPathError, InvalidArgumentError. Connects with {@link start}. */
  constructor(zk: ZooKeeper, options: DockerAgentOptions = {}) {
    checkNames(options, optionNames, { operation: 'DockerAgent', path: '/' });
    this.#zk = zk;
    this.#options = resolveAgentOptions(options);
    checkPath(this.#options.swarmPath, 'DockerAgent');
    this.#engine = new DockerEngine(this.#options.dockerHost);
    this.#registry = new ServiceRegistry(zk, { basePath: this.#options.basePath });
    this.#journal = new AgentJournal(this.#options.logger);
    const { signal } = this.#closing;
    // As many as there are containers are asked for at once.
    setMaxListeners(0, signal);
    this.#containers = new ContainerFollower(this.#engine, (wish) => this.#keep(wish), this.#journal, signal);
    const listener = {
      connected: () => this.#onConnected(),
      hear: (event: EngineEvent) => this.#onEvent(event),
      malformed: (error: Error) => this.#onMalformed(error),
      disconnected: (error: unknown) => this.#onDisconnected(error),
    };
    this.#events = new EventFollower(this.#engine, listener, signal);
    this.#record = new NodeRecord(zk, childPath(this.#options.swarmPath, 'agents'));
    this.#record.failure.catch((error: unknown) => this.#fail(error));
  }

  /** Begins. Returns itself; calling it again changes nothing. */
  start(): this {
    this.#run ??= this.#events.run(this.#zk);
    return this;
  }

  /**
   * Resolves when the engine was asked for the first time, and all that follows from it is done: registered is what is
   * to be, and gone what is left of an agent before.
   *
   * @throws OperationTimeoutError, AbortedError when the wait is ended; ClosedError; what has ended the agent.
   */
  async ready(options: WaitOptions = {}): Promise<void> {
    using wait = new Wait(options, { operation: 'DockerAgent.ready', path: this.#options.basePath });
    await wait.race(Promise.race([this.#ready.promise, this.#ended.promise]));
  }

  /**
   * Resolves when the agent was closed. @throws what has ended it: OwnedByOtherError when another agent has come to this
   * node, AuthFailedError, ClosedError, NoAuthError.
   */
  done(): Promise<void> {
    return this.#ended.promise;
  }

  /** What it does now, and what it has done. Asks nobody. */
  get status(): DockerAgentStatus {
    const publishesSwarm = this.#publisher?.isPublishing === true;
    const state = { node: this.#info?.node, followsEngine: this.#isConnected, publishesSwarm };
    return statusOf(state, this.#containers.instances, this.#journal);
  }

  /**
   * Ends it. All that it has registered is unregistered; with `leave: true` it stays for the agent that comes next, as long
   * as the session lives: close the client with `keepSession` then. What was told to stop is unregistered all the same.
   * What is published of the Swarm stays. Resolves when that is done, while disconnected after the reconnect. Never rejects.
   */
  close({ leave = false }: { readonly leave?: boolean } = {}): Promise<void> {
    this.#closed ??= this.#end(leave);
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #end(leave: boolean): Promise<void> {
    this.#closing.abort();
    this.#stopTimer();
    await this.#run;
    await this.#reconciling;
    await this.#publisher?.close();
    const { instances } = this.#containers;
    for (const instance of instances) {
      if (leave && instance.wish?.enabled === true) instance.leave();
      else instance.want(undefined);
    }
    await Promise.all(instances.map((instance) => instance.settled()));
    // An error here says that it belongs to somebody else, or that the client is closed: it is gone.
    await this.#record.close({ leave }).catch(() => undefined);
    this.#ended.resolve();
  }

  #fail(error: unknown): void {
    if (this.#closing.signal.aborted) return;
    this.#journal.error(`ended: ${messageOf(error)}`);
    this.#ended.reject(error);
    this.#closing.abort();
    this.#stopTimer();
    for (const instance of this.#containers.instances) instance.leave();
  }

  #onConnected(): void {
    this.#isConnected = true;
    this.#journal.setProblems('engine', []);
    this.#journal.info(`follows the engine at ${this.#options.dockerHost}`);
    this.#reconcile();
  }

  #onEvent(event: EngineEvent): void {
    if (event.type === 'node' || event.type === 'service') {
      this.#publisher?.wake();
      // Only managers hear of these: this one has become one, or its own role has changed.
      if (this.#publisher === undefined || event.id === this.#info?.node) this.#reconcile();
    } else this.#containers.hear(event);
  }

  #onMalformed(error: Error): void {
    this.#journal.count('malformedEvents');
    this.#journal.warn(`${error.message}; looks at everything again`);
    this.#reconcile();
  }

  #onDisconnected(error: unknown): void {
    if (this.#isConnected) this.#journal.count('engineLosses');
    this.#isConnected = false;
    this.#journal.setProblems('engine', [messageOf(error)]);
  }

  /** Looks at everything, now or after the look that is under way. */
  #reconcile(): void {
    if (this.#closing.signal.aborted) return;
    this.#isDue = true;
    this.#reconciling ??= this.#reconcileWhileDue();
  }

  async #reconcileWhileDue(): Promise<void> {
    while (this.#isDue && !this.#closing.signal.aborted) {
      this.#isDue = false;
      try {
        await this.#lookAtAll();
      } catch (error) {
        // With the engine gone, its next connection brings the next look.
        if (!this.#closing.signal.aborted) this.#journal.warn(`could not look at everything: ${messageOf(error)}`);
      }
    }
    this.#reconciling = undefined;
    this.#stopTimer();
    if (!this.#closing.signal.aborted) this.#stopTimer = after(this.#options.resync, () => this.#reconcile());
  }

  async #lookAtAll(): Promise<void> {
    const info = await this.#engine.info({ signal: this.#closing.signal });
    this.#info = info;
    const node = this.#addressOf(info);
    // In the background: the engine is followed while ZooKeeper is away, too.
    const opened = this.#record.open(info.node, {
      ...{ hostname: info.hostname, address: node.address ?? null, zone: node.zone },
    });
    opened.catch((error: unknown) => this.#fail(error));
    await this.#setPublisher(info);
    await this.#containers.reconcile(node);
    if (this.#settling === 'done') this.#record.retain(this.#containers.instances.map(({ service }) => service));
    if (this.#settling !== 'not yet') return;
    this.#settling = 'under way';
    void this.#settle(opened);
  }

  #addressOf(info: EngineInfo): NodeAddress {
    const { nodeAddress, zone, network } = this.#options;
    return {
      address: nodeAddress ?? (info.address || undefined),
      zone: zone ?? info.labels['zookit.zone'] ?? null,
      network,
    };
  }

  /** Once: what an agent before has left is tidied away, and whoever waits is told. */
  async #settle(opened: Promise<FormerAgent | undefined>): Promise<void> {
    try {
      const former = await opened;
      if (former !== undefined) await this.#tidy(former);
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      this.#journal.warn(`what is left of an agent before stays until its session ends: ${messageOf(error)}`);
    }
    await Promise.all(this.#containers.instances.map((instance) => instance.settled()));
    this.#settling = 'done';
    this.#ready.resolve();
  }

  async #tidy(former: FormerAgent): Promise<void> {
    const isWanted = (service: string, id: string): boolean =>
      this.#containers.instances.some(({ wish }) => wish?.name === service && wish.id === id);
    await removeOrphans(this.#zk, this.#options.basePath, former, isWanted, (service, id) => {
      this.#journal.count('orphans');
      this.#journal.info(`unregistered ${service}/${id}, which an agent before has left`);
    });
    // Its place in the line of those who publish would keep the others waiting.
    await removeChildren(this.#zk, publisherPath(this.#options.swarmPath), former);
  }

  async #setPublisher(info: EngineInfo): Promise<void> {
    const publisher = this.#publisher;
    if (!info.isManager || !this.#options.publishSwarm) {
      this.#publisher = undefined;
      await publisher?.close();
    } else if (publisher !== undefined) publisher.resync();
    else {
      const { swarmPath, publishLabels } = this.#options;
      const options = { path: swarmPath, node: info.node, publishLabels };
      this.#publisher = new SwarmPublisher(this.#zk, this.#engine, options, this.#journal).start();
    }
  }

  #keep({ name, id }: WantedInstance): KeptInstance {
    const register = async (wish: WantedInstance, signal: AbortSignal): Promise<RegisteredService> => {
      // Before it stands: whoever comes after this agent is to find it.
      await this.#record.mention(name, signal);
      return this.#registry.register(registrationOf(wish), { signal });
    };
    return new KeptInstance(this.#zk, name, id, register, this.#journal);
  }
}
