import { childPath, NoNodeError, type OneShotEvent, type ZNode, type ZooKeeper } from 'zookit';
import { childrenOf } from '../common/children.js';
import type { FencingToken } from '../common/fencing.js';
import { inOrder } from '../common/line-order.js';
import { decodeCandidate } from './candidate-data.js';

/** A candidate, as others see it. */
export interface Participant<Payload = unknown> {
  readonly id: string;
  /** Its znode. */
  readonly path: string;
  /** Whether it is the first in line. */
  readonly isLeader: boolean;
  /** Whether it is ready to take over, by its own word. */
  readonly ready: boolean;
  /** What it tells of itself beside its id. */
  readonly payload: Payload | undefined;
  /** The fencing token that it has when it leads. */
  readonly fencingToken: FencingToken;
  /** Since when it stands, by the clock of the server, milliseconds since 1970. */
  readonly since: number;
}

/** What ends the names of candidates before the number: those of latches, of elections, and of kazoo's. */
export const ALL_MARKERS = ['latch-', 'lock-', '__lock__'] as const;

/** How a read of a candidate is done. */
interface ReadLimits {
  readonly watch?: ((event: OneShotEvent) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The names of all who stand, the leader first. */
export async function namesInLine(
  zk: ZooKeeper,
  path: string,
  markers: readonly string[],
  limits: ReadLimits = {},
): Promise<string[]> {
  return inOrder(await childrenOf(zk, path, limits), markers);
}

/** What a candidate's znode says; undefined when it is gone. */
export async function readZNode(zk: ZooKeeper, path: string, limits: ReadLimits = {}): Promise<ZNode | undefined> {
  try {
    return await zk.getData(path, limits);
  } catch (error) {
    if (error instanceof NoNodeError) return undefined;
    throw error;
  }
}

/** The candidate that a znode stands for. */
export function participantOf<Payload>(path: string, node: ZNode, isLeader: boolean): Participant<Payload> {
  const { id, ready = true, payload } = decodeCandidate(node.text());
  const { czxid, ctime } = node.stat;
  return { id, path, isLeader, ready, payload: payload as Payload | undefined, fencingToken: czxid, since: ctime };
}

/** All who stand, the leader first. Those that vanish meanwhile are left out. */
export async function readParticipants<Payload>(
  zk: ZooKeeper,
  path: string,
  markers: readonly string[],
): Promise<Participant<Payload>[]> {
  const paths = (await namesInLine(zk, path, markers)).map((name) => childPath(path, name));
  const nodes = await Promise.all(paths.map((each) => readZNode(zk, each)));
  const standing = paths.flatMap((each, index) => {
    const node = nodes[index];
    return node === undefined ? [] : [{ path: each, node }];
  });
  return standing.map(({ path: each, node }, index) => participantOf<Payload>(each, node, index === 0));
}
