import { describe, expect, it } from '@jest/globals';
import { BadVersionError, NoNodeError, NotEmptyError } from 'zookit';
import { useClients } from './clients.js';

const clients = useClients();

describe('delete', () => {
  it('deletes a znode, whatever its version', async () => {
    const folder = await clients.folder();
    await clients.zk.setData(folder, 'changed');
    expect(await clients.zk.delete(folder)).toBeUndefined();
    expect(await clients.zk.exists(folder)).toBeNull();
  });

  it('deletes only the version that was given', async () => {
    const folder = await clients.folder();
    const { version } = await clients.zk.setData(folder, 'changed');
    await expect(clients.zk.delete(folder, version - 1)).rejects.toThrow(BadVersionError);
    expect(await clients.zk.has(folder)).toBe(true);
    await clients.zk.delete(folder, version);
    expect(await clients.zk.has(folder)).toBe(false);
  });

  it('of a missing znode is NoNodeError', async () => {
    const folder = await clients.folder();
    await expect(clients.zk.delete(`${folder}/none`)).rejects.toThrow(NoNodeError);
  });

  it('of a znode with children is NotEmptyError, and deletes nothing', async () => {
    const folder = await clients.folder();
    await clients.zk.create(`${folder}/child`);
    await expect(clients.zk.delete(folder)).rejects.toThrow(NotEmptyError);
    expect(await clients.zk.has(`${folder}/child`)).toBe(true);
  });

  it('of an ephemeral znode may be done by any session', async () => {
    const folder = await clients.folder();
    const owner = await clients.another();
    await owner.create(`${folder}/e`, null, { mode: 'ephemeral' });
    await clients.zk.delete(`${folder}/e`);
    expect(await owner.has(`${folder}/e`)).toBe(false);
  });
});

describe('exists and has', () => {
  it('exists gives the stat', async () => {
    const folder = await clients.folder();
    const before = Date.now();
    const created = await clients.zk.create(`${folder}/n`, '12345');
    const child = await clients.zk.create(`${folder}/n/child`);
    const written = await clients.zk.setData(`${folder}/n`, '1234567');
    const stat = await clients.zk.exists(`${folder}/n`);
    expect(stat).toEqual(written);
    expect(stat).toMatchObject({ version: 1, cversion: 1, aversion: 0, dataLength: 7, numChildren: 1 });
    expect(stat?.czxid.equals(created.zxid)).toBe(true);
    expect(stat?.pzxid.equals(child.zxid)).toBe(true);
    expect(stat?.mzxid.greaterThan(child.zxid)).toBe(true);
    // The server runs on this machine, so that both clocks are one.
    expect(stat?.ctime).toBeGreaterThanOrEqual(before);
    expect(stat?.mtime).toBeGreaterThanOrEqual(stat?.ctime ?? NaN);
    expect(stat?.mtime).toBeLessThanOrEqual(Date.now());
  });

  it('cversion counts creations and deletions of children', async () => {
    const folder = await clients.folder();
    await clients.zk.create(`${folder}/a`);
    await clients.zk.create(`${folder}/b`);
    await clients.zk.delete(`${folder}/a`);
    expect(await clients.zk.exists(folder)).toMatchObject({ cversion: 3, numChildren: 1 });
  });

  it('of a missing znode are null and false', async () => {
    const folder = await clients.folder();
    expect(await clients.zk.exists(`${folder}/none/below`)).toBeNull();
    expect(await clients.zk.has(`${folder}/none/below`)).toBe(false);
    expect(await clients.zk.has(folder)).toBe(true);
  });
});
