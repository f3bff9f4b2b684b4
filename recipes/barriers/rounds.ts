import { NodeExistsError, type ZNode, type ZooKeeper } from 'zookit';
import type { Wait } from '../common/waiting.js';
import { InvalidBarrierError } from './errors.js';

/** The layout of a {@link RoundBarrier}. */

export const FIRST_ROUND = 1;

/** The current round, as it was read. */
export interface CurrentRound {
  readonly round: number;
  /** Of the znode's data: changes with each round and each member that joins. */
  readonly version: number;
}

/** A member, as its name tells. */
export interface ListedMember {
  readonly name: string;
  readonly uuid: string;
  /** The last round in which it has arrived; when it is new, the one before it has joined. */
  readonly arrived: number;
}

/** The name of the znode of a member. */
export function memberName(uuid: string, arrived: number): string {
  return `${uuid}-${arrived}`;
}

/** The members among the children, in the order that all agree on. */
export function membersIn(names: readonly string[]): ListedMember[] {
  return names
    .map((name) => {
      const [, uuid, arrived] = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-(\d+)$/.exec(name) ?? [];
      return uuid === undefined ? undefined : { name, uuid, arrived: Number(arrived) };
    })
    .filter((each) => each !== undefined)
    .sort((a, b) => (a.uuid < b.uuid ? -1 : 1));
}

/** The number of the round that a znode holds. @throws InvalidBarrierError. */
export function roundIn(node: ZNode, path: string): number {
  const text = node.text();
  const round = /^\d+$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(round) && round >= FIRST_ROUND) return round;
  throw new InvalidBarrierError('the data are no number of a round', { path });
}

export async function readRound(
  zk: ZooKeeper,
  path: string,
  { signal }: Wait,
  watch?: () => void,
): Promise<CurrentRound> {
  const node = await zk.getData(path, { watch, signal });
  return { round: roundIn(node, path), version: node.stat.version };
}

/** Sees to it that there is a znode for the rounds. */
export async function plantRounds(zk: ZooKeeper, path: string, { signal }: Wait): Promise<void> {
  if (await zk.has(path, { signal })) return;
  try {
    await zk.create(path, String(FIRST_ROUND), { parents: 'container', signal });
  } catch (error) {
    if (!(error instanceof NodeExistsError)) throw error;
  }
}
