import { expect, it } from '@jest/globals';
import { UnansweredError } from 'zookit';
import { Queue, type QueueItem } from 'zookit/recipes';
import { type Delivery, findLosses, type Put } from '../../support/histories/deliveries.js';
import { findOverlaps } from '../../support/histories/holds.js';
import { Arena, judge, seeds } from './arena.js';

it.each(seeds())(
  'O1: what was put is taken at least once, by one at a time, and never after it is done: seed %d',
  async (seed) => {
    await using arena = await Arena.start(seed, 4);
    const puts: Put[] = [];
    const deliveries: Delivery[] = [];
    const put = async (queue: Queue<string>, item: string): Promise<void> => {
      try {
        await queue.put(item);
        puts.push({ item, outcome: 'stored' });
      } catch (error) {
        puts.push({ item, outcome: judge(error) === 'unknown' ? 'unknown' : 'refused' });
      }
    };
    /** What a consumer does with an item: mostly it finishes it. */
    const work = async (consumer: string, item: QueueItem<string>): Promise<void> => {
      const end = arena.holds.took(consumer, item, { what: item.value });
      const place = deliveries.push({ item: item.value, consumer, done: false }) - 1;
      await arena.linger(10);
      end();
      if (arena.chance(0.2)) return item.release();
      try {
        await item.ack();
        deliveries[place] = { ...deliveries[place]!, done: true };
      } catch (error) {
        // Its time was over, or nobody can tell: then it may come back.
        if (!(error instanceof UnansweredError) && item.held) throw error;
      }
    };
    let count = 0;
    await arena.play(async ({ name, zk }) => {
      const queue = new Queue<string>(zk, '/queue');
      if (arena.chance(0.5)) return put(queue, `item-${++count}`);
      const item = await queue.poll().catch((error: unknown) => void judge(error));
      if (item !== undefined) await work(name, item);
      await arena.linger(10);
    });
    const queue = new Queue<string>(arena.observer, '/queue');
    // What is left, each item once.
    for (let left = puts.length; left > 0 && (await queue.size()) > 0; left--) {
      await using item = await queue.take({ timeout: 30_000 });
      deliveries.push({ item: item.value, consumer: 'the last', done: true });
      await item.ack();
    }
    expect(puts.filter(({ outcome }) => outcome === 'stored').length).toBeGreaterThan(20);
    expect(findLosses(puts, deliveries)).toEqual([]);
    expect(findOverlaps(arena.holds.holds)).toEqual([]);
  },
  180_000,
);
