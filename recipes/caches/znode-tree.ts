import { nameOf, parentOf, type Stat, ZNode } from 'zookit';
import { type CachedZNode, decodeZNode, type DecodingOptions } from './cached-znode.js';
import type { ZNodeAdded, ZNodeChanged, ZNodeRemoved } from './changes.js';
import { CacheFullError } from './options.js';
import type { Scope } from './scope.js';

/** A znode that is known, and where it stands in the tree. */
class Entry<T> {
  children: Map<string, Entry<T>> | undefined;
  /** With which `cversion` the children were listed last, and in which session: what came of the names is of that one. */
  listed: { readonly cversion: number; readonly session: number } | undefined;
  /** The names of children that cannot be read. */
  unreadable: Set<string> | undefined;

  constructor(
    readonly parent: Entry<T> | undefined,
    public znode: CachedZNode<T>,
    /** In which session it was read last. */
    public session: number,
  ) {}
}

/** How much a tree may hold. */
export interface TreeLimits {
  readonly maxNodes?: number | undefined;
  readonly maxBytes?: number | undefined;
}

/** What a tree is told. */
export interface TreeSetting<T> extends DecodingOptions<T>, TreeLimits {
  /** Whether the data are kept beside what was made of them. Default: they are. */
  readonly keepsData?: boolean | undefined;
}

/** What can be asked of a tree. */
export type KnownZNodes<T> = Pick<ZNodeTree<T>, 'get' | 'has' | 'children' | 'znodes' | 'size'>;

/** A tree to be kept in line with the server, whatever its values are. */
export type FollowingTree = Omit<ZNodeTree<unknown>, 'znodes' | 'children' | 'size'>;

/** The znodes of a cache: what is known of them, parent by parent. Tells of each difference. */
export class ZNodeTree<T> {
  /** In the order of addition: parents before children. */
  readonly #entries = new Map<string, Entry<T>>();
  #bytes = 0;

  constructor(
    private readonly scope: Scope,
    private readonly options: TreeSetting<T>,
    private readonly tell: (change: ZNodeAdded<T> | ZNodeChanged<T> | ZNodeRemoved<T>) => void,
  ) {}

  get size(): number {
    return this.#entries.size;
  }

  get(path: string): CachedZNode<T> | undefined {
    return this.#entries.get(path)?.znode;
  }

  has(path: string): boolean {
    return this.#entries.has(path);
  }

  /** Whether a znode may be added here: its parent is known. */
  hasPlaceFor(path: string): boolean {
    return path === this.scope.root || this.#entries.has(parentOf(path));
  }

  paths(): Iterable<string> {
    return this.#entries.keys();
  }

  *znodes(): Generator<CachedZNode<T>, undefined> {
    for (const { znode } of this.#entries.values()) yield znode;
  }

  /** The children of a znode, by name; undefined where there is no such znode. */
  children(path: string): Map<string, CachedZNode<T>> | undefined {
    const entry = this.#entries.get(path);
    if (entry === undefined) return undefined;
    return new Map(Array.from(entry.children ?? [], ([name, { znode }]) => [name, znode]));
  }

  hasChild(path: string, name: string): boolean {
    return this.#entries.get(path)?.children?.has(name) === true;
  }

  /** Whether a znode, by its stat, has the data that are known. */
  isSame(path: string, stat: Stat, session: number): boolean {
    const entry = this.#entries.get(path);
    if (entry === undefined) return false;
    const known = entry.znode.node.stat;
    const same = known.czxid.equals(stat.czxid) && known.mzxid.equals(stat.mzxid);
    if (same) entry.session = session;
    return same;
  }

  /** Whether the children of a znode, by its stat, may be others than those that are known. */
  mayHaveOtherChildren(path: string, { cversion, numChildren }: Stat, session: number): boolean {
    const entry = this.#entries.get(path);
    if (entry === undefined || (numChildren === 0 && entry.children === undefined)) return false;
    return entry.listed?.cversion !== cversion || entry.listed.session !== session;
  }

  /**
   * Takes what was read of a znode whose parent is known. Returns whether it is another znode than before. What is older
   * than what was read in the same session is passed over.
   *
   * @throws CacheFullError.
   */
  put(path: string, node: ZNode, session: number): boolean {
    const known = this.#entries.get(path);
    if (known === undefined) return this.#add(path, node, session);
    const { stat } = known.znode.node;
    if (known.session === session && isOlder(node.stat, stat)) return false;
    if (!node.stat.czxid.equals(stat.czxid)) {
      this.remove(path);
      return this.#add(path, node, session);
    }
    known.session = session;
    if (node.stat.mzxid.equals(stat.mzxid)) return false;
    const previous = known.znode;
    const znode = this.#decode(path, node, previous);
    this.#count(bytesOf(znode) - bytesOf(previous));
    known.znode = znode;
    this.tell({ type: 'changed', path, znode, previous });
    return false;
  }

  /** Takes the names of the children of a znode: those that are not among them are gone. */
  list(path: string, names: ReadonlySet<string>, { cversion, pzxid }: Stat, session: number): void {
    const entry = this.#entries.get(path);
    if (entry === undefined) return;
    entry.listed = { cversion, session };
    for (const [name, { znode }] of entry.children ?? []) {
      // A child that is younger than the list is not missing from it.
      if (!names.has(name) && !znode.node.stat.czxid.greaterThan(pzxid)) this.remove(znode.path);
    }
    for (const name of entry.unreadable ?? []) if (!names.has(name)) entry.unreadable?.delete(name);
  }

  /** Takes a znode away that cannot be read. Returns whether that is news. */
  leaveOut(path: string): boolean {
    this.remove(path);
    const parent = this.#entries.get(parentOf(path));
    if (parent === undefined || parent.unreadable?.has(nameOf(path)) === true) return false;
    (parent.unreadable ??= new Set()).add(nameOf(path));
    return true;
  }

  /** Whether a znode was left out, and is still there as far as is known. */
  isLeftOut(path: string): boolean {
    return this.#entries.get(parentOf(path))?.unreadable?.has(nameOf(path)) === true;
  }

  /** A znode can be read, or is gone. */
  isReadable(path: string): void {
    this.#entries.get(parentOf(path))?.unreadable?.delete(nameOf(path));
  }

  /** Takes a znode away, after all that is below it. */
  remove(path: string): void {
    const entry = this.#entries.get(path);
    if (entry === undefined) return;
    this.#removeAll(entry);
    const siblings = entry.parent?.children;
    siblings?.delete(nameOf(path));
    if (entry.parent !== undefined && siblings?.size === 0) entry.parent.children = undefined;
  }

  #removeAll(entry: Entry<T>): void {
    for (const child of entry.children?.values() ?? []) this.#removeAll(child);
    const { znode } = entry;
    entry.children = undefined;
    this.#entries.delete(znode.path);
    this.#bytes -= bytesOf(znode);
    this.tell({ type: 'removed', path: znode.path, znode });
  }

  #add(path: string, node: ZNode, session: number): true {
    const { maxNodes = Infinity } = this.options;
    const counted = this.scope.rootData ? this.size : this.size - 1;
    if (counted >= maxNodes) throw this.#full(`there are more than ${maxNodes} znodes`);
    const znode = this.#decode(path, node, undefined);
    this.#count(bytesOf(znode));
    const parent = path === this.scope.root ? undefined : this.#entries.get(parentOf(path));
    const entry = new Entry(parent, znode, session);
    if (parent !== undefined) (parent.children ??= new Map<string, Entry<T>>()).set(nameOf(path), entry);
    this.#entries.set(path, entry);
    this.tell({ type: 'added', path, znode });
    return true;
  }

  #count(bytes: number): void {
    const { maxBytes = Infinity } = this.options;
    if (this.#bytes + bytes > maxBytes) throw this.#full(`the data have more than ${maxBytes} bytes`);
    this.#bytes += bytes;
  }

  #full(problem: string): CacheFullError {
    return new CacheFullError(problem, { operation: 'cache', path: this.scope.root });
  }

  #decode(path: string, node: ZNode, last: CachedZNode<T> | undefined): CachedZNode<T> {
    const { scope, options } = this;
    // Where the data of the root are not wanted, they were not read, and nobody sees what is made of them.
    if (path === scope.root && !scope.rootData) return { path, node, value: undefined as T };
    const znode = decodeZNode(path, node, last, options);
    return options.keepsData === false ? { ...znode, node: new ZNode(null, node.stat) } : znode;
  }
}

function isOlder(stat: Stat, than: Stat): boolean {
  return stat.czxid.lessThan(than.czxid) || stat.mzxid.lessThan(than.mzxid);
}

function bytesOf({ node }: CachedZNode<unknown>): number {
  return node.data.length;
}
