import { it } from '@jest/globals';
import fc from 'fast-check';
import { type ChildrenWithStat, getChildren, getChildren2 } from '../../../src/operations/get-children.js';
import { bytes } from '../../support/frames.js';
import { anyPath, anyStat, anyText } from '../support/arbitraries.js';
import { expectReads, expectWithstands, expectWrites } from '../support/codec.js';
import { bool, statBytes, vector } from '../support/reference.js';

const anyNames = fc.array(anyText, { maxLength: 20 });

function namesBytes(names: readonly string[]): Buffer {
  return vector(names.map(bytes));
}

function namesAndStatBytes({ children, stat }: ChildrenWithStat): Buffer {
  return Buffer.concat([namesBytes(children), statBytes(stat)]);
}

it('writes any request', () => {
  for (const operation of [getChildren, getChildren2]) {
    expectWrites<{ path: string; watch: boolean }>(
      operation,
      fc.record({ path: anyPath, watch: fc.boolean() }),
      ({ path, watch }) => Buffer.concat([bytes(path), bool(watch)]),
    );
  }
});

it('reads the names', () => {
  expectReads(getChildren, anyNames, namesBytes, (names) => names);
  expectWithstands(getChildren, anyNames.map(namesBytes));
});

it('reads the names and the stat', () => {
  const replies = fc.record({ children: anyNames, stat: anyStat });
  expectReads(getChildren2, replies, namesAndStatBytes, (reply) => reply);
  expectWithstands(getChildren2, replies.map(namesAndStatBytes));
});
