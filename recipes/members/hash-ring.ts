import { InvalidArgumentError } from 'zookit';

/** A member of a {@link HashRing} that is to get more than the others, or less. */
export interface RingMember {
  readonly id: string;
  /** How much of the keys it gets, beside the others. Default 1. */
  readonly weight?: number | undefined;
}

/** How a {@link HashRing} is made. */
export interface HashRingOptions {
  /**
   * How many points on the ring a member of weight 1 has. More of them spread the keys more evenly: with the default of
   * 160, shares differ from the mean by about 8 percent.
   */
  readonly points?: number | undefined;
}

const DEFAULT_POINTS = 160;

/**
 * Consistent hashing: says which member a key belongs to, so that few keys move when members come and go. A member that
 * comes takes its keys from all others in equal parts; the keys of one that goes are spread over all others; no other key
 * moves. All who have the same members, weights and number of points come to the same answer: points and keys are placed by
 * MurmurHash3 (x86, 32 bits, seed 0) of their UTF-8, a point by that of `<id>#<number>`.
 *
 * It knows nothing of ZooKeeper and does not change: make another one when the members have changed.
 */
export class HashRing {
  /** Sorted. */
  readonly #points: Uint32Array;
  /** Whose point it is, by the index of the point. */
  readonly #owners: readonly string[];
  readonly #size: number;

  /** @throws InvalidArgumentError at a weight or a number of points that is none, and at an id that comes twice. */
  constructor(members: Iterable<string | RingMember>, { points = DEFAULT_POINTS }: HashRingOptions = {}) {
    if (!(Number.isInteger(points) && points > 0)) fail(`points is ${points}; it must be a whole number above 0`);
    const weights = new Map<string, number>();
    for (const member of members) {
      const { id, weight = 1 } = typeof member === 'string' ? { id: member } : member;
      if (weights.has(id)) fail(`the member ${JSON.stringify(id)} comes twice`);
      if (!(Number.isFinite(weight) && weight >= 0)) fail(`the weight of ${id} is ${weight}; it must be 0 or more`);
      weights.set(id, weight);
    }
    const placed = [...weights].flatMap(([id, weight]) =>
      Array.from({ length: Math.round(weight * points) }, (_, index) => ({ id, at: hashOf(`${id}#${index}`) })),
    );
    // Where two points meet, the names decide, not the order in which the members were given.
    placed.sort((a, b) => a.at - b.at || (a.id < b.id ? -1 : 1));
    this.#points = Uint32Array.from(placed, ({ at }) => at);
    this.#owners = placed.map(({ id }) => id);
    this.#size = new Set(this.#owners).size;
  }

  /** Whom a key belongs to; undefined where there are no members. */
  owner(key: string): string | undefined {
    return this.#owners[this.#firstPoint(hashOf(key))];
  }

  /** The first member from the key on that will do: whom the key belongs to while its owner is not to be had. */
  ownerAmong(key: string, willDo: (id: string) => boolean): string | undefined {
    const { length } = this.#owners;
    const first = this.#firstPoint(hashOf(key));
    for (let passed = 0; passed < length; passed++) {
      const owner = this.#owners[(first + passed) % length];
      if (owner !== undefined && willDo(owner)) return owner;
    }
    return undefined;
  }

  /** The first `count` different members from the key on, its owner first: for copies. Fewer, where there are fewer. */
  owners(key: string, count: number): string[] {
    const found = new Set<string>();
    const wanted = Math.min(count, this.#size);
    const length = this.#owners.length;
    for (let index = this.#firstPoint(hashOf(key)); found.size < wanted; index = (index + 1) % length) {
      const owner = this.#owners[index];
      if (owner !== undefined) found.add(owner);
    }
    return [...found];
  }

  /** The index of the first point at or after a place on the ring; 0 after the last one. */
  #firstPoint(at: number): number {
    let low = 0;
    let high = this.#points.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#points[middle] ?? 0) < at) low = middle + 1;
      else high = middle;
    }
    return low === this.#points.length ? 0 : low;
  }
}

function fail(problem: string): never {
  throw new InvalidArgumentError(problem, { operation: 'HashRing' });
}

/** MurmurHash3, x86, 32 bits, seed 0, of the UTF-8 of a text: a number from 0 to 2^32 - 1. */
export function hashOf(text: string): number {
  const bytes = Buffer.from(text);
  const end = bytes.length & ~3;
  let hash = 0;
  for (let index = 0; index < end; index += 4) {
    hash ^= scramble(bytes.readInt32LE(index));
    hash = (Math.imul(rotate(hash, 13), 5) + 0xe6546b64) | 0;
  }
  let tail = 0;
  for (let index = bytes.length - 1; index >= end; index--) tail = (tail << 8) | (bytes[index] ?? 0);
  hash ^= scramble(tail) ^ bytes.length;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function scramble(block: number): number {
  return Math.imul(rotate(Math.imul(block, 0xcc9e2d51), 15), 0x1b873593);
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits));
}
