import { beforeEach, expect, test } from '@jest/globals';
import { CacheFullError } from 'zookit/recipes';
import type { CacheChange } from '../../../../recipes/caches/changes.js';
import { Scope } from '../../../../recipes/caches/scope.js';
import { type TreeLimits, ZNodeTree } from '../../../../recipes/caches/znode-tree.js';
import { type StatParts, statOf, znodeOf } from './znodes.js';

let told: string[];
let tree: ZNodeTree<Buffer>;

function treeOf(limits: TreeLimits = {}, rootData = true): ZNodeTree<Buffer> {
  return new ZNodeTree<Buffer>(new Scope('/r', Infinity, undefined, rootData), limits, (change) => {
    told.push(inShort(change));
  });
}

function inShort(change: CacheChange<Buffer>): string {
  if (change.type === 'changed')
    return `changed ${change.path} ${change.previous.node.text()}-${change.znode.node.text()}`;
  return 'znode' in change ? `${change.type} ${change.path} ${change.znode.node.text()}` : change.type;
}

/** Puts znodes, all of them read in the first session. */
function put(path: string, text: string, parts: StatParts = {}, session = 1): boolean {
  return tree.put(path, znodeOf(text, parts), session);
}

beforeEach(() => {
  told = [];
  tree = treeOf();
  put('/r', 'r', { czxid: 1, numChildren: 2 });
  put('/r/a', '1', { czxid: 10 });
  put('/r/a/b', '2', { czxid: 20 });
  told.length = 0;
});

test('the same znode again is no news, a younger one is a change', () => {
  expect([put('/r/a', '1', { czxid: 10 }), put('/r/a', '2', { czxid: 10, mzxid: 11 })]).toEqual([false, false]);
  expect(told).toEqual(['changed /r/a 1-2']);
});

test('an older value never comes after a newer one of the same session', () => {
  put('/r/a', '2', { czxid: 10, mzxid: 15 });
  put('/r/a', 'late', { czxid: 10, mzxid: 12 });
  put('/r/a', 'of before', { czxid: 5, mzxid: 30 });
  expect([told, tree.get('/r/a')?.node.text()]).toEqual([['changed /r/a 1-2'], '2']);
});

test('in another session the server is right, whatever it says: it may have been restored from a backup', () => {
  put('/r/a', 'restored', { czxid: 5, mzxid: 6 }, 2);
  expect(told).toEqual(['removed /r/a/b 2', 'removed /r/a 1', 'added /r/a restored']);
  expect(tree.isSame('/r', statOf({ czxid: 1 }), 2)).toBe(true);
  put('/r', 'old', { czxid: 1, mzxid: 0 }, 2);
  expect(tree.get('/r')?.node.text()).toBe('r');
});

test('another znode in the place of one takes away what was below that', () => {
  expect(put('/r/a', '3', { czxid: 30 })).toBe(true);
  expect(told).toEqual(['removed /r/a/b 2', 'removed /r/a 1', 'added /r/a 3']);
  expect([tree.children('/r/a'), [...(tree.children('/r')?.keys() ?? [])]]).toEqual([new Map(), ['a']]);
});

test('what is not in a list is gone, unless it is younger than the list', () => {
  put('/r/c', '3', { czxid: 40 });
  tree.list('/r', new Set(['x']), statOf({ pzxid: 39, cversion: 2 }), 1);
  expect([...(tree.children('/r')?.keys() ?? [])]).toEqual(['c']);
  tree.list('/r', new Set(), statOf({ pzxid: 40, cversion: 3 }), 1);
  expect(told).toEqual(['added /r/c 3', 'removed /r/a/b 2', 'removed /r/a 1', 'removed /r/c 3']);
  expect(tree.hasChild('/r', 'c')).toBe(false);
});

test('the children may be others unless they were listed so in the same session', () => {
  const stat = statOf({ cversion: 2, numChildren: 1 });
  expect(tree.mayHaveOtherChildren('/r', stat, 1)).toBe(true);
  tree.list('/r', new Set(['a']), stat, 1);
  expect([
    tree.mayHaveOtherChildren('/r', stat, 1),
    tree.mayHaveOtherChildren('/r', stat, 2),
    tree.mayHaveOtherChildren('/r', statOf({ cversion: 3, numChildren: 1 }), 1),
    tree.mayHaveOtherChildren('/r/a/b', statOf({ cversion: 4, numChildren: 0 }), 1),
    tree.mayHaveOtherChildren('/none', stat, 1),
  ]).toEqual([false, true, true, false, false]);
});

test('what cannot be read is told once, until it can be, is gone, or its parent is', () => {
  expect([tree.leaveOut('/r/a'), tree.leaveOut('/r/a'), told.length]).toEqual([true, false, 2]);
  tree.isReadable('/r/a');
  expect(tree.leaveOut('/r/a')).toBe(true);
  tree.list('/r', new Set(), statOf(), 1);
  expect(tree.leaveOut('/r/a')).toBe(true);
  tree.remove('/r');
  expect(tree.leaveOut('/r/a')).toBe(false);
});

test('has place for what has its parent here', () => {
  expect(['/r', '/r/x', '/r/x/y', '/other'].map((path) => tree.hasPlaceFor(path))).toEqual([true, true, false, false]);
});

test('holds as much as it may, and what is given back may be used again', () => {
  tree = treeOf({ maxNodes: 2, maxBytes: 4 });
  put('/r', 'rr');
  put('/r/a', 'aa');
  expect(() => put('/r/b', '')).toThrow(CacheFullError);
  expect(() => put('/r/a', 'aaa', { mzxid: 2 })).toThrow('cache /r: the data have more than 4 bytes');
  tree.remove('/r/a');
  put('/r/b', 'bb');
  put('/r/b', 'b', { mzxid: 3 });
  put('/r', 'rrr', { mzxid: 3 });
  expect(tree.size).toBe(2);
  tree = treeOf({ maxNodes: 1 }, false);
  put('/r', '');
  put('/r/a', '');
  expect(() => put('/r/b', '')).toThrow('there are more than 1 znodes');
});

test('the root of a client is a root like any other', () => {
  tree = new ZNodeTree<Buffer>(new Scope('/', 1, undefined, true), {}, (change) => void told.push(inShort(change)));
  put('/', 'r');
  put('/a', '1');
  expect([tree.hasPlaceFor('/'), tree.hasPlaceFor('/b'), [...(tree.children('/')?.keys() ?? [])]]).toEqual([
    ...[true, true, ['a']],
  ]);
  tree.remove('/');
  expect(told).toEqual(['added / r', 'added /a 1', 'removed /a 1', 'removed / r']);
});

test('the scope counts levels from the root', () => {
  const scope = new Scope('/r/s', 1, (path) => !path.endsWith('x'), true);
  expect(['/r/s', '/r/s/a', '/r/s/a/b', '/r/s/x'].map((path) => scope.includes(path))).toEqual([
    true,
    true,
    false,
    false,
  ]);
  expect([scope.goesBelow('/r/s'), scope.goesBelow('/r/s/a')]).toEqual([true, false]);
  const all = new Scope('/', 1, undefined, true);
  expect(['/', '/a', '/a/b'].map((path) => all.includes(path))).toEqual([true, true, false]);
});
