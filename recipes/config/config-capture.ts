import { childPath, NoNodeError, type ZNode, type ZooKeeper } from 'zookit';
import type { ConfigShape, SourceZNode } from './config-source.js';
import { isBesideConfig } from './stored-value.js';

/** What is to be read of a layer: the root, and what is known to be below it. */
export interface CaptureSpec {
  readonly root: string;
  readonly known: readonly string[];
}

/** More than that is not asked for at once: the server does nothing else meanwhile. */
const MOST_ZNODES = 5_000;

/** How often names may come up that were not known before. */
const MOST_TRIES = 5;

/** A znode of a capture. */
interface Captured {
  readonly node: ZNode;
  readonly names: readonly string[];
}

/**
 * All layers as a server has them at one moment, by one request (`multiRead`, 3.6): each parent before its children. The
 * names must be known for that, so it is tried again with those that came up. Undefined where that comes to nothing: more
 * and more come up, there are too many, or some cannot be read.
 *
 * @throws what the request rejects with.
 */
export async function capture(
  zk: ZooKeeper,
  layers: readonly CaptureSpec[],
  shape: ConfigShape,
  signal: AbortSignal,
): Promise<(readonly SourceZNode[])[] | undefined> {
  const asked = new Set(layers.flatMap(({ root, known }) => [root, ...known]));
  for (let attempt = 0; attempt < MOST_TRIES && asked.size <= MOST_ZNODES; attempt++) {
    const found = await readAll(zk, [...asked], shape, signal);
    if (found === undefined) return undefined;
    const before = asked.size;
    const captured = layers.map(({ root }) => treeIn(found, root, asked));
    if (asked.size === before) return captured;
  }
  return undefined;
}

async function readAll(
  zk: ZooKeeper,
  paths: readonly string[],
  shape: ConfigShape,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Captured> | undefined> {
  const batch = zk.multiRead();
  for (const path of paths) {
    batch.getData(path);
    if (shape === 'tree') batch.getChildren(path);
  }
  const results: readonly PromiseSettledResult<unknown>[] = await batch.read({ signal });
  const isUnreadable = (result: PromiseSettledResult<unknown>): boolean =>
    result.status === 'rejected' && !(result.reason instanceof NoNodeError);
  if (results.some(isUnreadable)) return undefined;
  const found = new Map<string, Captured>();
  const step = shape === 'tree' ? 2 : 1;
  for (const [index, path] of paths.entries()) {
    const data = results[index * step];
    if (data?.status !== 'fulfilled') continue;
    const names = shape === 'tree' ? results[index * step + 1] : undefined;
    found.set(path, {
      node: data.value as ZNode,
      names: names?.status === 'fulfilled' ? (names.value as string[]) : [],
    });
  }
  return found;
}

/** What is at and below a root. What was not asked for, and is there, is to be asked for the next time. */
function treeIn(found: ReadonlyMap<string, Captured>, root: string, asked: Set<string>): SourceZNode[] {
  const tree: SourceZNode[] = [];
  const next = [root];
  for (let path = next.pop(); path !== undefined; path = next.pop()) {
    const captured = found.get(path);
    if (captured === undefined) continue;
    tree.push({ path, node: captured.node });
    for (const name of captured.names) {
      if (isBesideConfig(name)) continue;
      const child = childPath(path, name);
      asked.add(child);
      next.push(child);
    }
  }
  return tree;
}
