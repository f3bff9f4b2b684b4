import { childPath, type ZooKeeper } from 'zookit';
import { canTryAgain, defer, type Deferred, pause } from '../common/waiting.js';
import { LeaderLatch } from '../leaders/leader-latch.js';
import type { Leadership } from '../leaders/leadership.js';
import { type AgentJournal, messageOf } from './agent-journal.js';
import type { DockerEngine } from './docker-engine.js';
import { DockerEngineError } from './errors.js';
import type { SwarmNode, SwarmService } from './swarm-report.js';

/** How many znodes are written in one transaction: well below what a server takes at once. */
const AT_ONCE = 50;
/** How often the engine may refuse before another manager is let publish: this one may be cut off from the Swarm. */
const PATIENCE = 10;

/** How a {@link SwarmPublisher} behaves. */
export interface SwarmPublisherOptions {
  readonly path: string;
  /** The id of the own node: who publishes, for others to read. */
  readonly node: string;
  /** Whether the labels of nodes and services are published, too. */
  readonly publishLabels: boolean;
}

/** What is published, by path. */
type Tree = ReadonlyMap<string, string>;

/**
 * Publishes the nodes and services of a Swarm, as a manager knows them: `PATH/nodes/<id>` and `PATH/services/<name>`,
 * persistent, JSON. Of all managers' agents the one that leads at `PATH/publisher` writes, and the server refuses its
 * writes when it leads no more.
 */
export class SwarmPublisher {
  readonly #latch: LeaderLatch;
  readonly #closing = new AbortController();
  #changed: Deferred<void> = defer();
  #done: Promise<void> | undefined;
  #isPublishing = false;
  /** What is published; undefined where that has to be read. */
  #known: Tree | undefined;

  constructor(
    private readonly zk: ZooKeeper,
    private readonly engine: DockerEngine,
    private readonly options: SwarmPublisherOptions,
    private readonly journal: AgentJournal,
  ) {
    this.#latch = new LeaderLatch(zk, publisherPath(options.path), { id: options.node });
  }

  /** Whether this agent is the one that publishes. */
  get isPublishing(): boolean {
    return this.#isPublishing;
  }

  /** Begins to stand. */
  start(): this {
    this.#done ??= this.#run();
    return this;
  }

  /** Something of the Swarm has changed, or may have. */
  readonly wake = (): void => {
    this.#changed.resolve();
  };

  /** Looks at everything again: also at what is published, which somebody may have changed. */
  resync(): void {
    this.#known = undefined;
    this.wake();
  }

  /** Stands no more. What is published stays. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.wake();
    await this.#latch.close();
    await this.#done;
  }

  async #run(): Promise<void> {
    try {
      for await (const term of this.#latch.terms()) {
        this.journal.info('publishes the nodes and services of the Swarm');
        this.#isPublishing = true;
        await this.#serve(term);
        this.#isPublishing = false;
        this.journal.info('publishes the Swarm no more');
      }
    } catch (error) {
      this.journal.setProblems('swarm', [`it cannot be published: ${messageOf(error)}`]);
    } finally {
      this.#isPublishing = false;
    }
  }

  /** Keeps what is published in line with the Swarm until the term is over. */
  async #serve(term: Leadership): Promise<void> {
    term.signal.addEventListener('abort', this.wake, { once: true });
    this.#known = undefined;
    for (let failures = 0; term.held && !this.#closing.signal.aborted;) {
      // What changes while it is looked up counts as changed after it.
      this.#changed = defer();
      try {
        await this.#publish(term);
        failures = 0;
        this.journal.setProblems('swarm', []);
        await this.#changed.promise;
      } catch (error) {
        if (!term.held || this.#closing.signal.aborted) return;
        this.#known = undefined;
        failures += 1;
        await this.#recover(term, error, failures);
      }
    }
  }

  async #recover(term: Leadership, error: unknown, failures: number): Promise<void> {
    // Where somebody has interfered, the next look sees how things are.
    if (failures > 2) this.journal.setProblems('swarm', [`it cannot be published: ${messageOf(error)}`]);
    const isOfEngine = error instanceof DockerEngineError;
    if (isOfEngine && failures >= PATIENCE) await term.release();
    else if (isOfEngine || canTryAgain(this.zk, error) || failures <= 2) await pause(this.zk, failures, term.signal);
    else await this.#changed.promise;
  }

  async #publish(term: Leadership): Promise<void> {
    const options = { signal: this.#closing.signal };
    const [nodes, services, networks, known] = await Promise.all([
      this.engine.nodes(options),
      this.engine.services(options),
      this.engine.networks(options),
      this.#known ?? this.#read(),
    ]);
    const names = new Map(networks.map(({ id, name }) => [id, name]));
    const wanted = treeOf(this.options, nodes, services, names);
    const changes = changesOf(known, wanted);
    for (let at = 0; at < changes.length; at += AT_ONCE) await this.#write(term, changes.slice(at, at + AT_ONCE));
    this.#known = wanted;
    if (changes.length > 0) this.journal.debug(`published ${changes.length} changes of the Swarm`);
  }

  async #write(term: Leadership, changes: readonly PublishedChange[]): Promise<void> {
    const transaction = this.zk.transaction();
    for (const { path, data, isNew } of changes) {
      if (data === undefined) transaction.delete(path);
      else if (isNew) transaction.create(path, data);
      else transaction.setData(path, data);
    }
    await term.guard(transaction).commit();
  }

  /** What stands there now, with all that the one who led before has written. */
  async #read(): Promise<Tree> {
    const lists = await Promise.all(
      foldersOf(this.options.path).map(async (folder) => {
        await this.zk.ensurePath(folder);
        await this.zk.sync(folder);
        const children = await this.zk.getChildrenData(folder);
        return [...children].map(([name, node]): [string, string] => [childPath(folder, name), node.text()]);
      }),
    );
    return new Map(lists.flat());
  }
}

/** Where those who may publish stand in line. */
export function publisherPath(swarmPath: string): string {
  return childPath(swarmPath, 'publisher');
}

function foldersOf(path: string): readonly [nodes: string, services: string] {
  return [childPath(path, 'nodes'), childPath(path, 'services')];
}

/** Exported for its unit test. */
export function treeOf(
  { path, publishLabels }: Pick<SwarmPublisherOptions, 'path' | 'publishLabels'>,
  nodes: readonly SwarmNode[],
  services: readonly SwarmService[],
  networkNames: ReadonlyMap<string, string>,
): Tree {
  const [nodesPath, servicesPath] = foldersOf(path);
  const entries: [string, object][] = [
    ...nodes.map((node): [string, object] => [
      childPath(nodesPath, node.id),
      publishLabels ? node : { ...node, labels: {} },
    ]),
    ...services.map((service): [string, object] => {
      const networks = service.networks.map((id) => networkNames.get(id) ?? id);
      const labels = publishLabels ? {} : { labels: {}, containerLabels: {} };
      return [childPath(servicesPath, service.name), { ...service, networks, ...labels }];
    }),
  ];
  return new Map(entries.map(([at, value]) => [at, JSON.stringify(value)]));
}

/** A write that brings what is published in line. Without data: a deletion. */
export interface PublishedChange {
  readonly path: string;
  readonly data: string | undefined;
  readonly isNew: boolean;
}

/** Exported for its unit test. */
export function changesOf(known: ReadonlyMap<string, string>, wanted: ReadonlyMap<string, string>): PublishedChange[] {
  const written = [...wanted]
    .filter(([path, data]) => known.get(path) !== data)
    .map(([path, data]) => ({ path, data, isNew: !known.has(path) }));
  const gone = [...known.keys()].filter((path) => !wanted.has(path));
  return [...written, ...gone.map((path) => ({ path, data: undefined, isNew: false }))];
}
