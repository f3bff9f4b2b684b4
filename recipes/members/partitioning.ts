import { HashRing, type HashRingOptions } from './hash-ring.js';

/** A member, as a {@link PartitionStrategy} sees it. */
export interface PartitionMember {
  /** Unique; the same as long as the member takes part, over new sessions, too. */
  readonly key: string;
  /** The id that it was given. */
  readonly id: string;
  readonly weight: number;
}

/** Which member each partition is to have, by the member's `key`. */
export type PartitionOwners = ReadonlyMap<string, string>;

/**
 * Divides the partitions among the members. All members must use the same one. It is a pure function: members that see the
 * same come to the same.
 */
export interface PartitionStrategy {
  /**
   * Gets the partitions sorted by name and the members sorted by id. What it leaves out belongs to nobody. An error that
   * it throws ends the partitioner.
   */
  divide(
    partitions: readonly string[],
    members: readonly PartitionMember[],
    /** What was agreed on last; empty unless `remembers`. */
    previous: PartitionOwners,
  ): PartitionOwners;
  /** Whether it goes by what was before. Then the members agree on each division by a znode, `PATH/assignment`. */
  readonly remembers?: boolean | undefined;
}

/** Ready-made strategies. */
export const partitioning = {
  /** One after the other, as kazoo's SetPartitioner does: the numbers of partitions differ by one at most. The default. */
  roundRobin(): PartitionStrategy {
    return {
      divide: (partitions, members) =>
        new Map(members.length === 0 ? [] : partitions.map((name, index) => [name, at(members, index).key])),
    };
  },

  /** In proportion to the weights of the members. One with the weight 0 gets nothing. */
  weighted(): PartitionStrategy {
    return { divide: divideByWeight };
  },

  /** By a {@link HashRing}, with the weights: few partitions move, and the shares are even only for many partitions. */
  consistentHashing(options: HashRingOptions = {}): PartitionStrategy {
    return {
      divide(partitions, members) {
        const ring = new HashRing(
          members.map(({ key, weight }) => ({ id: key, weight })),
          options,
        );
        return new Map(
          partitions.flatMap((name): [string, string][] => {
            const owner = ring.owner(name);
            return owner === undefined ? [] : [[name, owner]];
          }),
        );
      },
    };
  },

  /** As even as {@link roundRobin}, and moves as few partitions as that allows. */
  sticky(): PartitionStrategy {
    return { divide: divideSticky, remembers: true };
  },
} as const;

function at<T>(list: readonly T[], index: number): T {
  return list[index % list.length] as T;
}

/** Each partition goes to the member that is the least loaded for its weight with it. */
function divideByWeight(partitions: readonly string[], members: readonly PartitionMember[]): PartitionOwners {
  const loads = members.filter(({ weight }) => weight > 0).map(({ key, weight }) => ({ key, weight, count: 0 }));
  const owners = new Map<string, string>();
  for (const name of partitions) {
    const [first, ...others] = loads;
    if (first === undefined) break;
    const least = others.reduce((a, b) => ((b.count + 1) / b.weight < (a.count + 1) / a.weight ? b : a), first);
    least.count++;
    owners.set(name, least.key);
  }
  return owners;
}

function divideSticky(
  partitions: readonly string[],
  members: readonly PartitionMember[],
  previous: PartitionOwners,
): PartitionOwners {
  if (members.length === 0) return new Map();
  const owned = new Map(members.map(({ key }): [string, string[]] => [key, []]));
  for (const name of partitions) owned.get(previous.get(name) ?? '')?.push(name);
  // All get so many, and some one more: those who have the most already.
  const least = Math.floor(partitions.length / members.length);
  let extra = partitions.length % members.length;
  const kept = new Map<string, string>();
  const wanting: string[] = [];
  const byCount = [...owned].sort(([, a], [, b]) => b.length - a.length);
  for (const [key, names] of byCount) {
    const room = extra > 0 ? least + 1 : least;
    if (extra > 0) extra--;
    for (const name of names.slice(0, room)) kept.set(name, key);
    for (let count = names.length; count < room; count++) wanting.push(key);
  }
  let next = 0;
  return new Map(partitions.map((name) => [name, kept.get(name) ?? at(wanting, next++)]));
}
