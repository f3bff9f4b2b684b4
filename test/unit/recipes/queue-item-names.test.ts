import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  delayPrefix,
  idPrefix,
  itemsInOrder,
  kazooPrefix,
  plainNames,
  priorityPrefix,
  type ReadName,
  readDelayName,
  readIdName,
  readKazooName,
  readPriorityName,
} from '../../../recipes/queues/item-names.js';

const fifo = plainNames('queue-');
const readers: Record<string, ReadName> = { fifo, readDelayName, readIdName, readKazooName, readPriorityName };

/** As a server writes it. */
function number(sequence: number): string {
  const digits = String(Math.abs(sequence));
  return sequence < 0 ? `-${digits.padStart(9, '0')}` : digits.padStart(10, '0');
}

const names = (read: ReadName, given: readonly string[]): string[] => itemsInOrder(given, read).map(({ name }) => name);

describe('names', () => {
  it('are those of Curator and kazoo', () => {
    expect([10, -1, 0, 2 ** 31 - 1, -(2 ** 31)].map(priorityPrefix)).toEqual([
      'queue-10000000A',
      'queue-0FFFFFFFF',
      'queue-100000000',
      'queue-17FFFFFFF',
      'queue-080000000',
    ]);
    expect([1, 0xabc, 1_714_000_000_000].map(delayPrefix)).toEqual([
      'queue-|00000001|',
      'queue-|00000ABC|',
      'queue-|18F125C7400|',
    ]);
    expect(idPrefix('a/b|c')).toBe('queue-|a_b_c|');
    expect([0, 7, 100, 999].map(kazooPrefix)).toEqual(['entry-000-', 'entry-007-', 'entry-100-', 'entry-999-']);
  });

  it('are read as they are written', () => {
    const sequence = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    fc.assert(
      fc.property(sequence, fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), (at, priority) => {
        const prefix = priorityPrefix(priority);
        const name = prefix + number(at);
        expect(readPriorityName(name)).toMatchObject({ name, prefix, sequence: at, rank: priority, due: 0 });
      }),
    );
    fc.assert(
      fc.property(sequence, fc.integer({ min: 1, max: 8.64e15 }), (at, due) => {
        const prefix = delayPrefix(due);
        expect(readDelayName(prefix + number(at))).toMatchObject({ prefix, sequence: at, rank: due, due });
      }),
    );
    fc.assert(
      fc.property(sequence, fc.string(), (at, id) => {
        const prefix = idPrefix(id);
        expect(readIdName(prefix + number(at))).toMatchObject({
          prefix,
          sequence: at,
          rank: 0,
          id: id.replace(/[/|]/g, '_'),
        });
      }),
    );
    fc.assert(
      fc.property(sequence, fc.integer({ min: 0, max: 999 }), (at, priority) => {
        const prefix = kazooPrefix(priority);
        expect(readKazooName(prefix + number(at))).toMatchObject({ prefix, sequence: at, rank: priority });
      }),
    );
  });

  it('are what they were before Curator put them back, but for what Curator forgets', () => {
    expect(readPriorityName('queue-0000000012')).toMatchObject({ prefix: 'queue-', sequence: 12, rank: -Infinity });
    expect(readDelayName('queue-0000000012')).toMatchObject({ prefix: 'queue-', sequence: 12, due: 0 });
    expect(readIdName('queue-0000000012')).toMatchObject({ prefix: 'queue-', sequence: 12, id: undefined });
  });

  it.each(Object.entries(readers))('L4: of others are passed over: %s', (_, read) => {
    const foreign = ['', 'foo', 'queue-', 'queue-12', 'queue-x--1', 'queue-00000000010', 'x-queue-0000000001'];
    const others = ['qn-0000000001', 'entry-1-0000000001', 'queue-|', 'queue-||', 'queue-|x|12'];
    const odd = [
      'queue-|0|4294967296',
      'entry-100-4294967296',
      'queue-1000000004294967296',
      'queue-9000000000000000001',
    ];
    expect(names(read, [...foreign, ...others, ...odd])).toEqual([]);
  });

  it('never make it throw', () => {
    const part = fc.oneof(fc.string(), fc.constantFrom('queue-', 'entry-', '|', '0000000001', '100-', '-'));
    const name = fc.array(part).map((parts) => parts.join(''));
    fc.assert(
      fc.property(fc.array(name), (given) => {
        for (const read of Object.values(readers)) for (const each of names(read, given)) expect(given).toContain(each);
      }),
    );
  });
});

describe('the order', () => {
  it('L1: is by distance where the counter has wrapped', () => {
    const wrapped = [2147483646, 2147483647, -2147483648, -2147483647].map((each) => `queue-${number(each)}`);
    fc.assert(
      fc.property(fc.shuffledSubarray(wrapped), (given) => {
        expect(names(fifo, given)).toEqual(wrapped.filter((name) => given.includes(name)));
      }),
    );
  });

  it('is that of Curator and kazoo, which compare texts, as long as nothing has wrapped', () => {
    const sequence = fc.nat(2 ** 31 - 1);
    const withPriority = fc.tuple(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), sequence);
    fc.assert(
      fc.property(fc.uniqueArray(withPriority, { selector: String }), (given) => {
        const all = given.map(([priority, at]) => priorityPrefix(priority) + number(at));
        expect(names(readPriorityName, all)).toEqual([...all].sort());
      }),
    );
    fc.assert(
      fc.property(fc.uniqueArray(fc.tuple(fc.nat(999), sequence), { selector: String }), (given) => {
        const all = given.map(([priority, at]) => kazooPrefix(priority) + number(at));
        expect(names(readKazooName, all)).toEqual([...all].sort());
      }),
    );
    fc.assert(
      fc.property(fc.uniqueArray(sequence), (given) => {
        const all = given.map((at) => `queue-${number(at)}`);
        expect(names(fifo, all)).toEqual([...all].sort());
      }),
    );
  });

  it('of moments is by the moment, then by the number', () => {
    const late = delayPrefix(0x123456789) + number(1);
    const early = [delayPrefix(0xfffffff0) + number(2), delayPrefix(0xfffffff0) + number(9)];
    expect(names(readDelayName, [late, ...[...early].reverse()])).toEqual([...early, late]);
  });
});
