import { describe, expect, it, test } from '@jest/globals';
import fc from 'fast-check';
import { parentOf } from 'zookit';
import type { CachedZNode } from '../../../../recipes/caches/cached-znode.js';
import { ChangeQueue } from '../../../../recipes/caches/change-queue.js';
import type { CacheChange } from '../../../../recipes/caches/changes.js';
import { znodeOf } from './znodes.js';

const node = znodeOf('');
const znode = (path: string, value: number): CachedZNode<number> => ({ path, node, value });
const added = (path: string, value: number): CacheChange<number> => ({
  type: 'added',
  path,
  znode: znode(path, value),
});
const removed = (path: string): CacheChange<number> => ({ type: 'removed', path, znode: znode(path, -1) });
const changed = (path: string, from: number, to: number): CacheChange<number> => ({
  ...{ type: 'changed', path, znode: znode(path, to), previous: znode(path, from) },
});

function inShort(change: CacheChange<number>): string {
  if (change.type === 'changed') return `changed ${change.path} ${change.previous.value}-${change.znode.value}`;
  if (change.type === 'added') return `added ${change.path} ${change.znode.value}`;
  return 'path' in change ? `${change.type} ${change.path}` : change.type;
}

function taken(queue: ChangeQueue<number>): string[] {
  const all: string[] = [];
  for (let change = queue.take(); change !== undefined; change = queue.take()) all.push(inShort(change));
  return all;
}

function after(...changes: readonly CacheChange<number>[]): string[] {
  const queue = new ChangeQueue<number>();
  for (const change of changes) queue.push(change);
  return taken(queue);
}

describe('what waits is merged', () => {
  it('writes into one change, from what was told last to the latest', () => {
    expect(after(changed('/a', 1, 2), changed('/b', 1, 2), changed('/a', 2, 3))).toEqual([
      'changed /a 1-3',
      'changed /b 1-2',
    ]);
    expect(after(added('/a', 1), changed('/a', 1, 2))).toEqual(['added /a 2']);
  });

  it('what came and went into nothing, and what was written and went into a removal', () => {
    expect(after(added('/a', 1), changed('/a', 1, 2), removed('/a'))).toEqual([]);
    expect(after(changed('/a', 1, 2), removed('/a'))).toEqual(['removed /a']);
  });

  it('what went and came again not at all: it is another znode', () => {
    expect(after(removed('/a'), added('/a', 1), changed('/a', 1, 2))).toEqual(['removed /a', 'added /a 2']);
    expect(after(removed('/a'), added('/a', 1), removed('/a'), added('/a', 2))).toEqual(['removed /a', 'added /a 2']);
    expect(after(removed('/a'), added('/a', 1), removed('/a'))).toEqual(['removed /a']);
  });

  it('marks into the latest of their kind', () => {
    const error = new Error('no');
    const resync = { type: 'resync' } as const;
    expect(after({ type: 'ready' }, resync, added('/a', 1), resync)).toEqual(['ready', 'added /a 1', 'resync']);
    const unreadable = { type: 'unreadable', path: '/x', error } as const;
    expect(after(unreadable, added('/a', 1), unreadable)).toEqual(['added /a 1', 'unreadable /x']);
  });

  it('but not into what was taken', () => {
    const queue = new ChangeQueue<number>();
    queue.push(added('/a', 1));
    queue.push({ type: 'resync' });
    expect(taken(queue)).toEqual(['added /a 1', 'resync']);
    queue.push(changed('/a', 1, 2));
    queue.push(removed('/a'));
    queue.push(added('/a', 3));
    expect(inShort(queue.take() ?? added('/none', 0))).toBe('removed /a');
    queue.push(removed('/a'));
    queue.push({ type: 'resync' });
    expect(taken(queue)).toEqual(['resync']);
    queue.clear();
    expect(queue.size).toBe(0);
  });
});

test('whoever reads at whatever pace ends with the same, in an order to rely on, and little waits', () => {
  const paths = ['/a', '/a/x', '/a/y', '/b', '/b/x'];
  const step = fc.record({
    path: fc.constantFrom(...paths),
    kind: fc.constantFrom('put', 'remove', 'take', 'takeAll'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const truth = new Map<string, number>();
      const seen = new Map<string, number | undefined>();
      const queue = new ChangeQueue<number>();
      let value = 0;
      const remove = (path: string): void => {
        for (const child of paths) if (parentOf(child) === path && child !== path) remove(child);
        if (truth.delete(path)) queue.push(removed(path));
      };
      const take = (): boolean => {
        const change = queue.take();
        if (change === undefined) return false;
        if (change.type === 'added') {
          expect(seen.has(change.path)).toBe(false);
          if (parentOf(change.path) !== '/') expect(seen.has(parentOf(change.path))).toBe(true);
          seen.set(change.path, change.znode.value);
        } else if (change.type === 'changed') {
          expect(seen.get(change.path)).toBe(change.previous.value);
          seen.set(change.path, change.znode.value);
        } else if (change.type === 'removed') {
          expect(seen.delete(change.path)).toBe(true);
          expect([...seen.keys()].filter((path) => path.startsWith(`${change.path}/`))).toEqual([]);
        }
        return true;
      };
      for (const { path, kind } of steps) {
        const known = truth.get(path);
        if (kind === 'remove') remove(path);
        else if (kind === 'take') take();
        else if (kind === 'takeAll') while (take());
        else if (known !== undefined) {
          truth.set(path, ++value);
          queue.push(changed(path, known, value));
        } else if (parentOf(path) === '/' || truth.has(parentOf(path))) {
          truth.set(path, ++value);
          queue.push(added(path, value));
        }
        expect(queue.size).toBeLessThanOrEqual(2 * paths.length);
      }
      while (take());
      expect([...seen].sort()).toEqual([...truth].sort());
      expect(queue.size).toBe(0);
    }),
    { numRuns: 500 },
  );
});

test('taking from a long queue takes no longer for each', () => {
  const queue = new ChangeQueue<number>();
  const paths = Array.from({ length: 100_000 }, (_, index) => `/${index}`);
  for (const path of paths) queue.push(added(path, 1));
  expect(taken(queue)).toHaveLength(100_000);
});
