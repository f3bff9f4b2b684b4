import { describe, expect, it } from '@jest/globals';
import Long from 'long';
import { describeCreated } from '../../src/created.js';
import { someStat } from './support/stats.js';

const zxid = Long.fromNumber(7);

describe('a znode that was created', () => {
  it('has a path, a name and the zxid', () => {
    expect(describeCreated({ zxid, stat: undefined }, '/a/b', '/a/b')).toEqual({ path: '/a/b', name: 'b', zxid });
  });

  it.each([
    ['/a/n-', '/a/n-0000000042', 42],
    ['/a/n-', '/a/n--2147483648', -2147483648],
    ['/a/n', '/a/n-000000005', -5],
    ['/a/', '/a/0000000000', 0],
    ['/n-0000000001', '/n-00000000010000000002', 2],
  ])('has the number that the server appended to %s: %s', (requested, path, sequence) => {
    expect(describeCreated({ zxid, stat: undefined }, path, requested)).toMatchObject({ path, sequence });
  });

  it('has no number where only its name looks so', () => {
    expect(describeCreated({ zxid, stat: undefined }, '/n-0000000001', '/n-0000000001')).not.toHaveProperty('sequence');
  });

  it('has a stat where the server sent one', () => {
    const stat = someStat();
    expect(describeCreated({ zxid, stat }, '/a', '/a')).toMatchObject({ stat });
  });
});
