/** What the tests of caches share: a log of changes that checks their order, and the truth of the server. */
import { NodeExistsError, NoNodeError, NotEmptyError, parentOf, type ZNode, type ZooKeeper } from 'zookit';
import type { CacheChange, CachedZNode, TreeCache, ZNodeCache } from 'zookit/recipes';
import { until } from './until.js';

/** Data and creation of each znode, by path. */
export type Contents = Record<string, string>;

const short = ({ node }: CachedZNode<unknown>): string => node.text();

/** What a cache has told, in order; and what a reader would make of it. */
export class ChangeLog {
  readonly all: string[] = [];
  /** What is wrong with the order. */
  readonly problems: string[] = [];
  readonly #known = new Map<string, CachedZNode<unknown>>();

  constructor(
    private readonly root: string,
    known: Iterable<CachedZNode<unknown>>,
  ) {
    for (const znode of known) this.#known.set(znode.path, znode);
  }

  readonly tell = (change: CacheChange<unknown>): void => {
    const name = 'path' in change ? change.path.slice(this.root === '/' ? 0 : this.root.length) : '';
    if (change.type === 'added') this.#added(change.path, change.znode);
    if (change.type === 'changed') this.#changed(change.path, change.znode, change.previous);
    if (change.type === 'removed') this.#removed(change.path);
    if (change.type === 'added' || change.type === 'removed')
      this.all.push(`${change.type} ${name} ${short(change.znode)}`);
    else if (change.type === 'changed')
      this.all.push(`changed ${name} ${short(change.previous)} -> ${short(change.znode)}`);
    else this.all.push(`${change.type}${name === '' ? '' : ` ${name}`}`);
  };

  /** Resolves when this was told. */
  async until(what: string): Promise<void> {
    await until(() => this.all.includes(what), { what: `"${what}" after ${this.all.slice(-5).join(', ')}` });
  }

  /** The tree as a reader of the changes has it. */
  replayed(): Contents {
    return Object.fromEntries(
      Array.from(this.#known, ([path, { node }]): [string, string] => [path, contentOf(node)]).sort(byPath),
    );
  }

  #added(path: string, znode: CachedZNode<unknown>): void {
    if (this.#known.has(path)) this.problems.push(`${path} was added twice`);
    if (path !== this.root && !this.#known.has(parentOf(path))) this.problems.push(`${path} came before its parent`);
    this.#known.set(path, znode);
  }

  #changed(path: string, znode: CachedZNode<unknown>, previous: CachedZNode<unknown>): void {
    const known = this.#known.get(path);
    if (known !== previous) this.problems.push(`${path}: what was before is not what was told`);
    if (!znode.node.stat.czxid.equals(previous.node.stat.czxid)) this.problems.push(`${path} is another znode`);
    if (!znode.node.stat.mzxid.greaterThan(previous.node.stat.mzxid)) this.problems.push(`${path} became older`);
    this.#known.set(path, znode);
  }

  #removed(path: string): void {
    if (!this.#known.delete(path)) this.problems.push(`${path} was removed twice`);
    for (const other of this.#known.keys())
      if (other.startsWith(`${path}/`)) this.problems.push(`${other} was left behind`);
  }
}

const byPath = ([a]: readonly [string, string], [b]: readonly [string, string]): number => (a < b ? -1 : 1);

function contentOf(node: ZNode): string {
  return `${node.text()} of ${node.stat.czxid.toString()}, ${node.stat.mzxid.toString()}`;
}

/** Listens to a cache from now on. */
export function changeLog(cache: ZNodeCache<Buffer> & Iterable<CachedZNode<Buffer>>): ChangeLog {
  const log = new ChangeLog(cache.path, cache);
  cache.on('change', log.tell);
  return log;
}

/** The texts in a cache, by path. */
export function contents(cache: TreeCache<unknown>): Contents {
  return Object.fromEntries(Array.from(cache, (znode): [string, string] => [znode.path, short(znode)]).sort(byPath));
}

/** What a server has at and below a path. */
export async function serverContents(zk: ZooKeeper, root: string): Promise<Contents> {
  const found: [string, string][] = [];
  try {
    for await (const { path } of zk.walk(root)) {
      try {
        found.push([path, contentOf(await zk.getData(path))]);
      } catch (error) {
        if (!(error instanceof NoNodeError)) throw error;
      }
    }
  } catch (error) {
    if (!(error instanceof NoNodeError)) throw error;
  }
  return Object.fromEntries(found.sort(byPath));
}

/** Whether a cache has what its server has. */
export async function sameAsServer(cache: TreeCache<unknown>, zk: ZooKeeper): Promise<boolean> {
  const server = await serverContents(zk, cache.path);
  const known = Array.from(cache, ({ path, node }): [string, string] => [path, contentOf(node)]).sort(byPath);
  return !cache.stale && JSON.stringify(Object.fromEntries(known)) === JSON.stringify(server);
}

/** Creates, writes and deletes at random in a small tree, a few at once. What cannot be done is passed over. */
export async function randomChanges(zk: ZooKeeper, root: string, count: number, seed = 1): Promise<void> {
  let state = seed;
  const random = (below: number): number => {
    // A linear congruential generator: each run makes the same changes.
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  const names = ['a', 'b', 'c'];
  const anyPath = (): string =>
    root + Array.from({ length: 1 + random(3) }, () => `/${names[random(names.length)]}`).join('');
  const change = async (index: number): Promise<void> => {
    const path = anyPath();
    const kind = random(10);
    try {
      if (kind < 4) await zk.create(path, String(index));
      else if (kind < 7) await zk.setData(path, String(index));
      else if (kind < 9) await zk.delete(path);
      else await zk.deleteTree(path);
    } catch (error) {
      if (!(error instanceof NoNodeError || error instanceof NodeExistsError || error instanceof NotEmptyError))
        throw error;
    }
  };
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await change(next++);
  };
  await Promise.all(Array.from({ length: 4 }, worker));
}
