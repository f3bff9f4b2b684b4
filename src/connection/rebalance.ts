import { isSameServer, type ServerAddress } from './connect-string.js';
import { shuffle } from './shuffle.js';

/** Where a client goes when the list of its servers has changed. */
export interface Rebalanced {
  /** Whether the client leaves the server that it is at. */
  readonly moves: boolean;
  /** All servers, in the order in which they are to be tried. */
  readonly order: readonly ServerAddress[];
}

/**
 * Decides by chance, so that clients that decide each for itself end up spread evenly over the new list. The
 * probabilities are those of ZooKeeper's Java client (ZOOKEEPER-1355).
 *
 * Before, each of `b` servers has 1/b of the clients; after, each of `a` servers is to have 1/a. `kept` servers are in
 * both lists.
 * - The list grows (a > b): a kept server is to lose 1/b - 1/a of all clients, so each of its own leaves with the
 *   probability (1/b - 1/a) / (1/b) = 1 - b/a. Whoever leaves, and whoever has lost its server, goes to a new server.
 * - It does not grow: the clients of kept servers stay. The kept ones together are to win kept * (1/a - 1/b), out of the
 *   (b - kept)/b clients whose server is gone: each of those goes to a kept server with the probability
 *   kept * (b - a) / (a * (b - kept)), and else to a new one.
 */
export function rebalance(
  before: readonly ServerAddress[],
  after: readonly ServerAddress[],
  /** The server that the client is at, by all its names. */
  current: readonly ServerAddress[],
  random: () => number,
): Rebalanced {
  const contains = (list: readonly ServerAddress[], server: ServerAddress): boolean =>
    list.some((each) => isSameServer(each, server));
  const shuffled = shuffle(after, random);
  const kept = shuffled.filter((server) => contains(before, server));
  const added = shuffled.filter((server) => !contains(before, server));
  const grows = after.length > before.length;
  const isListed = current.some((server) => contains(after, server));
  if (isListed && !(grows && random() < 1 - before.length / after.length)) return { moves: false, order: shuffled };
  const toKept = grows
    ? 0
    : (kept.length * (before.length - after.length)) / (after.length * (before.length - kept.length));
  return { moves: true, order: merge(kept, added, () => random() < toKept) };
}

/** Takes from the one list or the other as `takesFirst` says, and the rest when one of them is used up. */
function merge<T>(first: readonly T[], second: readonly T[], takesFirst: () => boolean): T[] {
  const merged: T[] = [];
  let [one, other] = [0, 0];
  while (one < first.length && other < second.length) {
    const next = takesFirst() ? first[one++] : second[other++];
    if (next !== undefined) merged.push(next);
  }
  return [...merged, ...first.slice(one), ...second.slice(other)];
}
