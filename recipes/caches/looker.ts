import {
  childPath,
  NoNodeError,
  type OneShotEvent,
  type SessionInfo,
  type Stat,
  UnimplementedError,
  type WatchEvent,
  type Watcher,
  ZNode,
  type ZooKeeperOperations,
} from 'zookit';
import type { Scope } from './scope.js';
import { type Job, Look } from './work-list.js';
import type { FollowingTree } from './znode-tree.js';

/** Every server has it from 3.5 on. */
const CONFIG_PATH = '/zookeeper/config';

/**
 * What is known of the servers of a session: with which of its connections the last one was seen that has a configuration;
 * or that one has refused a persistent watch, which costs a connection, and once is enough.
 */
const knownServers = new WeakMap<SessionInfo, number | 'refused'>();

/** What a look has found: the stat, and the data where they are not those that are known. */
interface Found {
  readonly stat: Stat;
  readonly node: ZNode | undefined;
}

/** The names of the children of a znode, and its stat. */
interface ChildrenOf {
  readonly children: readonly string[];
  readonly stat: Stat;
}

/** What looks are made for. */
export interface LookerSetting {
  readonly zk: ZooKeeperOperations;
  readonly scope: Scope;
  readonly tree: FollowingTree;
  readonly sessionInfo: SessionInfo;
  /** The number of the session among those of the cache. */
  readonly session: number;
  readonly signal: AbortSignal;
  /** Told of each event of a persistent watch. */
  readonly onEvent: (event: WatchEvent) => void;
  /**
   * Told of each event of a one-shot watch. One function for all paths: a closure for each would be most of the memory of
   * a small znode.
   */
  readonly onOneShot: (event: OneShotEvent) => void;
  /** There is another znode to look at. */
  found(path: string, loads: boolean): void;
  /** Whether what comes now counts no more. */
  hasEnded(): boolean;
}

/** Asks the server about znodes, with the watches that it has, and puts the answers into a tree. */
export class Looker {
  #watcher: Watcher | undefined;

  constructor(private readonly setting: LookerSetting) {}

  /** Whether one watch covers everything. */
  get isPersistent(): boolean {
    return this.#watcher !== undefined;
  }

  /** Leaves a persistent watch, if the server has them. */
  async arm(): Promise<void> {
    const { zk, scope, sessionInfo, signal, onEvent } = this.setting;
    const known = knownServers.get(sessionInfo);
    if (known === 'refused') return;
    if (known !== sessionInfo.attachments) {
      const { attachments } = sessionInfo;
      // A server of 3.4 would close the connection at an operation that it does not know.
      if ((await zk.unrooted().exists(CONFIG_PATH, { signal })) === null) return;
      knownServers.set(sessionInfo, attachments);
    }
    try {
      this.#watcher = await zk.addWatch(scope.root, { recursive: true, onEvent, signal });
    } catch (error) {
      if (!(error instanceof UnimplementedError)) {
        if (knownServers.get(sessionInfo) !== 'refused') knownServers.delete(sessionInfo);
        throw error;
      }
      knownServers.set(sessionInfo, 'refused');
    }
  }

  /** Takes the watches away: the persistent one, or those that looks at these znodes have left. */
  async disarm(paths: Iterable<string>): Promise<void> {
    if (this.#watcher === undefined) for (const path of paths) this.forget(path);
    else await this.#watcher.close();
  }

  /** Takes the one-shot watches of a znode away. */
  forget(path: string): void {
    if (this.#watcher === undefined) this.setting.zk.unwatch(path, this.setting.onOneShot);
  }

  /** Does what is to be done for a znode. Rejects with what the server says against it. */
  async look(job: Job): Promise<void> {
    const { scope, tree } = this.setting;
    const { path } = job;
    if (path !== scope.root || scope.rootData || !scope.goesBelow(path) || tree.has(path)) {
      await this.#look(job, undefined);
      return;
    }
    const first: { list?: Promise<ChildrenOf> } = {};
    const looking = this.#look(job, first);
    // Sent behind the first question: the first list costs one round trip less.
    first.list = this.#askForChildren(path);
    // An answer that comes to nobody would leave its watch behind.
    const [, listed] = await Promise.allSettled([looking, first.list]);
    await looking;
    // Also where there was nothing to list: the permission is missing all the same.
    if (listed.status === 'rejected' && !(listed.reason instanceof NoNodeError)) throw listed.reason;
  }

  async #look({ path, look, loads }: Job, first: { readonly list?: Promise<ChildrenOf> } | undefined): Promise<void> {
    const { scope, tree, session } = this.setting;
    const isNewHere = !tree.has(path);
    let mustList = (look & Look.children) !== 0;
    if (isNewHere || (look & (Look.data | Look.check)) !== 0) {
      const found = await this.#read(path, look);
      if (this.setting.hasEnded()) return;
      tree.isReadable(path);
      if (found === undefined) {
        tree.remove(path);
        return;
      }
      if (!tree.hasPlaceFor(path)) return;
      const isAnother = found.node !== undefined && tree.put(path, found.node, session);
      mustList ||= this.#mustList(path, found.stat, isAnother, look);
    }
    if (mustList && scope.goesBelow(path)) await this.#list(path, loads, first?.list);
  }

  #mustList(path: string, stat: Stat, isAnother: boolean, look: number): boolean {
    if (!isAnother && (look & Look.check) === 0) return false;
    // A watch on the children is left by listing them.
    const { tree, session } = this.setting;
    return this.#watcher === undefined || tree.mayHaveOtherChildren(path, stat, session);
  }

  /** Undefined where there is no such znode. */
  async #read(path: string, look: number): Promise<Found | undefined> {
    const { zk, scope, tree, session } = this.setting;
    const options = this.#watching;
    if (path === scope.root && !scope.rootData) {
      const stat = await zk.exists(path, options);
      return stat === null ? undefined : { stat, node: new ZNode(null, stat) };
    }
    if (look === Look.check && this.#watcher !== undefined && tree.has(path)) {
      const stat = await zk.exists(path, options);
      if (stat === null) return undefined;
      if (tree.isSame(path, stat, session)) return { stat, node: undefined };
    }
    for (;;) {
      try {
        const node = await zk.getData(path, options);
        return { stat: node.stat, node };
      } catch (error) {
        if (!(error instanceof NoNodeError)) throw error;
      }
      // The watch tells when it is created. If that happened just now, read it.
      if (path !== scope.root || this.#watcher !== undefined) return undefined;
      if ((await zk.exists(path, options)) === null) return undefined;
    }
  }

  #askForChildren(path: string): Promise<ChildrenOf> {
    return this.setting.zk.getChildren(path, { ...this.#watching, stat: true });
  }

  async #list(path: string, loads: boolean, asked: Promise<ChildrenOf> | undefined): Promise<void> {
    const { scope, tree, session } = this.setting;
    let found;
    try {
      found = await (asked ?? this.#askForChildren(path));
    } catch (error) {
      if (!(error instanceof NoNodeError)) throw error;
      tree.remove(path);
      return;
    }
    const known = tree.get(path);
    if (this.setting.hasEnded() || known === undefined) return;
    if (!found.stat.czxid.equals(known.node.stat.czxid)) {
      // It was deleted and made again since it was read.
      this.setting.found(path, loads);
      return;
    }
    tree.list(path, new Set(found.children), found.stat, session);
    for (const name of found.children) {
      const child = childPath(path, name);
      if (!tree.hasChild(path, name) && scope.includes(child)) this.setting.found(child, loads);
    }
  }

  get #watching(): { readonly signal: AbortSignal; readonly watch?: (event: OneShotEvent) => void } {
    const { signal, onOneShot } = this.setting;
    return this.#watcher === undefined ? { signal, watch: onOneShot } : { signal };
  }
}
