import { describe, expect, it } from '@jest/globals';
import { BadVersionError, NoNodeError } from 'zookit';
import { useClients } from './clients.js';

const clients = useClients();

describe('getData', () => {
  it('gives data and stat', async () => {
    const { path } = await clients.zk.create(`${await clients.folder()}/n`, '{"answer":[42]}');
    const node = await clients.zk.getData(path);
    expect(node.text()).toBe('{"answer":[42]}');
    expect(node.json()).toEqual({ answer: [42] });
    expect(node.stat).toEqual(await clients.zk.exists(path));
  });

  it('gives a copy of the data, which later replies leave alone', async () => {
    const { path } = await clients.zk.create(`${await clients.folder()}/n`, 'first');
    const first = await clients.zk.getData(path);
    await clients.zk.setData(path, 'SECOND');
    const second = await clients.zk.getData(path);
    expect([first.text(), second.text()]).toEqual(['first', 'SECOND']);
  });

  it('of a missing znode is NoNodeError', async () => {
    await expect(clients.zk.getData('/none')).rejects.toThrow(NoNodeError);
  });

  it('is seen by another client after its sync', async () => {
    const folder = await clients.folder();
    const other = await clients.another();
    await clients.zk.setData(folder, 'from one');
    await other.sync(folder);
    expect((await other.getData(folder)).text()).toBe('from one');
    await other.setData(folder, 'from the other');
    await clients.zk.sync();
    expect((await clients.zk.getData(folder)).text()).toBe('from the other');
  });
});

describe('setData', () => {
  it('replaces the data, and counts the version up, also when nothing changes', async () => {
    const folder = await clients.folder();
    const versions = [];
    for (const data of ['a', 'b', 'b', '', null]) versions.push((await clients.zk.setData(folder, data)).version);
    expect(versions).toEqual([1, 2, 3, 4, 5]);
    expect(await clients.zk.getData(folder)).toMatchObject({ isNull: true, stat: { version: 5 } });
  });

  it.each<[string, string | Uint8Array | null, boolean, string]>([
    ['text', 'Zoë', false, '5a6fc3ab'],
    ['bytes', Uint8Array.of(0, 128, 255), false, '0080ff'],
    ['no bytes', '', false, ''],
    ['null', null, true, ''],
  ])('R7: %s comes back as it is', async (_, data, isNull, hex) => {
    const folder = await clients.folder();
    await clients.zk.setData(folder, 'before');
    const stat = await clients.zk.setData(folder, data);
    const node = await clients.zk.getData(folder);
    expect([node.isNull, node.data.toString('hex')]).toEqual([isNull, hex]);
    expect(node.stat).toEqual(stat);
  });

  it('replaces only the version that was given', async () => {
    const folder = await clients.folder();
    const { version } = await clients.zk.setData(folder, 'mine', 0);
    await expect(clients.zk.setData(folder, 'late', 0)).rejects.toThrow(BadVersionError);
    expect((await clients.zk.getData(folder)).text()).toBe('mine');
    await clients.zk.setData(folder, 'next', version);
    expect((await clients.zk.getData(folder)).text()).toBe('next');
  });

  it('of 20 writers of one version one wins', async () => {
    const folder = await clients.folder();
    const writers = Array.from({ length: 20 }, (_, index) => clients.zk.setData(folder, `writer ${index}`, 0));
    const outcomes = await Promise.allSettled(writers);
    // The requests of one session are carried out in order: the first one it is.
    expect(outcomes.map(({ status }) => status === 'fulfilled')).toEqual(outcomes.map((_, index) => index === 0));
    expect((await clients.zk.getData(folder)).text()).toBe('writer 0');
  });
});
