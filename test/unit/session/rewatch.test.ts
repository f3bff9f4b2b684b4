import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import Long from 'long';
import { setWatches2, type SetWatchesRequest } from '../../../src/operations/watching.js';
import { rewatchRequests } from '../../../src/session/rewatch.js';
import type { WatchedPaths } from '../../../src/session/watch-registry.js';
import { written } from '../support/codec.js';

const kinds = ['data', 'exists', 'children', 'persistent', 'recursive'] as const;
const nothing: WatchedPaths = { data: [], exists: [], children: [], persistent: [], recursive: [] };
const zxid = Long.fromNumber(77);

const KIB = 1024;
/** The zxid and the counts of the five lists. */
const FIXED_BYTES = 8 + 5 * 4;

/** All paths of the requests, with their kinds, in order. */
function pathsOf(requests: readonly SetWatchesRequest[]): string[] {
  return requests.flatMap((request) => kinds.flatMap((kind) => request[kind].map((path) => `${kind} ${path}`)));
}

function manyPaths(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `/some/where/${index}`);
}

describe('watching again', () => {
  it('takes no request where nothing is watched', () => {
    expect(rewatchRequests(nothing, zxid)).toEqual([]);
  });

  it('takes one request for a few paths of every kind, with the last zxid', () => {
    const paths = { data: ['/a'], exists: ['/b'], children: ['/c'], persistent: ['/d'], recursive: ['/e'] };
    expect(rewatchRequests(paths, zxid)).toEqual([{ ...paths, relativeZxid: zxid }]);
  });

  it('takes batches of at most 128 KiB for 100,000 paths, and forgets none', () => {
    const paths = { ...nothing, data: manyPaths(60_000), persistent: manyPaths(40_000) };
    const requests = rewatchRequests(paths, zxid);
    expect(pathsOf(requests)).toEqual(pathsOf([{ ...paths, relativeZxid: zxid }]));
    const sizes = requests.map((request) => written(setWatches2, request).length - FIXED_BYTES);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(128 * KIB);
    // Full ones: not a request a path.
    expect(requests.length).toBeLessThanOrEqual(Math.ceil(sizes.reduce((sum, size) => sum + size, 0) / (127 * KIB)));
  });

  it('counts bytes, not characters, and the length in front of each path', () => {
    const paths = { ...nothing, data: Array.from({ length: 20_000 }, (_, index) => `/\u4e16\u754c${index}`) };
    const sizes = rewatchRequests(paths, zxid).map((request) => written(setWatches2, request).length - FIXED_BYTES);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(128 * KIB);
  });

  it('keeps below maxRequestBytes, with the header', () => {
    const paths = { ...nothing, data: manyPaths(500), exists: manyPaths(500) };
    const requests = rewatchRequests(paths, zxid, 1024);
    expect(pathsOf(requests)).toEqual(pathsOf([{ ...paths, relativeZxid: zxid }]));
    const sizes = requests.map((request) => 8 + written(setWatches2, request).length);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1024);
    expect(Math.min(...sizes.slice(0, -1))).toBeGreaterThan(900);
  });

  it('gives a path that is larger than a batch one of its own, and makes no empty one', () => {
    const long = `/${'x'.repeat(200 * KIB)}`;
    const requests = rewatchRequests({ ...nothing, data: [long, '/a'] }, zxid);
    expect(requests.map(({ data }) => data.length)).toEqual([1, 1]);
  });

  it('lists one-shot watches before those that stay, which then win on every release', () => {
    const paths = { ...nothing, data: manyPaths(20_000), persistent: manyPaths(20_000) };
    const requests = rewatchRequests(paths, zxid);
    const lastOneShot = requests.findLastIndex(({ data }) => data.length > 0);
    const firstPersistent = requests.findIndex(({ persistent }) => persistent.length > 0);
    expect(lastOneShot).toBeGreaterThan(0);
    expect(firstPersistent).toBeGreaterThanOrEqual(lastOneShot);
  });

  it('keeps every path and every kind, whatever they are', () => {
    const anyPaths = fc.array(
      fc.integer({ min: 1, max: 60 * KIB }).map((length) => '/'.padEnd(length, 'x')),
      { maxLength: 6 },
    );
    const anyWatched = fc.record({
      data: anyPaths,
      exists: anyPaths,
      children: anyPaths,
      persistent: anyPaths,
      recursive: anyPaths,
    });
    fc.assert(
      fc.property(anyWatched, (paths) => {
        const requests = rewatchRequests(paths, zxid);
        expect(pathsOf(requests)).toEqual(pathsOf([{ ...paths, relativeZxid: zxid }]));
      }),
      { numRuns: 20 },
    );
  });
});
