import { describe, expect, it, test } from '@jest/globals';
import fc from 'fast-check';
import { InvalidArgumentError } from 'zookit';
import { hashOf, HashRing } from '../../../recipes/members/hash-ring.js';

const keys = Array.from({ length: 10_000 }, (_, index) => `key-${index}`);
const ids = (count: number): string[] => Array.from({ length: count }, (_, index) => `server-${index}:8080`);

function countsOf(ring: HashRing): Map<string, number> {
  const counts = new Map<string, number>();
  for (const key of keys) {
    const owner = ring.owner(key) ?? 'nobody';
    counts.set(owner, (counts.get(owner) ?? 0) + 1);
  }
  return counts;
}

test('the hash is MurmurHash3 of 32 bits', () => {
  // Known values for the seed 0.
  expect(hashOf('')).toBe(0);
  expect(hashOf('test')).toBe(0xba6bd213);
  expect(hashOf('Hello, world!')).toBe(0xc0363e43);
  expect(hashOf('The quick brown fox jumps over the lazy dog')).toBe(0x2e4ff723);
  // Of UTF-8, not of the units of a string.
  expect(hashOf('Zoowärter')).not.toBe(hashOf('Zoowarter'));
});

describe('a ring', () => {
  it('without members owns nothing', () => {
    expect([new HashRing([]).owner('a'), new HashRing([]).owners('a', 3)]).toEqual([undefined, []]);
    expect(new HashRing([{ id: 'a', weight: 0 }]).owner('a')).toBeUndefined();
  });

  it('is balanced: no share is off the mean by more than a third', () => {
    for (const count of [2, 5, 20]) {
      const shares = [...countsOf(new HashRing(ids(count))).values()];
      expect(shares).toHaveLength(count);
      for (const share of shares) expect(Math.abs(share - keys.length / count)).toBeLessThan(keys.length / count / 3);
    }
  });

  it('gives shares by weight', () => {
    const counts = countsOf(new HashRing([{ id: 'a', weight: 3 }, 'b']));
    const ratio = (counts.get('a') ?? 0) / (counts.get('b') ?? 0);
    expect(ratio).toBeGreaterThan(2.3);
    expect(ratio).toBeLessThan(3.9);
  });

  it('moves keys only to a member that comes, and about as many as are its share', () => {
    for (const count of [2, 5, 20]) {
      const [before, after] = [new HashRing(ids(count)), new HashRing(ids(count + 1))];
      const moved = keys.filter((key) => before.owner(key) !== after.owner(key));
      expect(new Set(moved.map((key) => after.owner(key)))).toEqual(new Set([`server-${count}:8080`]));
      expect(moved.length).toBeLessThan((keys.length / (count + 1)) * 1.4);
    }
  });

  it('moves only the keys of a member that goes, and spreads them over all others', () => {
    const before = new HashRing(ids(6));
    const after = new HashRing(ids(6).filter((id) => id !== 'server-2:8080'));
    const moved = keys.filter((key) => before.owner(key) !== after.owner(key));
    expect(new Set(moved.map((key) => before.owner(key)))).toEqual(new Set(['server-2:8080']));
    expect(new Set(moved.map((key) => after.owner(key))).size).toBe(5);
  });

  it('says the same whatever the order of the members', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string(), { minLength: 1, maxLength: 8 }), fc.string(), (members, key) => {
        const owner = new HashRing(members, { points: 8 }).owner(key);
        expect(new HashRing([...members].reverse(), { points: 8 }).owner(key)).toBe(owner);
        expect(members).toContain(owner);
      }),
    );
  });

  it('names different members for copies, the owner first', () => {
    const ring = new HashRing(ids(4));
    for (const key of keys.slice(0, 100)) {
      const owners = ring.owners(key, 3);
      expect([owners[0], new Set(owners).size]).toEqual([ring.owner(key), 3]);
    }
    expect(ring.owners('a', 9).sort()).toEqual(ids(4));
    expect(ring.owners('a', 0)).toEqual([]);
  });

  it.each([
    [() => new HashRing(['a', 'a']), 'the member "a" comes twice'],
    [() => new HashRing([{ id: 'a', weight: -1 }]), 'the weight of a is -1'],
    [() => new HashRing([{ id: 'a', weight: NaN }]), 'the weight of a is NaN'],
    [() => new HashRing(['a'], { points: 0 }), 'points is 0'],
    [() => new HashRing(['a'], { points: 1.5 }), 'points is 1.5'],
  ])('refuses what is none', (make, problem) => {
    expect(make).toThrow(InvalidArgumentError);
    expect(make).toThrow(problem);
  });
});
