import { describe, expect, it } from '@jest/globals';
import { NoNodeError } from 'zookit';
import { needs } from '../support/features.js';
import { expectFailure, useClients } from './clients.js';

const clients = useClients();

describe('getChildren', () => {
  it('gives the names of the children, not of those below', async () => {
    const folder = await clients.folder();
    for (const name of ['b', 'a', 'b/below', 'ä–世']) await clients.zk.create(`${folder}/${name}`);
    expect((await clients.zk.getChildren(folder)).sort()).toEqual(['a', 'b', 'ä–世']);
    expect(await clients.zk.getChildren(`${folder}/a`)).toEqual([]);
  });

  it('gives the stat of the parent as well, if asked to', async () => {
    const folder = await clients.folder();
    await clients.zk.create(`${folder}/a`);
    const { children, stat } = await clients.zk.getChildren(folder, { stat: true });
    expect(children).toEqual(['a']);
    expect(stat).toEqual(await clients.zk.exists(folder));
    expect(stat.numChildren).toBe(1);
  });

  it('of a missing znode is NoNodeError', async () => {
    await expect(clients.zk.getChildren('/none')).rejects.toThrow(NoNodeError);
    await expect(clients.zk.getChildren('/none', { stat: true })).rejects.toThrow(NoNodeError);
  });
});

describe('getAllChildrenNumber', () => {
  needs('getAllChildrenNumber')('counts all that is below', async () => {
    const folder = await clients.folder();
    for (const name of ['a', 'a/b', 'a/b/c', 'd']) await clients.zk.create(`${folder}/${name}`);
    // A neighbour whose path begins the same way.
    await clients.zk.create(`${folder}-more`);
    expect(await clients.zk.getAllChildrenNumber(folder)).toBe(4);
    expect(await clients.zk.getAllChildrenNumber(`${folder}/d`)).toBe(0);
  });

  needs('getAllChildrenNumber')('of a missing znode is NoNodeError', async () => {
    await expectFailure(clients.zk.getAllChildrenNumber('/none'), NoNodeError);
  });
});

describe('getEphemerals', () => {
  needs('getEphemerals')('gives those of this session at and below a path, and none of /ab for /a', async () => {
    const folder = await clients.folder();
    const mine = await clients.another();
    for (const name of ['a', 'ab']) await mine.create(`${folder}/${name}`);
    for (const name of ['a/1', 'a/2', 'ab/3', 'abc'])
      await mine.create(`${folder}/${name}`, null, { mode: 'ephemeral' });
    await clients.zk.create(`${folder}/a/other`, null, { mode: 'ephemeral' });
    expect((await mine.getEphemerals(`${folder}/a`)).sort()).toEqual([`${folder}/a/1`, `${folder}/a/2`]);
    expect(await mine.getEphemerals(`${folder}/abc`)).toEqual([`${folder}/abc`]);
    expect(await mine.getEphemerals(`${folder}/none`)).toEqual([]);
    expect(await mine.getEphemerals()).toHaveLength(4);
  });

  needs('getEphemerals')('shows no chroot, and nothing from outside of it', async () => {
    const folder = await clients.folder();
    const mine = await clients.another();
    for (const name of ['app', 'apple']) await mine.create(`${folder}/${name}`);
    const inside = mine.chroot(`${folder}/app`);
    await inside.create('/e', null, { mode: 'ephemeral' });
    await mine.create(`${folder}/apple/x`, null, { mode: 'ephemeral' });
    expect(await inside.getEphemerals()).toEqual(['/e']);
    expect(await inside.getEphemerals('/e')).toEqual(['/e']);
    expect((await mine.getEphemerals('/')).sort()).toEqual([`${folder}/app/e`, `${folder}/apple/x`]);
  });
});

describe('sync', () => {
  it('takes a path that is not there, and gives nothing', async () => {
    expect(await clients.zk.sync('/none/at/all')).toBeUndefined();
    expect(await clients.zk.sync()).toBeUndefined();
  });
});
