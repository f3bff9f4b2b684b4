import { type AgentJournal, messageOf } from './agent-journal.js';
import { isLabelled } from './container-labels.js';
import type { NodePlace } from './container-place.js';
import type { ContainerReport } from './container-report.js';
import type { DockerEngine } from './docker-engine.js';
import type { EngineEvent } from './engine-event.js';
import type { NetworkReport } from './engine-report.js';
import type { KeptInstance } from './kept-instance.js';
import { judge, signalMeans, type WantedInstance } from './wanted-instance.js';

/** A container that asks to be registered. */
interface Followed {
  readonly id: string;
  readonly instances: Map<string, KeptInstance>;
  report: ContainerReport | undefined;
  /** For the log. */
  subject: string;
  /** Whether it was told to stop, and has not ended yet. */
  isStopping: boolean;
  /** Grows with each thing that was heard: what was seen before then does not count. */
  heard: number;
  looking: Promise<void> | undefined;
}

/** Where the node is, without its networks, which are looked up here. */
export type NodeAddress = Omit<NodePlace, 'networks'>;

/**
 * Follows the containers of an engine: whatever is heard of one, it is looked at, and what its labels ask for is wished
 * for. That it was told to stop is heard only: no look shows it.
 */
export class ContainerFollower {
  readonly #followed = new Map<string, Followed>();
  #networks: ReadonlyMap<string, NetworkReport> = new Map();
  #node: NodeAddress = { address: undefined, zone: null, network: undefined };
  /** Containers that were told to stop before it was known that they ask to be registered. */
  readonly #stopping = new Set<string>();

  constructor(
    private readonly engine: DockerEngine,
    private readonly keep: (instance: WantedInstance) => KeptInstance,
    private readonly journal: AgentJournal,
    private readonly closing: AbortSignal,
  ) {}

  /** All instances, those too that are being unregistered. */
  get instances(): KeptInstance[] {
    return [...this.#followed.values()].flatMap(({ instances }) => [...instances.values()]);
  }

  /** Hears of an event. */
  hear({ type, action, id, attributes }: EngineEvent): void {
    if (type === 'network') {
      // An address may have come or gone.
      if (action === 'connect' || action === 'disconnect') this.#changed(attributes.container ?? '');
      return;
    }
    if (type !== 'container') return;
    const isKnown = this.#followed.has(id);
    if (!isKnown && !isLabelled(attributes)) return;
    if (action === 'kill') this.#signalled(id, attributes.signal ?? '');
    else if (action === 'die' || action === 'destroy') this.#ended(id);
    else if (action === 'start' || action === 'pause' || action === 'unpause' || action === 'health_status')
      void this.#look(this.#follow(id));
  }

  /**
   * Looks at all containers that run, and at those that did. Resolves when that is done, and what follows from it is wished
   * for. @throws DockerEngineError.
   */
  async reconcile(node: NodeAddress): Promise<void> {
    this.#node = node;
    await this.#lookUpNetworks();
    const listed = await this.engine.containers({ signal: this.closing });
    const labelled = listed.filter(({ labels }) => isLabelled(labels)).map(({ id }) => id);
    for (const id of this.#stopping) if (!labelled.includes(id)) this.#stopping.delete(id);
    // One that is not in the list may have started since.
    const ids = new Set([...labelled, ...this.#followed.keys()]);
    await Promise.all([...ids].map((id) => this.#look(this.#follow(id))));
    for (const instance of this.instances) instance.tryAgain();
  }

  #changed(id: string): void {
    const followed = this.#followed.get(id);
    if (followed !== undefined) void this.#look(followed);
  }

  #signalled(id: string, signal: string): void {
    const followed = this.#followed.get(id);
    const meaning = signalMeans(signal, followed?.report);
    if (meaning === 'nothing') return;
    if (meaning === 'end') return this.#ended(id);
    if (followed === undefined) {
      this.#stopping.add(id);
      return;
    }
    followed.isStopping = true;
    followed.heard += 1;
    if (followed.report !== undefined) this.#conclude(followed, followed.report);
  }

  /** Its process is gone, or about to be. */
  #ended(id: string): void {
    this.#stopping.delete(id);
    const followed = this.#followed.get(id);
    if (followed === undefined) return;
    followed.heard += 1;
    this.#conclude(followed, undefined);
  }

  #follow(id: string): Followed {
    const known = this.#followed.get(id);
    if (known !== undefined) return known;
    const followed: Followed = {
      ...{ id, instances: new Map(), report: undefined, heard: 0, looking: undefined },
      subject: `container ${id.slice(0, 12)}`,
      isStopping: this.#stopping.delete(id),
    };
    this.#followed.set(id, followed);
    return followed;
  }

  /** Looks at a container; if more is heard of it meanwhile, once more. Never rejects: each connection brings a look. */
  #look(followed: Followed): Promise<void> {
    followed.heard += 1;
    followed.looking ??= this.#lookUntilCurrent(followed);
    return followed.looking;
  }

  async #lookUntilCurrent(followed: Followed): Promise<void> {
    try {
      for (let seen = -1; seen !== followed.heard;) {
        seen = followed.heard;
        const report = await this.engine.container(followed.id, { signal: this.closing });
        if (report !== undefined && this.#hasUnknownNetwork(report)) await this.#lookUpNetworks();
        if (seen === followed.heard) this.#conclude(followed, report);
      }
    } catch (error) {
      if (!this.closing.aborted) this.journal.warn(`container ${followed.id}: ${messageOf(error)}`);
    } finally {
      followed.looking = undefined;
    }
  }

  #hasUnknownNetwork({ networks }: ContainerReport): boolean {
    return networks.some(({ id }) => id !== '' && !this.#networks.has(id));
  }

  async #lookUpNetworks(): Promise<void> {
    const networks = await this.engine.networks({ signal: this.closing });
    this.#networks = new Map(networks.map((network) => [network.id, network]));
  }

  /** Wishes for what follows from a container; undefined: it is gone. */
  #conclude(followed: Followed, report: ContainerReport | undefined): void {
    followed.report = report;
    if (report !== undefined) followed.subject = `container ${report.name} (${followed.id.slice(0, 12)})`;
    if (report?.running !== true) followed.isStopping = false;
    const verdict =
      report === undefined
        ? { instances: [], problems: [] }
        : judge(report, { ...this.#node, networks: this.#networks }, followed.isStopping);
    this.journal.setProblems(followed.subject, verdict.problems);
    const wanted = new Map(verdict.instances.map((instance) => [`${instance.name}/${instance.id}`, instance]));
    for (const [key, instance] of followed.instances) if (!wanted.has(key)) instance.want(undefined);
    for (const [key, wish] of wanted) {
      const instance = followed.instances.get(key) ?? this.keep(wish);
      followed.instances.set(key, instance);
      instance.want(wish);
    }
    if (report?.running !== true) void this.#forget(followed);
  }

  /** Forgets a container that does not run, when nothing of it is registered any more. */
  async #forget(followed: Followed): Promise<void> {
    const { heard } = followed;
    await Promise.all([...followed.instances.values()].map((instance) => instance.settled()));
    if (followed.heard === heard) this.#followed.delete(followed.id);
  }
}
