import { childPath, type Long, NoNodeError, type ZNode, type ZooKeeper } from 'zookit';
import { childrenOf } from '../common/children.js';
import { inOrder } from '../common/line-order.js';
import { isRevoked } from './mutex-revocation.js';

/** Who holds a lock or waits for it, as others see it. */
export interface LockParticipant {
  /** Its znode. */
  readonly path: string;
  /** What it says of itself: the data of its znode, as text. */
  readonly id: string;
  /** When it asked for the lock, milliseconds since 1970, by the clock of the servers. */
  readonly askedAt: number;
  /** Its session. */
  readonly session: Long;
  /** Whether it holds the lock: it is the first in line. */
  readonly isHolder: boolean;
  /** Whether its session is that of the client that looks. */
  readonly isOwn: boolean;
  /** Whether somebody has asked it to give the lock back; its `id` is then overwritten. */
  readonly isRevoked: boolean;
}

/** Which line is looked at. */
export interface ObservedLine {
  readonly path: string;
  readonly markers: readonly string[];
}

/** All who stand in line, in order. Those that vanish meanwhile are left out. */
export async function readLine(zk: ZooKeeper, { path, markers }: ObservedLine): Promise<LockParticipant[]> {
  const paths = inOrder(await childrenOf(zk, path), markers).map((name) => childPath(path, name));
  const nodes = await Promise.all(paths.map(async (each) => ({ path: each, node: await readIfThere(zk, each) })));
  return nodes
    .map(({ path: each, node }) => node && participantOf(zk, each, node))
    .filter((each) => each !== undefined)
    .map((each, index) => ({ ...each, isHolder: index === 0 }));
}

/** The znode of the first in line. */
export async function firstInLine(zk: ZooKeeper, { path, markers }: ObservedLine): Promise<string | undefined> {
  const [first] = inOrder(await childrenOf(zk, path), markers);
  return first === undefined ? undefined : childPath(path, first);
}

/** What a znode says of a contender, whatever its place. `id`: what it said of itself before it was asked to give back. */
export function participantOf(zk: ZooKeeper, path: string, node: ZNode, id = ''): LockParticipant {
  const { ctime, ephemeralOwner } = node.stat;
  const revoked = isRevoked(node);
  return {
    path,
    id: revoked ? id : node.text(),
    askedAt: ctime,
    session: ephemeralOwner,
    isHolder: false,
    isOwn: zk.session.owns(node.stat),
    isRevoked: revoked,
  };
}

async function readIfThere(zk: ZooKeeper, path: string): Promise<ZNode | undefined> {
  try {
    return await zk.getData(path);
  } catch (error) {
    if (error instanceof NoNodeError) return undefined;
    throw error;
  }
}
