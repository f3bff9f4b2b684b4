import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  addWatch,
  removeWatches,
  setWatches,
  setWatches2,
  type SetWatchesRequest,
} from '../../../src/operations/watching.js';
import { bytes, int } from '../../support/frames.js';
import { anyLong, anyPath } from '../support/arbitraries.js';
import { expectWrites, readReply } from '../support/codec.js';
import { longOf, vector } from '../support/reference.js';

const anyPaths = fc.array(anyPath, { maxLength: 4 });

const anySetWatches: fc.Arbitrary<SetWatchesRequest> = fc.record({
  relativeZxid: anyLong,
  data: anyPaths,
  exists: anyPaths,
  children: anyPaths,
  persistent: anyPaths,
  recursive: anyPaths,
});

function pathsBytes(...lists: (readonly string[])[]): Buffer {
  return Buffer.concat(lists.map((paths) => vector(paths.map(bytes))));
}

it('adds a persistent watch with mode 0, a recursive one with mode 1', () => {
  expectWrites(addWatch, fc.record({ path: anyPath, recursive: fc.boolean() }), ({ path, recursive }) =>
    Buffer.concat([bytes(path), int(recursive ? 1 : 0)]),
  );
});

it.each([
  ['children', 1],
  ['data', 2],
  ['any', 3],
] as const)('removes the watches for %s with type %d', (watches, type) => {
  expectWrites(removeWatches, fc.record({ path: anyPath, watches: fc.constant(watches) }), ({ path }) =>
    Buffer.concat([bytes(path), int(type)]),
  );
});

it('sets one-shot watches again', () => {
  expectWrites(setWatches, anySetWatches, ({ relativeZxid, data, exists, children }) =>
    Buffer.concat([longOf(relativeZxid), pathsBytes(data, exists, children)]),
  );
});

it('sets watches of every kind again', () => {
  expectWrites(setWatches2, anySetWatches, ({ relativeZxid, data, exists, children, persistent, recursive }) =>
    Buffer.concat([longOf(relativeZxid), pathsBytes(data, exists, children, persistent, recursive)]),
  );
});

it.each([addWatch, removeWatches, setWatches, setWatches2])('op code $opCode answers with nothing', (operation) => {
  expect(readReply<void>(operation, int(0)).result).toBeUndefined();
});
