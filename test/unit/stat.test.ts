import { describe, expect, it } from '@jest/globals';
import Long from 'long';
import { Stat } from '../../src/stat.js';

// Above 2^53, and a session id that is negative (R6).
const stat = new Stat(
  Long.fromString('9007199254740993'),
  Long.fromString('9223372036854775807'),
  1_700_000_000_001,
  1_700_000_000_002,
  -2147483648,
  4,
  5,
  Long.fromString('-1224979098644774912'),
  6,
  7,
  Long.fromString('4294967296'),
);

describe('the JSON of a stat', () => {
  it('has every 64-bit number to its last digit', () => {
    expect(JSON.parse(JSON.stringify(stat))).toEqual({
      czxid: '9007199254740993',
      mzxid: '9223372036854775807',
      ctime: 1_700_000_000_001,
      mtime: 1_700_000_000_002,
      version: -2147483648,
      cversion: 4,
      aversion: 5,
      ephemeralOwner: '-1224979098644774912',
      dataLength: 6,
      numChildren: 7,
      pzxid: '4294967296',
    });
  });

  it('has every field of the stat', () => {
    expect(Object.keys(stat.toJSON()).sort()).toEqual(Object.keys(stat).sort());
  });
});
