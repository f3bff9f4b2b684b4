import { describe, expect, it } from '@jest/globals';
import { DelayQueue, IdQueue, PriorityQueue, Queue, type QueueItem, queueSerializers } from 'zookit/recipes';
import { until } from '../support/until.js';
import type { PeerRecipe } from './peer.js';
import { usePeers } from './peers.js';

const peers = usePeers();
const serializer = queueSerializers.text;
const timeout = 20_000;

/** Takes so many items and is done with each. */
async function takeOurs(queue: { take(wait: object): Promise<QueueItem<string>> }, count: number): Promise<string[]> {
  const taken: string[] = [];
  while (taken.length < count) {
    const item = await queue.take({ timeout });
    taken.push(...item.values);
    await item.ack();
  }
  return taken;
}

async function takeTheirs(queue: PeerRecipe, count: number): Promise<unknown[]> {
  const taken: unknown[] = [];
  while (taken.length < count) taken.push(await queue.call('take', { timeout }));
  return taken;
}

async function untilEmpty(path: string): Promise<void> {
  await until(async () => (await peers.zk.getChildren(path)).length === 0, { what: 'an empty queue' });
}

describe('Curator', () => {
  it('DistributedQueue: what Java puts is taken here, in order, several in one item included', async () => {
    const path = '/queue-in';
    await using java = await peers.curator.open('queue', path);
    for (const value of ['a', 'b', 'c']) await java.call('put', { value });
    await java.call('put', { values: ['d', 'e'] });
    expect(await takeOurs(new Queue(peers.zk, path, { serializer }), 5)).toEqual(['a', 'b', 'c', 'd', 'e']);
    await untilEmpty(path);
  });

  it('DistributedQueue: what is put here is taken by Java, in order, several in one item included', async () => {
    const path = '/queue-out';
    const queue = new Queue(peers.zk, path, { serializer });
    await queue.putAll(['a', 'b', 'c']);
    await queue.putMulti(['d', 'e']);
    await using java = await peers.curator.open('queue', path, { consumes: true, lockPath: queue.lockPath });
    expect(await takeTheirs(java, 5)).toEqual(['a', 'b', 'c', 'd', 'e']);
    await untilEmpty(path);
  });

  it('DistributedQueue with a lock path: takers of both share the items, each of which goes to one', async () => {
    const path = '/queue-shared';
    const queue = new Queue<string>(peers.zk, path, { serializer });
    await using java = await peers.curator.open('queue', path, { consumes: true, lockPath: queue.lockPath });
    const ours: string[] = [];
    await using _ = queue.consume((value) => void ours.push(value));
    const items = Array.from({ length: 60 }, (_, index) => `item-${index}`);
    for (const item of items) await queue.put(item);
    await untilEmpty(path);
    const theirs: unknown[] = [];
    for (let left = items.length - ours.length; left > 0; left--) theirs.push(await java.call('take', { timeout }));
    expect([...ours, ...theirs].sort()).toEqual([...items].sort());
  });

  it('an item that Java has under its lock is not taken here', async () => {
    const path = '/queue-locked';
    const queue = new Queue<string>(peers.zk, path, { serializer });
    await queue.put('a');
    const [name = ''] = await peers.zk.getChildren(path);
    await peers.zk.create(`${queue.lockPath}/${name}`, null, { mode: 'ephemeral', parents: 'container' });
    expect(await queue.poll()).toBeUndefined();
    await peers.zk.delete(`${queue.lockPath}/${name}`);
    expect(await takeOurs(queue, 1)).toEqual(['a']);
  });

  it('DistributedPriorityQueue: both put, both see the most urgent first', async () => {
    const path = '/queue-priority';
    const queue = new PriorityQueue<string>(peers.zk, path, { serializer });
    await using java = await peers.curator.open('priorityQueue', path);
    await queue.put('low', { priority: 10 });
    await java.call('put', { value: 'high', priority: -5 });
    await queue.put('middle', { priority: 0 });
    await java.call('put', { value: 'lowest', priority: 2_000_000_000 });
    expect(await takeOurs(queue, 4)).toEqual(['high', 'middle', 'low', 'lowest']);
    await queue.putAll(['b'], { priority: 7 });
    await queue.putAll(['a'], { priority: -7 });
    await using consumer = await peers.curator.open('priorityQueue', path, {
      consumes: true,
      lockPath: queue.lockPath,
    });
    expect(await takeTheirs(consumer, 2)).toEqual(['a', 'b']);
  });

  it('DistributedDelayQueue: nothing comes before its moment, and the earliest first', async () => {
    const path = '/queue-delay';
    const queue = new DelayQueue<string>(peers.zk, path, { serializer });
    await using java = await peers.curator.open('delayQueue', path);
    const now = Date.now();
    await java.call('put', { value: 'later', due: now + 1_500 });
    await queue.put('sooner', { at: now + 1_000 });
    expect(await queue.poll()).toBeUndefined();
    expect(await takeOurs(queue, 2)).toEqual(['sooner', 'later']);
    expect(Date.now()).toBeGreaterThanOrEqual(now + 1_500);
    const due = Date.now() + 500;
    await queue.put('for Java', { at: due });
    await using consumer = await peers.curator.open('delayQueue', path, { consumes: true, lockPath: queue.lockPath });
    expect(await takeTheirs(consumer, 1)).toEqual(['for Java']);
    expect(Date.now()).toBeGreaterThanOrEqual(due);
  });

  it('DistributedIdQueue: ids are the same on both sides', async () => {
    const path = '/queue-id';
    const queue = new IdQueue<string>(peers.zk, path, { serializer });
    await using java = await peers.curator.open('idQueue', path);
    await java.call('put', { value: 'a', itemId: 'first' });
    await java.call('put', { value: 'b', itemId: 'second' });
    expect([await queue.has('first'), await queue.remove('first')]).toEqual([true, 1]);
    await queue.put('c', { id: 'third' });
    expect(await takeOurs(queue, 1)).toEqual(['b']);
    await using consumer = await peers.curator.open('idQueue', path, { consumes: true, lockPath: queue.lockPath });
    expect(await takeTheirs(consumer, 1)).toEqual(['c']);
  });

  it('SimpleDistributedQueue: bare bytes, by the layout "simple"', async () => {
    const path = '/queue-simple';
    const queue = new Queue<string>(peers.zk, path, { serializer, layout: 'simple' });
    const java = await peers.curator.open('simpleQueue', path);
    await java.call('put', { value: 'a' });
    await queue.put('b');
    expect(await takeOurs(queue, 1)).toEqual(['a']);
    expect(await takeTheirs(java, 1)).toEqual(['b']);
  });
});

describe('kazoo', () => {
  it('LockingQueue: both put, both take, the most urgent first, and what one has the other does not get', async () => {
    const path = '/queue-kazoo';
    const queue = new PriorityQueue<string>(peers.zk, path, { serializer, layout: 'kazoo' });
    const python = await peers.kazoo.open('lockingQueue', path);
    await python.call('put', { value: 'second', priority: 50 });
    await queue.put('first', { priority: 7 });
    await queue.put('third');
    const item = await queue.take({ timeout });
    expect(item.value).toBe('first');
    expect(await python.call('take', { timeout })).toBe('second');
    const third = await queue.take({ timeout });
    expect(third.value).toBe('third');
    expect(await queue.poll()).toBeUndefined();
    expect(await python.call('release')).toBe(true);
    await item.ack();
    expect(await takeOurs(queue, 1)).toEqual(['second']);
    await third.release();
    expect(await python.call('take', { timeout })).toBe('third');
    expect(await python.call('consume')).toBe(true);
    await untilEmpty(`${path}/entries`);
  });
});
