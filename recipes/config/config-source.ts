import type { ZNode, ZooKeeper } from 'zookit';
import { Mirror } from '../caches/mirror.js';
import { Scope } from '../caches/scope.js';
import { ZNodeTree } from '../caches/znode-tree.js';
import { isBesideConfig } from './stored-value.js';

/** How a configuration stands in znodes: in one, or in one and all below it. */
export type ConfigShape = 'value' | 'tree';

/** How changes are learned of, see the option of that name. */
export type ConfigWatches = 'auto' | 'oneShot';

/** Which znodes a source has. */
export interface SourceSpec {
  readonly path: string;
  readonly shape: ConfigShape;
  readonly watches: ConfigWatches;
}

/** Who is told of a source. */
export interface SourceFollower {
  /** It is what the server has had at one moment, after it was not. */
  settled(): void;
  /** Something of it has changed. */
  disturbed(): void;
  /** An error that does not pass has ended it. */
  failed(error: Error): void;
}

/** A znode of a source, as it was read. */
export interface SourceZNode {
  readonly path: string;
  readonly node: ZNode;
}

/** What a source has at a time. */
export interface Picture {
  /** Parents before their children; none where there is nothing. */
  readonly znodes: readonly SourceZNode[];
  /** What cannot be read: a part of the configuration is missing. */
  readonly unreadable: ReadonlyMap<string, Error>;
}

/** The sources in use, so that many who follow the same read it once. */
const inUse = new WeakMap<ZooKeeper, Map<string, ConfigSource>>();

/** One layer of configurations in ZooKeeper, followed for all of a client who want it. */
export class ConfigSource {
  /** The source for a path, which is made where nobody follows it yet. Give it back by {@link leave}. */
  static follow(zk: ZooKeeper, spec: SourceSpec, follower: SourceFollower): ConfigSource {
    let sources = inUse.get(zk);
    if (sources === undefined) inUse.set(zk, (sources = new Map<string, ConfigSource>()));
    const key = `${spec.shape} ${spec.watches} ${spec.path}`;
    let source = sources.get(key);
    if (source === undefined) {
      const shared = sources;
      const created = new ConfigSource(zk, spec, () => {
        if (shared.get(key) === created) shared.delete(key);
      });
      shared.set(key, created);
      created.#mirror.start();
      source = created;
    }
    source.#followers.add(follower);
    return source;
  }

  readonly #followers = new Set<SourceFollower>();
  readonly #mirror: Mirror;
  readonly #tree: ZNodeTree<Buffer>;
  readonly #unreadable = new Map<string, Error>();
  #revision = 0;

  private constructor(
    zk: ZooKeeper,
    { path, shape, watches }: SourceSpec,
    /** Whoever comes now needs another one. */
    private readonly retire: () => void,
  ) {
    const isTree = shape === 'tree';
    const scope = new Scope(path, isTree ? Infinity : 0, (each) => !isBesideConfig(each), true);
    this.#tree = new ZNodeTree<Buffer>(scope, {}, () => this.#revision++);
    this.#mirror = new Mirror(zk, scope, this.#tree, isTree ? watches : 'oneShot', {
      left: (at, error) => {
        this.#unreadable.set(at, error);
        this.#revision++;
      },
      loaded: () => undefined,
      currencyChanged: () => undefined,
      settled: () => {
        this.#forgetReadable();
        for (const follower of this.#followers) follower.settled();
      },
      disturbed: () => {
        for (const follower of this.#followers) follower.disturbed();
      },
      failed: (error) => {
        this.retire();
        for (const follower of this.#followers) follower.failed(error);
      },
    });
  }

  /** Whether it is what the server has had at one moment, and nothing is known to have changed since. */
  get isSettled(): boolean {
    return this.#mirror.isSettled;
  }

  /** Whether the server in use can read several znodes at one moment, as far as that is known. */
  get canBeCaptured(): boolean {
    return this.#mirror.isPersistent;
  }

  /** The paths that are known. */
  get paths(): string[] {
    return [...this.#tree.paths()];
  }

  /** A number that is another one when anything is different. */
  get revision(): number {
    return this.#revision;
  }

  /** What it has now. */
  picture(): Picture {
    const znodes = Array.from(this.#tree.znodes(), ({ path, node }) => ({ path, node }));
    return { znodes, unreadable: new Map(this.#unreadable) };
  }

  /** The follower wants no more. Resolves when, without any follower, nothing is under way and no watch is left. */
  async leave(follower: SourceFollower): Promise<void> {
    this.#followers.delete(follower);
    if (this.#followers.size > 0) return;
    this.retire();
    await this.#mirror.close(new Error('nobody follows it any more'));
  }

  #forgetReadable(): void {
    for (const path of this.#unreadable.keys()) {
      if (this.#tree.isLeftOut(path)) continue;
      this.#unreadable.delete(path);
      this.#revision++;
    }
  }
}
