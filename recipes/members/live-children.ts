import type Long from 'long';
import { childPath, NoNodeError, type ZNode, type ZooKeeper } from 'zookit';
import { LiveView } from '../common/live-view.js';
import type { Wait } from '../common/waiting.js';

/** A child of the znode that is followed. */
export interface LiveChild {
  readonly name: string;
  readonly path: string;
  /** What was read of it; undefined where nothing is read. */
  readonly node: ZNode | undefined;
}

/** Which children are followed, and how. */
export interface ChildrenSpec {
  readonly path: string;
  /** Who follows, for errors. */
  readonly operation: string;
  /** Whether their data are read, and followed. */
  readonly reads: boolean;
  readonly counts: (name: string) => boolean;
}

/** A child that was read, and the watch on it. */
interface Entry {
  readonly child: LiveChild;
  readonly changed: () => void;
}

/** The children of a znode, with their data where wanted, kept current by watches. The znode need not be there. */
export class LiveChildren {
  readonly #live: LiveView;
  readonly #entries = new Map<string, Entry>();
  #children: readonly LiveChild[] = [];
  #zxid: Long | undefined;

  constructor(
    private readonly zk: ZooKeeper,
    private readonly spec: ChildrenSpec,
  ) {
    const { operation, path } = spec;
    this.#live = new LiveView(zk, { operation, path }, (changed) => this.#look(changed));
  }

  start(): void {
    this.#live.start();
  }

  /** As they were last, by name. The same array as long as nothing has changed. */
  get children(): readonly LiveChild[] {
    return this.#children;
  }

  /** The zxid of the last creation or deletion of a child; undefined where there is no such znode. */
  get zxid(): Long | undefined {
    return this.#zxid;
  }

  /** Whether nothing is known to have changed since, and there is a connection. */
  get isCurrent(): boolean {
    return this.#live.isCurrent;
  }

  /** Whether it was looked at all. */
  get hasLooked(): boolean {
    return this.#live.hasLooked;
  }

  get isClosed(): boolean {
    return this.#live.isClosed;
  }

  /** Resolves at the next change of anything here. */
  get changed(): Promise<void> {
    return this.#live.changed;
  }

  /** Throws what has made following impossible, if anything has. */
  check(): void {
    this.#live.check();
  }

  /** Resolves when `holds` does. */
  async until(holds: () => boolean, wait: Wait): Promise<void> {
    this.start();
    await this.#live.until(holds, wait);
  }

  /** What `view` gives now, and again whenever that is another one. */
  async *each<View>(
    view: () => View,
    isSame: (one: View, other: View) => boolean,
  ): AsyncGenerator<View, void, undefined> {
    this.start();
    yield* this.#live.each(() => (this.hasLooked ? view() : undefined), isSame);
  }

  async close(): Promise<void> {
    await this.#live.close();
    this.zk.unwatch(this.spec.path, this.#live.wake);
    for (const { child, changed } of this.#entries.values()) this.zk.unwatch(child.path, changed);
  }

  async #look(changed: () => void): Promise<void> {
    const names = await this.#names(changed);
    const there = new Set(names);
    for (const name of this.#entries.keys()) if (!there.has(name)) this.#entries.delete(name);
    await Promise.all(names.map((name) => this.#read(name)));
    const children = names.map((name) => this.#entries.get(name)?.child).filter((each) => each !== undefined);
    const isSame =
      children.length === this.#children.length && children.every((each, index) => each === this.#children[index]);
    if (!isSame) this.#children = children;
  }

  /** The names of those that count, in order. */
  async #names(changed: () => void): Promise<string[]> {
    const { path } = this.spec;
    const options = { watch: changed, signal: this.#live.closing };
    try {
      const { children, stat } = await this.zk.getChildren(path, { ...options, stat: true });
      this.#zxid = stat.pzxid;
      return children.filter((name) => this.spec.counts(name)).sort();
    } catch (error) {
      if (!(error instanceof NoNodeError)) throw error;
      // If it is made right now, this look sees that, and the next one counts.
      if ((await this.zk.exists(path, options)) !== null) changed();
      this.#zxid = undefined;
      return [];
    }
  }

  /** Reads a child, unless it was read before and its watch has told nothing since. */
  async #read(name: string): Promise<void> {
    if (this.#entries.has(name)) return;
    const path = childPath(this.spec.path, name);
    const changed = (): void => {
      if (this.#entries.get(name)?.changed === changed) this.#entries.delete(name);
      this.#live.wake();
    };
    if (!this.spec.reads) {
      this.#entries.set(name, { child: { name, path, node: undefined }, changed });
      return;
    }
    try {
      const node = await this.zk.getData(path, { watch: changed, signal: this.#live.closing });
      this.#entries.set(name, { child: { name, path, node }, changed });
    } catch (error) {
      if (!(error instanceof NoNodeError)) throw error;
    }
  }
}
