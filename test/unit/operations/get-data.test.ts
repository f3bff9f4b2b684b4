import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { getData, ZNode } from '../../../src/operations/get-data.js';
import type { Stat } from '../../../src/stat.js';
import { bytes } from '../../support/frames.js';
import { anyBytes, anyPath, anyStat } from '../support/arbitraries.js';
import { expectReads, expectWithstands, expectWrites } from '../support/codec.js';
import { bool, statBytes } from '../support/reference.js';

const anyReply = fc.record({ data: fc.oneof(anyBytes, fc.constant(null)), stat: anyStat });

function replyBytes({ data, stat }: { readonly data: Buffer | null; readonly stat: Stat }): Buffer {
  return Buffer.concat([bytes(data), statBytes(stat)]);
}

it('writes any request', () => {
  expectWrites(getData, fc.record({ path: anyPath, watch: fc.boolean() }), ({ path, watch }) =>
    Buffer.concat([bytes(path), bool(watch)]),
  );
});

it('reads the data and the stat', () => {
  expectReads(getData, anyReply, replyBytes, ({ data, stat }) => new ZNode(data, stat));
  expectWithstands(getData, anyReply.map(replyBytes));
});

describe('a znode that was read', () => {
  const stat = fc.sample(anyStat, { numRuns: 1, seed: 1 })[0]!;

  it('has an empty Buffer for null, and says that it is null', () => {
    const node = new ZNode(null, stat);
    expect(node.data).toEqual(Buffer.alloc(0));
    expect(node.isNull).toBe(true);
  });

  it('tells no bytes from null', () => {
    expect(new ZNode(Buffer.alloc(0), stat).isNull).toBe(false);
  });

  it('gives its data as text', () => {
    expect(new ZNode(Buffer.from('grüße'), stat).text()).toBe('grüße');
  });

  it('gives its data as JSON', () => {
    expect(new ZNode(Buffer.from('{"a":[1]}'), stat).json<{ a: number[] }>()).toEqual({ a: [1] });
  });

  it('throws SyntaxError where its data is no JSON', () => {
    expect(() => new ZNode(null, stat).json()).toThrow(SyntaxError);
  });
});
