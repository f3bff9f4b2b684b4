import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  partitioning,
  type PartitionMember,
  type PartitionOwners,
  type PartitionStrategy,
} from '../../../recipes/members/partitioning.js';

const NOBODY: PartitionOwners = new Map();

function membersOf(keys: Iterable<string>, weight = 1): PartitionMember[] {
  return [...keys].sort().map((key) => ({ key, id: key, weight }));
}

function countsOf(owners: PartitionOwners, members: readonly PartitionMember[]): number[] {
  return members.map(({ key }) => [...owners.values()].filter((owner) => owner === key).length);
}

const names = (prefix: string, maxLength: number): fc.Arbitrary<string[]> =>
  fc.uniqueArray(fc.nat(99), { maxLength }).map((numbers) => numbers.map((number) => `${prefix}${number}`).sort());

describe.each(Object.entries(partitioning).map(([name, make]): [string, PartitionStrategy] => [name, make()]))(
  '%s',
  (_, strategy) => {
    it('gives each partition to one of the members', () => {
      fc.assert(
        fc.property(names('p', 30), names('m', 8), (partitions, keys) => {
          const owners = strategy.divide(partitions, membersOf(keys), NOBODY);
          if (keys.length === 0) expect(owners.size).toBe(0);
          else expect([...owners.keys()].sort()).toEqual(partitions);
          for (const owner of owners.values()) expect(keys).toContain(owner);
        }),
      );
    });
  },
);

describe.each([
  ['roundRobin', partitioning.roundRobin()],
  ['weighted', partitioning.weighted()],
  ['sticky', partitioning.sticky()],
] as const)('%s', (_, strategy) => {
  it('is as even as can be, whatever was before', () => {
    fc.assert(
      fc.property(names('p', 30), names('m', 8), fc.array(names('m', 8)), (partitions, keys, history) => {
        let owners = NOBODY;
        for (const those of [...history, keys]) owners = strategy.divide(partitions, membersOf(those), owners);
        if (keys.length === 0) return;
        const counts = countsOf(owners, membersOf(keys));
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

it("roundRobin divides as kazoo's SetPartitioner does", () => {
  // Its partitions[i::n] of the sorted set for the member i of n.
  const owners = partitioning.roundRobin().divide(['a', 'b', 'c', 'd', 'e'], membersOf(['x', 'y']), NOBODY);
  expect([...owners]).toEqual([
    ['a', 'x'],
    ['b', 'y'],
    ['c', 'x'],
    ['d', 'y'],
    ['e', 'x'],
  ]);
});

describe('weighted', () => {
  it('gives in proportion to the weights', () => {
    const members = [3, 1, 0, 2].map((weight, index) => ({ key: `m${index}`, id: `m${index}`, weight }));
    const partitions = Array.from({ length: 60 }, (_, index) => `p${index}`);
    expect(countsOf(partitioning.weighted().divide(partitions, members, NOBODY), members)).toEqual([30, 10, 0, 20]);
    expect(partitioning.weighted().divide(partitions, membersOf(['a'], 0), NOBODY).size).toBe(0);
  });
});

describe('sticky', () => {
  it('moves as few as evenness allows', () => {
    fc.assert(
      fc.property(names('p', 30), names('m', 8), names('m', 8), (partitions, former, keys) => {
        fc.pre(keys.length > 0);
        const sticky = partitioning.sticky();
        const before = sticky.divide(partitions, membersOf(former), NOBODY);
        const after = sticky.divide(partitions, membersOf(keys), before);
        const kept = partitions.filter((name) => before.get(name) === after.get(name)).length;
        // What the members that stay had, less what is above their new share; so many may have one more.
        const least = Math.floor(partitions.length / keys.length);
        const had = countsOf(before, membersOf(keys));
        const above = had.filter((count) => count > least).length;
        const most =
          had.reduce((sum, count) => sum + Math.min(count, least), 0) +
          Math.min(above, partitions.length % keys.length);
        expect(kept).toBe(most);
      }),
    );
  });

  it('leaves all as it was when nobody has come or gone', () => {
    const members = membersOf(['a', 'b', 'c']);
    const before = partitioning.sticky().divide(['1', '2', '3', '4'], members, NOBODY);
    expect(partitioning.sticky().divide(['1', '2', '3', '4'], members, before)).toEqual(before);
  });

  it('knows that it has to be agreed on', () => {
    expect(Object.values(partitioning).map((make) => make().remembers === true)).toEqual([false, false, false, true]);
  });
});

describe('consistentHashing', () => {
  it('moves partitions only to a member that comes', () => {
    const partitions = Array.from({ length: 500 }, (_, index) => `p${index}`);
    const strategy = partitioning.consistentHashing();
    const before = strategy.divide(partitions, membersOf(['a', 'b', 'c']), NOBODY);
    const after = strategy.divide(partitions, membersOf(['a', 'b', 'c', 'd']), NOBODY);
    const moved = partitions.filter((name) => before.get(name) !== after.get(name));
    expect(new Set(moved.map((name) => after.get(name)))).toEqual(new Set(['d']));
    expect(moved.length).toBeLessThan(200);
  });
});
