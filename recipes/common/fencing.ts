import type { Long } from 'zookit';

/**
 * A number that grows from holder to holder, for whoever is written to under a lock: it keeps the highest that it has
 * seen and refuses lower ones, so that a holder who was lost and does not know it yet does no harm.
 *
 * It is the zxid of the creation of the holder's znode (`czxid`). Every znode that is created later has a higher one, as
 * long as the ensemble keeps its data. The sequence number in the name would not do: it wraps, and it starts over when
 * the parent is deleted.
 */
export type FencingToken = Long;

/** Whether a resource that has seen `highest` may accept `token`. The same holder may come again. */
export function acceptsToken(token: FencingToken, highest: FencingToken | undefined): boolean {
  return highest === undefined || token.greaterThanOrEqual(highest);
}
