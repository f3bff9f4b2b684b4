import { beforeEach, describe, expect, it } from '@jest/globals';
import { NoAuthError, NoNodeError, NotEmptyError } from '../../src/errors.js';
import { childrenWithData, deleteTree, walk } from '../../src/subtree.js';
import { FakeTree, refusal } from './support/fake-tree.js';

let tree: FakeTree;

beforeEach(() => {
  tree = new FakeTree().plant('/a', '/a/b', '/a/c', '/a/b/d', '/z');
});

async function walked(path: string): Promise<string[]> {
  const steps: string[] = [];
  for await (const { path: each, depth } of walk(tree.asZooKeeper, path)) steps.push(`${depth} ${each}`);
  return steps;
}

describe('a walk', () => {
  it('goes level by level, parents before children, with the depths', async () => {
    expect(await walked('/a')).toEqual(['0 /a', '1 /a/b', '1 /a/c', '2 /a/b/d']);
  });

  it('passes over what vanishes meanwhile', async () => {
    tree.before = (call) => {
      if (call === 'getChildren /a/b') tree.nodes.delete('/a/b');
    };
    expect(await walked('/a')).toEqual(['0 /a', '1 /a/b', '1 /a/c']);
  });

  it('rejects where it would begin at nothing', async () => {
    await expect(walked('/missing')).rejects.toThrow('walk /missing: there is no such znode');
  });

  it('rejects with the first error that is no vanishing', async () => {
    tree.before = (call) => {
      if (call === 'getChildren /a/c') throw refusal(-102);
    };
    await expect(walked('/a')).rejects.toThrow(NoAuthError);
  });

  it('has at most 64 requests under way', async () => {
    for (let index = 0; index < 200; index++) tree.plant(`/z/${index}`);
    await walked('/z');
    expect(tree.mostUnderWay).toBe(64);
  });
});

describe('deleting a subtree', () => {
  it('takes all of it, and nothing else', async () => {
    await deleteTree(tree.asZooKeeper, '/a');
    expect(tree.paths).toEqual(['/', '/z']);
  });

  it('of 250 children takes transactions of at most 100 deletes', async () => {
    for (let index = 0; index < 250; index++) tree.plant(`/z/${index}`);
    await deleteTree(tree.asZooKeeper, '/z');
    const batches = tree.calls.filter((call) => call.startsWith('multi'));
    expect(batches).toEqual(['multi 100', 'multi 100', 'multi 50', 'multi 1']);
    expect(tree.paths).not.toContain('/z');
  });

  it('that is not there is done already', async () => {
    await expect(deleteTree(tree.asZooKeeper, '/missing')).resolves.toBeUndefined();
  });

  it('goes on where somebody else has deleted a part', async () => {
    tree.before = (call) => {
      if (call === 'multi 2') tree.nodes.delete('/a/c');
    };
    await deleteTree(tree.asZooKeeper, '/a');
    expect(tree.paths).toEqual(['/', '/z']);
  });

  it('starts over where somebody else has created a child', async () => {
    let created = false;
    tree.before = (call) => {
      if (call === 'multi 2' && !created) {
        created = true;
        tree.plant('/a/c/new');
      }
    };
    await deleteTree(tree.asZooKeeper, '/a');
    expect(tree.paths).toEqual(['/', '/z']);
  });

  it('gives up where others create faster', async () => {
    let count = 0;
    tree.before = (call) => {
      if (call.startsWith('multi')) tree.plant(`/z/${count++}`);
    };
    await expect(deleteTree(tree.asZooKeeper, '/z')).rejects.toThrow(NotEmptyError);
    expect(count).toBeLessThan(50);
  });

  it('rejects with any other refusal', async () => {
    tree.before = (call) => {
      if (call.startsWith('multi') || call.startsWith('delete')) throw refusal(-102);
    };
    await expect(deleteTree(tree.asZooKeeper, '/a')).rejects.toThrow(NoAuthError);
  });
});

it('each request has the limits that were given', async () => {
  const limits = { timeout: 5, signal: new AbortController().signal };
  const zk = tree.asZooKeeper;
  tree.before = (call) => {
    if (call === 'multi 2') throw refusal(-101);
  };
  for await (const { path } of walk(zk, '/z', limits)) expect(path).toBe('/z');
  await childrenWithData(zk, '/a', limits);
  await deleteTree(zk, '/a', limits);
  expect(tree.calls).toContain('delete /a/b');
  expect(tree.limits).toEqual(tree.limits.map(() => limits));
});

describe('the children with their data', () => {
  it('come by name', async () => {
    const children = await childrenWithData(tree.asZooKeeper, '/a');
    expect([...children].map(([name, node]) => [name, node.text()])).toEqual([
      ['b', '/a/b'],
      ['c', '/a/c'],
    ]);
  });

  it('leave out those that vanish meanwhile', async () => {
    tree.before = (call) => {
      if (call === 'getData /a/b') tree.nodes.delete('/a/b');
    };
    expect([...(await childrenWithData(tree.asZooKeeper, '/a')).keys()]).toEqual(['c']);
  });

  it('reject where there is no parent', async () => {
    await expect(childrenWithData(tree.asZooKeeper, '/missing')).rejects.toThrow(NoNodeError);
  });
});
