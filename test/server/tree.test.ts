import { describe, expect, it } from '@jest/globals';
import { acl, NoAuthError, NodeExistsError, NoNodeError, type ZooKeeper } from 'zookit';
import { useClients } from './clients.js';

const clients = useClients();

/** Creates `fanout` znodes on each of three levels: `fanout + fanout^2 + fanout^3` of them. */
async function plant(zk: ZooKeeper, root: string, fanout: number): Promise<number> {
  const names = Array.from({ length: fanout }, (_, index) => `n${index}`);
  let level = [root];
  let planted = 0;
  for (let depth = 0; depth < 3; depth++) {
    level = level.flatMap((parent) => names.map((name) => `${parent}/${name}`));
    await Promise.all(level.map((path) => zk.create(path)));
    planted += level.length;
  }
  return planted;
}

async function pathsBelow(zk: ZooKeeper, root: string): Promise<string[]> {
  const paths = [];
  for await (const { path } of zk.walk(root)) paths.push(path);
  return paths;
}

describe('ensurePath', () => {
  it('creates what is missing and leaves alone what is there', async () => {
    const folder = await clients.folder();
    await clients.zk.create(`${folder}/a`, 'keep');
    await clients.zk.ensurePath(`${folder}/a/b/c`);
    await clients.zk.ensurePath(`${folder}/a/b/c`);
    expect((await clients.zk.getData(`${folder}/a`)).text()).toBe('keep');
    expect(await clients.zk.getData(`${folder}/a/b/c`)).toMatchObject({ isNull: true, stat: { version: 0 } });
  });

  it('R5: by 20 clients at once, with a parent that they may not read, succeeds for all', async () => {
    const folder = await clients.folder();
    await clients.zk.create(`${folder}/a`, null, { acl: [acl.world('create')] });
    const all = await Promise.all(Array.from({ length: 20 }, () => clients.another()));
    await Promise.all(all.map((zk) => zk.ensurePath(`${folder}/a/b/c`)));
    expect((await clients.zk.exists(`${folder}/a/b`))?.numChildren).toBe(1);
    const outcomes = await Promise.allSettled(all.map((zk) => zk.create(`${folder}/a/x/y`, 'data', { parents: true })));
    const refused = outcomes.filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
    expect(refused).toHaveLength(19);
    for (const { reason } of refused) expect(reason).toBeInstanceOf(NodeExistsError);
    expect((await clients.zk.getData(`${folder}/a/x/y`)).text()).toBe('data');
    expect((await clients.zk.getData(`${folder}/a/x`)).isNull).toBe(true);
    await Promise.all(all.map((zk) => zk.upsert(`${folder}/a/u/v`, 'data')));
    expect((await clients.zk.getData(`${folder}/a/u/v`)).text()).toBe('data');
    expect((await clients.zk.getData(`${folder}/a/u`)).isNull).toBe(true);
    await Promise.all(all.map((zk) => zk.close()));
  });

  it('needs no permission on what is there already', async () => {
    const folder = await clients.folder();
    await clients.zk.create(`${folder}/a/b`, null, { parents: true });
    await clients.zk.setAcl(`${folder}/a`, [acl.world('read', 'admin')]);
    await clients.zk.ensurePath(`${folder}/a/b`);
    await expect(clients.zk.ensurePath(`${folder}/a/c`)).rejects.toThrow(NoAuthError);
    expect(await clients.zk.getChildren(`${folder}/a`)).toEqual(['b']);
  });
});

describe('upsert', () => {
  it('creates with parents, then writes', async () => {
    const folder = await clients.folder();
    await clients.zk.upsert(`${folder}/a/b`, 'one', { acl: [acl.world('read', 'write')] });
    await clients.zk.upsert(`${folder}/a/b`, 'two');
    const node = await clients.zk.getData(`${folder}/a/b`);
    expect([node.text(), node.stat.version]).toEqual(['two', 1]);
    expect((await clients.zk.getAcl(`${folder}/a/b`)).acl).toEqual([acl.world('read', 'write')]);
  });

  it('by many at once, and while others delete, succeeds for all', async () => {
    const folder = await clients.folder();
    const other = await clients.another();
    const writes = Array.from({ length: 50 }, (_, index) => clients.zk.upsert(`${folder}/n`, `write ${index}`));
    const deletes = Array.from({ length: 20 }, () => other.delete(`${folder}/n`));
    await Promise.allSettled(deletes);
    await Promise.all(writes);
    await clients.zk.upsert(`${folder}/n`, 'last');
    expect((await clients.zk.getData(`${folder}/n`)).text()).toBe('last');
  });

  it('passes other errors on', async () => {
    const folder = await clients.folder();
    await clients.zk.create(`${folder}/n`, null, { acl: acl.readOnly });
    await expect(clients.zk.upsert(`${folder}/n`, 'x')).rejects.toThrow(NoAuthError);
  });
});

describe('walk', () => {
  it('gives each znode once with its depth, parents first', async () => {
    const folder = await clients.folder();
    const planted = await plant(clients.zk, folder, 4);
    const walked = [];
    for await (const each of clients.zk.walk(folder)) walked.push(each);
    expect(walked[0]).toEqual({ path: folder, depth: 0 });
    expect(new Set(walked.map(({ path }) => path)).size).toBe(planted + 1);
    expect(walked.map(({ depth }) => depth)).toEqual(walked.map(({ path }) => path.split('/').length - 2));
    expect(walked.map(({ depth }) => depth)).toEqual(walked.map(({ depth }) => depth).sort());
  });

  it('may be left early', async () => {
    const folder = await clients.folder();
    await plant(clients.zk, folder, 3);
    for await (const { depth } of clients.zk.walk(folder)) if (depth === 1) break;
    expect(await clients.zk.has(folder)).toBe(true);
  });

  it('passes over what vanishes meanwhile', async () => {
    const folder = await clients.folder();
    await clients.zk.create(`${folder}/a/b`, null, { parents: true });
    const walk = clients.zk.walk(folder);
    expect((await walk.next()).value).toEqual({ path: folder, depth: 0 });
    expect((await walk.next()).value).toEqual({ path: `${folder}/a`, depth: 1 });
    await clients.zk.deleteTree(`${folder}/a`);
    expect(await walk.next()).toEqual({ done: true, value: undefined });
  });

  it('of a missing znode is NoNodeError', async () => {
    await expect(pathsBelow(clients.zk, '/none')).rejects.toMatchObject({
      code: 'NO_NODE',
      operation: 'walk',
      path: '/none',
    });
  });
});

describe('getChildrenData', () => {
  it('gives the data of each child by name', async () => {
    const folder = await clients.folder();
    for (const name of ['b', 'a']) await clients.zk.create(`${folder}/${name}`, `data of ${name}`);
    await clients.zk.create(`${folder}/a/below`, 'not a child');
    const children = await clients.zk.getChildrenData(folder);
    expect([...children.keys()].sort()).toEqual(['a', 'b']);
    expect(children.get('a')?.text()).toBe('data of a');
    expect(children.get('b')?.stat).toEqual(await clients.zk.exists(`${folder}/b`));
  });

  it('of no children is empty, of a missing znode NoNodeError', async () => {
    expect((await clients.zk.getChildrenData(await clients.folder())).size).toBe(0);
    await expect(clients.zk.getChildrenData('/none')).rejects.toThrow(NoNodeError);
  });
});

describe('deleteTree', () => {
  it('deletes a znode and thousands below it', async () => {
    const folder = await clients.folder();
    const planted = await plant(clients.zk, folder, 14);
    expect(planted).toBeGreaterThan(2_900);
    await clients.zk.deleteTree(folder);
    expect(await clients.zk.has(folder)).toBe(false);
  });

  it('leaves neighbours alone, and does nothing where there is nothing', async () => {
    const folder = await clients.folder();
    await clients.zk.create(`${folder}/a`);
    await clients.zk.create(`${folder}/ab`);
    await clients.zk.deleteTree(`${folder}/a`);
    await clients.zk.deleteTree(`${folder}/a`);
    expect(await clients.zk.getChildren(folder)).toEqual(['ab']);
  });

  it('by several clients at once succeeds for all', async () => {
    const folder = await clients.folder();
    await plant(clients.zk, folder, 8);
    const all = await Promise.all([clients.another(), clients.another(), clients.another()]);
    await Promise.all([clients.zk, ...all].map((zk) => zk.deleteTree(folder)));
    expect(await clients.zk.has(folder)).toBe(false);
  });

  it('goes on when others create below it meanwhile', async () => {
    const folder = await clients.folder();
    await plant(clients.zk, folder, 6);
    const creator = await clients.another();
    // As soon as the deletion has begun, others create below a parent that it has already listed.
    let creations: Promise<unknown> = Promise.resolve();
    let begun = false;
    const begin = (): void => {
      if (begun) return;
      begun = true;
      creations = Promise.allSettled(['n0/late', 'n3/late', 'late'].map((name) => creator.create(`${folder}/${name}`)));
    };
    for await (const { path } of clients.zk.walk(folder)) await clients.zk.getChildren(path, { watch: begin });
    await clients.zk.deleteTree(folder);
    await creations;
    expect(await clients.zk.has(folder)).toBe(false);
  });

  it('says what stands in its way', async () => {
    const folder = await clients.folder();
    await clients.zk.create(`${folder}/a/b`, null, { parents: true });
    await clients.zk.setAcl(`${folder}/a`, [acl.world('read', 'admin')]);
    await expect(clients.zk.deleteTree(folder)).rejects.toMatchObject({ code: 'NO_AUTH', path: `${folder}/a/b` });
  });
});
