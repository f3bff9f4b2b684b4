import { NoNodeError, NotEmptyError, ServerError } from './errors.js';
import type { ZNode } from './operations/get-data.js';
import { checkPath, childPath } from './paths.js';
import type { RequestLimits } from './session/pending-request.js';
import type { ZooKeeperOperations } from './zookeeper-operations.js';

/** Requests of a walk, a deletion or a bulk read that are under way at once. */
const CONCURRENCY = 64;
/** Deletes in one transaction. */
const BATCH = 100;
/** How often a deletion starts over because others create below it. */
const MOST_ROUNDS = 10;

/** A znode met on a walk. */
export interface WalkedZNode {
  readonly path: string;
  /** Below the start of the walk, whose depth is 0. */
  readonly depth: number;
}

/** All znodes from `path` on, level by level. Those that vanish meanwhile are passed over. */
export async function* walk(
  zk: ZooKeeperOperations,
  path: string,
  limits: RequestLimits = {},
): AsyncGenerator<WalkedZNode, void, undefined> {
  checkPath(path, 'walk');
  if (!(await zk.has(path, limits))) throw new NoNodeError('there is no such znode', { operation: 'walk', path });
  let level = [path];
  for (let depth = 0; level.length > 0; depth++) {
    for (const each of level) yield { path: each, depth };
    const next = await mapBounded(level, async (parent) => {
      const children = await unlessGone(zk.getChildren(parent, limits));
      return (children ?? []).map((name) => childPath(parent, name));
    });
    level = next.flat();
  }
}

/** Deletes a znode and all below it. */
export async function deleteTree(zk: ZooKeeperOperations, path: string, limits: RequestLimits = {}): Promise<void> {
  checkPath(path, 'deleteTree');
  for (let round = 1; ; round++) {
    const levels = await levelsOf(zk, path, limits);
    try {
      for (const level of levels.reverse()) await deleteLevel(zk, level, limits);
      return;
    } catch (error) {
      // Somebody has created a child since the look.
      if (!(error instanceof NotEmptyError) || round === MOST_ROUNDS) throw error;
    }
  }
}

async function levelsOf(zk: ZooKeeperOperations, path: string, limits: RequestLimits): Promise<string[][]> {
  const levels: string[][] = [];
  try {
    for await (const { path: each, depth } of walk(zk, path, limits)) (levels[depth] ??= []).push(each);
  } catch (error) {
    if (!(error instanceof NoNodeError)) throw error;
  }
  return levels;
}

/** Deletes znodes of which none is below another. */
async function deleteLevel(zk: ZooKeeperOperations, paths: readonly string[], limits: RequestLimits): Promise<void> {
  const batches: string[][] = [];
  for (let at = 0; at < paths.length; at += BATCH) batches.push(paths.slice(at, at + BATCH));
  await mapBounded(batches, (batch) => deleteBatch(zk, batch, limits));
}

async function deleteBatch(zk: ZooKeeperOperations, paths: readonly string[], limits: RequestLimits): Promise<void> {
  const transaction = zk.transaction();
  for (const path of paths) transaction.delete(path);
  try {
    await transaction.commit(limits);
  } catch (error) {
    if (!(error instanceof ServerError)) throw error;
    // One is gone already, or cannot go: then each by itself.
    await mapBounded(paths, (path) => unlessGone(zk.delete(path, undefined, limits)));
  }
}

/** The children of a znode with their data. */
export async function childrenWithData(
  zk: ZooKeeperOperations,
  path: string,
  limits: RequestLimits = {},
): Promise<Map<string, ZNode>> {
  const names = await zk.getChildren(path, limits);
  const nodes = await mapBounded(names, (name) => unlessGone(zk.getData(childPath(path, name), limits)));
  const byName = new Map<string, ZNode>();
  names.forEach((name, index) => {
    const node = nodes[index];
    if (node !== undefined) byName.set(name, node);
  });
  return byName;
}

async function unlessGone<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if (error instanceof NoNodeError) return undefined;
    throw error;
  }
}

/** Maps in order, with a bounded number under way. After an error no further one is begun. */
async function mapBounded<T, U>(items: readonly T[], map: (item: T) => Promise<U>): Promise<U[]> {
  const results = new Array<U>(items.length);
  const entries = items.entries();
  let failed = false;
  const worker = async (): Promise<void> => {
    // The iterator is shared: each worker takes the next item.
    for (const [index, item] of entries) {
      if (failed) return;
      try {
        results[index] = await map(item);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const workers = await Promise.allSettled(Array.from({ length: Math.min(CONCURRENCY, items.length) }, worker));
  for (const each of workers) if (each.status === 'rejected') throw each.reason;
  return results;
}
