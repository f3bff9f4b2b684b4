import { beforeAll, describe, expect, it } from '@jest/globals';
import { NoNodeError, type OneShotEvent, type ZooKeeper } from 'zookit';
import { knows } from '../support/features.js';
import { Recorder, useClients } from './clients.js';

const clients = useClients();
let other: ZooKeeper;
beforeAll(async () => {
  other = await clients.another();
});

type Watch = (event: OneShotEvent) => void;
type Read = (path: string, watch: Watch) => Promise<unknown>;
const reads: [string, Read][] = [
  ['getData', (path, watch) => clients.zk.getData(path, { watch })],
  ['exists', (path, watch) => clients.zk.exists(path, { watch })],
  ['getChildren', (path, watch) => clients.zk.getChildren(path, { watch })],
  ['getChildren with stat', (path, watch) => clients.zk.getChildren(path, { watch, stat: true })],
];

/** Changes that every kind of one-shot watch is told of. */
async function changeTwice(path: string): Promise<void> {
  for (const round of ['1', '2']) {
    await other.setData(path, round);
    await other.create(`${path}/${round}`);
  }
}

describe.each(reads)('a watch by %s', (name, read) => {
  const told = (path: string): string =>
    `${name.startsWith('getChildren') ? 'childrenChanged' : 'dataChanged'} ${path}`;

  it('tells once', async () => {
    const path = await clients.folder();
    const recorder = new Recorder();
    await read(path, recorder.tell);
    await changeTwice(path);
    await clients.zk.sync();
    expect(recorder.seen).toEqual([told(path)]);
  });

  it('tells the first change after each read', async () => {
    const path = await clients.folder();
    const recorder = new Recorder();
    for (let round = 0; round < 3; round++) {
      await read(path, recorder.tell);
      await other.setData(path, String(round));
      await other.create(`${path}/${round}`);
      await clients.zk.sync();
    }
    expect(recorder.seen).toEqual(Array(3).fill(told(path)));
  });

  it('may be left again from inside the listener', async () => {
    const path = await clients.folder();
    const recorder = new Recorder();
    const again: Promise<unknown>[] = [];
    const watch = (event: OneShotEvent): void => {
      recorder.tell(event);
      if (recorder.seen.length < 3) again.push(read(path, watch));
    };
    await read(path, watch);
    for (let round = 0; round < 5; round++) {
      await other.setData(path, String(round));
      await other.create(`${path}/${round}`);
      await clients.zk.sync();
      await Promise.all(again);
    }
    expect(recorder.seen).toEqual(Array(3).fill(told(path)));
  });

  it('B5: by the same function twice tells it once, by two functions each of them', async () => {
    const path = await clients.folder();
    const [same, another] = [new Recorder(), new Recorder()];
    await Promise.all([read(path, same.tell), read(path, same.tell), read(path, another.tell)]);
    await read(path, same.tell);
    await changeTwice(path);
    await clients.zk.sync();
    expect(same.seen).toEqual([told(path)]);
    expect(another.seen).toEqual([told(path)]);
  });

  it('of one client tells nothing to another', async () => {
    const path = await clients.folder();
    const [mine, theirs] = [new Recorder(), new Recorder()];
    await read(path, mine.tell);
    await other.getData(path, { watch: theirs.tell });
    await other.delete(path);
    await clients.zk.sync();
    expect(mine.seen).toEqual([`deleted ${path}`]);
    expect(theirs.seen).toEqual([`deleted ${path}`]);
  });
});

describe('one function', () => {
  it('B5: that watches data, existence and children is told of a deletion once', async () => {
    const path = await clients.folder();
    const recorder = new Recorder();
    for (const [, read] of reads) await read(path, recorder.tell);
    await other.delete(path);
    await clients.zk.sync();
    expect(recorder.seen).toEqual([`deleted ${path}`]);
  });

  it('that watches two paths is told of both', async () => {
    const [a, b] = [await clients.folder(), await clients.folder()];
    const recorder = new Recorder();
    await clients.zk.getData(a, { watch: recorder.tell });
    await clients.zk.getData(b, { watch: recorder.tell });
    await other.transaction().setData(b, 'x').setData(a, 'x').commit();
    await clients.zk.sync();
    expect(recorder.seen).toEqual([`dataChanged ${b}`, `dataChanged ${a}`]);
  });
});

describe('a read of a missing znode', () => {
  it('by exists watches for its creation', async () => {
    const path = `${await clients.folder()}/n`;
    const recorder = new Recorder();
    expect(await clients.zk.exists(path, { watch: recorder.tell })).toBeNull();
    await other.create(path);
    await other.setData(path, 'x');
    await clients.zk.sync();
    expect(recorder.seen).toEqual([`created ${path}`]);
  });

  it.each(reads.filter(([name]) => name !== 'exists'))('by %s watches nothing', async (_, read) => {
    const path = `${await clients.folder()}/n`;
    const recorder = new Recorder();
    await expect(read(path, recorder.tell)).rejects.toThrow(NoNodeError);
    await other.create(path);
    await changeTwice(path);
    await clients.zk.sync();
    expect(recorder.seen).toEqual([]);
  });
});

describe('B6: a transaction that sets /a, deletes /b and creates /c/x', () => {
  it('tells the watches of all three, in its order', async () => {
    const at = await clients.folder();
    const [a, b, c] = [`${at}/a`, `${at}/b`, `${at}/c`];
    for (const path of [a, b, c]) await other.create(path);
    const recorder = new Recorder();
    await clients.zk.getData(a, { watch: recorder.tell });
    await clients.zk.exists(b, { watch: recorder.tell });
    await clients.zk.getChildren(c, { watch: recorder.tell });
    await other.transaction().setData(a, 'x').delete(b).create(`${c}/x`).commit();
    await clients.zk.sync();
    expect(recorder.seen).toEqual([`dataChanged ${a}`, `deleted ${b}`, `childrenChanged ${c}`]);
  });

  it('tells nothing if it fails', async () => {
    const at = await clients.folder();
    const recorder = new Recorder();
    await clients.zk.getData(at, { watch: recorder.tell });
    if (knows('addWatch')) await clients.zk.addWatch(at, { recursive: true, onEvent: recorder.tell });
    const failing = other.transaction().setData(at, 'x').create(`${at}/x`).check(`${at}/none`).commit();
    await expect(failing).rejects.toThrow(NoNodeError);
    await clients.zk.sync();
    expect(recorder.seen).toEqual([]);
  });
});
