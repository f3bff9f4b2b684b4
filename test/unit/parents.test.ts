import { beforeEach, describe, expect, it } from '@jest/globals';
import { InvalidPathError, NoAuthError, NoNodeError } from '../../src/errors.js';
import { createWithParents, ensurePath, upsert } from '../../src/parents.js';
import { FakeTree, refusal } from './support/fake-tree.js';

let tree: FakeTree;

beforeEach(() => {
  tree = new FakeTree();
});

/** A refusal the first time that this is asked. */
function refuseOnce(call: string, code: number): void {
  let done = false;
  tree.before = (each) => {
    if (each !== call || done) return;
    done = true;
    throw refusal(code);
  };
}

describe('ensurePath', () => {
  it('creates what is missing, empty', async () => {
    await ensurePath(tree.asZooKeeper, '/a/b/c', true);
    expect(tree.paths).toEqual(['/', '/a', '/a/b', '/a/b/c']);
    expect(tree.nodes.get('/a/b')).toMatchObject({ data: null, mode: 'persistent' });
  });

  it('takes one request where the parent is there', async () => {
    await ensurePath(tree.plant('/a', '/a/b').asZooKeeper, '/a/b/c', true);
    expect(tree.calls).toEqual(['create /a/b/c']);
  });

  it('leaves what is there as it is', async () => {
    await ensurePath(tree.plant('/a').asZooKeeper, '/a', true);
    expect(tree.nodes.get('/a')?.data?.toString()).toBe('/a');
  });

  it('asks nothing for the root', async () => {
    await ensurePath(tree.asZooKeeper, '/', true);
    expect(tree.calls).toEqual([]);
  });

  it('sees to the chroot itself where its root is missing', async () => {
    tree.root = '/app';
    await ensurePath(tree.asZooKeeper, '/', true);
    expect(tree.paths).toEqual(['/', '/app']);
  });

  it('makes containers where it was told to, and plain znodes where the server knows no containers', async () => {
    await ensurePath(tree.asZooKeeper, '/a', 'container');
    expect(tree.nodes.get('/a')?.mode).toBe('container');
    refuseOnce('create /b', -6);
    await ensurePath(tree.asZooKeeper, '/b', 'container');
    expect(tree.nodes.get('/b')?.mode).toBe('persistent');
  });

  it('asks no server for containers that is too old to know them', async () => {
    tree.isNew = false;
    await ensurePath(tree.asZooKeeper, '/a', 'container');
    expect([tree.calls, tree.nodes.get('/a')?.mode]).toEqual([['create /a'], 'persistent']);
  });

  it('passes over a znode that it may not create, but that is there', async () => {
    tree.plant('/a');
    refuseOnce('create /a', -102);
    await expect(ensurePath(tree.asZooKeeper, '/a', true)).resolves.toBeUndefined();
  });

  it('does not pass over one that it may not create, and that is missing', async () => {
    refuseOnce('create /a', -102);
    await expect(ensurePath(tree.asZooKeeper, '/a', true)).rejects.toThrow(NoAuthError);
  });

  it('goes on when a parent vanishes again', async () => {
    let vanished = false;
    tree.before = (call) => {
      if (call !== 'create /a/b' || !tree.nodes.has('/a') || vanished) return;
      vanished = true;
      tree.nodes.delete('/a');
    };
    await ensurePath(tree.asZooKeeper, '/a/b', true);
    expect(tree.paths).toEqual(['/', '/a', '/a/b']);
  });

  it('gives up when parents vanish for ever', async () => {
    tree.before = (call) => {
      if (call === 'create /a/b') tree.nodes.delete('/a');
    };
    await expect(ensurePath(tree.asZooKeeper, '/a/b', true)).rejects.toThrow(NoNodeError);
  });

  it('refuses what is no path', async () => {
    await expect(ensurePath(tree.asZooKeeper, 'a', true)).rejects.toThrow(InvalidPathError);
  });
});

describe('create with parents', () => {
  it('creates parents empty, and the znode with its data and mode', async () => {
    await createWithParents(tree.asZooKeeper, '/a/b/c', 'x', { mode: 'ephemeral' });
    expect(tree.nodes.get('/a/b')).toMatchObject({ data: null, mode: 'persistent' });
    expect(tree.nodes.get('/a/b/c')).toMatchObject({ data: Buffer.from('x'), mode: 'ephemeral' });
  });

  it('resolves with what was created', async () => {
    const created = await createWithParents(tree.asZooKeeper, '/q/n-', null, { mode: 'persistentSequential' });
    expect(created).toMatchObject({ path: '/q/n-0000000000', sequence: 0 });
  });

  it('rejects where the znode is there already', async () => {
    await expect(createWithParents(tree.plant('/a').asZooKeeper, '/a', null, {})).rejects.toMatchObject({
      code: 'NODE_EXISTS',
    });
  });
});

it('each request has the limits that were given', async () => {
  const limits = { timeout: 5, signal: new AbortController().signal };
  await createWithParents(tree.asZooKeeper, '/a/b', null, { ...limits, mode: 'ephemeral' });
  await ensurePath(tree.asZooKeeper, '/c/d', 'container', limits);
  await upsert(tree.asZooKeeper, '/e/f', 'x', limits);
  expect(tree.limits).toHaveLength(10);
  expect(tree.limits).toEqual(tree.limits.map(() => limits));
});

describe('upsert', () => {
  it('writes into a znode that is there, with one request', async () => {
    await upsert(tree.plant('/a').asZooKeeper, '/a', 'new', {});
    expect(tree.nodes.get('/a')?.data?.toString()).toBe('new');
    expect(tree.calls).toEqual(['setData /a']);
  });

  it('creates one that is missing, and its parents', async () => {
    await upsert(tree.asZooKeeper, '/a/b', 'new', {});
    expect(tree.nodes.get('/a/b')?.data?.toString()).toBe('new');
  });

  it('writes into one that somebody else has created meanwhile', async () => {
    tree.before = (call) => {
      if (call === 'create /a' && !tree.nodes.has('/a')) tree.plant('/a');
    };
    await upsert(tree.asZooKeeper, '/a', 'new', {});
    expect(tree.nodes.get('/a')?.data?.toString()).toBe('new');
  });

  it('gives up when others delete and create for ever', async () => {
    tree.before = (call) => {
      if (call === 'create /a') tree.plant('/a');
      else tree.nodes.delete('/a');
    };
    await expect(upsert(tree.asZooKeeper, '/a', 'new', {})).rejects.toMatchObject({ code: 'NODE_EXISTS' });
  });
});
