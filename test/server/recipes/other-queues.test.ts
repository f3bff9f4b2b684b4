import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError, InvalidPathError } from 'zookit';
import { DelayQueue, IdQueue, PriorityQueue, queueSerializers } from 'zookit/recipes';
import { until, within } from '../../support/until.js';
import { useClients } from '../clients.js';

const clients = useClients();
const options = { serializer: queueSerializers.text };

interface Polled {
  poll(): Promise<{ readonly value: string; ack(): Promise<void> } | undefined>;
}

async function drain(queue: Polled): Promise<string[]> {
  const values: string[] = [];
  for (;;) {
    const item = await queue.poll();
    if (item === undefined) return values;
    values.push(item.value);
    await item.ack();
  }
}

describe('PriorityQueue', () => {
  it('names its items as Curator does, and hands out the lowest number first', async () => {
    const queue = new PriorityQueue(clients.zk, `${await clients.folder()}/q`, options);
    await queue.put('ten', { priority: 10 });
    await queue.put('minus one', { priority: -1 });
    await queue.putAll(['zero', 'zero again']);
    await queue.putMulti(['lowest'], { priority: -(2 ** 31) });
    await queue.put('highest', { priority: 2 ** 31 - 1 });
    expect((await clients.zk.getChildren(queue.path)).sort()).toEqual([
      'queue-0800000000000000004',
      'queue-0FFFFFFFF0000000001',
      'queue-1000000000000000002',
      'queue-1000000000000000003',
      'queue-10000000A0000000000',
      'queue-17FFFFFFF0000000005',
    ]);
    expect(await drain(queue)).toEqual(['lowest', 'minus one', 'zero', 'zero again', 'ten', 'highest']);
  });

  it('hands out what is more urgent also when it came after a listing, and keeps the priority of what goes back', async () => {
    const queue = new PriorityQueue(clients.zk, `${await clients.folder()}/q`, options);
    await queue.putAll(['b', 'c'], { priority: 5 });
    const first = await queue.take();
    await queue.put('a', { priority: 1 });
    await queue.put('z', { priority: 9 });
    await first.nack();
    expect([first.value, await drain(queue)]).toEqual(['b', ['a', 'c', 'b', 'z']]);
  });

  it('gives each of several who ask at the same time another item', async () => {
    const queue = new PriorityQueue(clients.zk, `${await clients.folder()}/q`, options);
    await queue.putAll(['a', 'b', 'c']);
    const items = await Promise.all([queue.poll(), queue.poll(), queue.poll(), queue.poll()]);
    expect(items.map((item) => item?.value).sort()).toEqual(['a', 'b', 'c', undefined]);
    for (const item of items) await item?.ack();
  });

  it('takes several from one listing where it is told to', async () => {
    const queue = new PriorityQueue(clients.zk, `${await clients.folder()}/q`, {
      ...options,
      minItemsBeforeRefresh: 2,
    });
    await queue.putAll(['b', 'c', 'd'], { priority: 5 });
    const [first] = [await queue.take(), await queue.put('a', { priority: 1 })];
    await first.ack();
    expect(await drain(queue)).toEqual(['c', 'a', 'd']);
  });

  it('takes what Curator has put back without a priority first, as Curator does', async () => {
    const queue = new PriorityQueue(clients.zk, `${await clients.folder()}/q`, options);
    await queue.put('lowest', { priority: -(2 ** 31) });
    await clients.zk.create(`${queue.path}/queue-`, Buffer.from('0001000101000000016202', 'hex'), {
      mode: 'persistentSequential',
    });
    expect(await drain(queue)).toEqual(['b', 'lowest']);
  });

  it('uses the znodes of kazoo where it is told to', async () => {
    const path = `${await clients.folder()}/q`;
    const queue = new PriorityQueue(clients.zk, path, { ...options, layout: 'kazoo' });
    await queue.put('normal');
    await queue.put('urgent', { priority: 7 });
    const entries = await clients.zk.getChildrenData(`${path}/entries`);
    expect([...entries].map(([name, node]) => [name, node.text()]).sort()).toEqual([
      ['entry-007-0000000001', 'urgent'],
      ['entry-100-0000000000', 'normal'],
    ]);
    const item = await queue.take();
    expect([item.value, await clients.zk.getChildren(`${path}/taken`)]).toEqual(['urgent', ['entry-007-0000000001']]);
    await item.nack();
    expect(await drain(queue)).toEqual(['urgent', 'normal']);
    for (const priority of [-1, 1000, 1.5]) await expect(queue.put('a', { priority })).rejects.toThrow('from 0 to 999');
    await expect(queue.putMulti(['a', 'b'])).rejects.toThrow(InvalidArgumentError);
  });

  it('refuses what is no priority, and wrong options', async () => {
    const queue = new PriorityQueue(clients.zk, '/q', options);
    for (const priority of [2 ** 31, -(2 ** 31) - 1, 0.5, NaN])
      await expect(queue.put('a', { priority })).rejects.toThrow('a whole number of 32 bits');
    await expect(queue.put('a', { prio: 1 } as object)).rejects.toThrow('there is no option "prio"');
    expect(() => new PriorityQueue(clients.zk, '/q', { minItemsBeforeRefresh: 0 })).toThrow(
      'minItemsBeforeRefresh is 0',
    );
    expect(() => new PriorityQueue(clients.zk, '/q', { layout: 'simple' as 'kazoo' })).toThrow('the layout is simple');
  });
});

describe('DelayQueue', () => {
  it('names its items as Curator does', async () => {
    const queue = new DelayQueue(clients.zk, `${await clients.folder()}/q`, options);
    await queue.put('a', { at: new Date(0x18f0abc1234) });
    await queue.put('b', { at: 0xff });
    await queue.putMulti(['c'], { at: 0xfe });
    expect((await clients.zk.getChildren(queue.path)).sort()).toEqual([
      'queue-|000000FE|0000000002',
      'queue-|000000FF|0000000001',
      'queue-|18F0ABC1234|0000000000',
    ]);
    expect(await drain(queue)).toEqual(['c', 'b', 'a']);
  });

  it('hands out nothing before its moment, and then the earliest first', async () => {
    const queue = new DelayQueue(clients.zk, `${await clients.folder()}/q`, options);
    const begin = Date.now();
    await queue.put('later', { delay: 600 });
    await queue.put('sooner', { delay: 300 });
    await queue.put('in an hour', { at: begin + 3_600_000 });
    expect([await queue.poll(), await queue.peek(), await queue.size()]).toEqual([undefined, undefined, 3]);
    const taken: [string, boolean][] = [];
    for (const after of [300, 600]) {
      const item = await within(queue.take(), { what: 'the item' });
      taken.push([item.value, Date.now() - begin >= after]);
      await item.ack();
    }
    expect([taken, await queue.poll()]).toEqual([
      [
        ['sooner', true],
        ['later', true],
      ],
      undefined,
    ]);
  });

  it('wakes a taker who waits for a later item when an earlier one comes', async () => {
    const zk = await clients.another();
    const queue = new DelayQueue(zk, `${await clients.folder()}/q`, options);
    await queue.put('in an hour', { delay: 3_600_000 });
    const taking = queue.take();
    await until(() => zk.watches().length > 0, { what: 'the watch' });
    await queue.put('now', { delay: 0 });
    const item = await within(taking, { what: 'the item' });
    await item.ack();
    expect(item.value).toBe('now');
  });

  it('refuses what is no moment', async () => {
    const queue = new DelayQueue(clients.zk, '/q', options);
    for (const wrong of [{}, { at: 1, delay: 1 }])
      await expect(queue.put('a', wrong as never)).rejects.toThrow('not both');
    for (const delay of [-1, NaN]) await expect(queue.put('a', { delay })).rejects.toThrow('the delay is');
    for (const at of [0, NaN, new Date(NaN), 9e15])
      await expect(queue.put('a', { at })).rejects.toThrow('the moment is');
  });
});

describe('IdQueue', () => {
  it('takes out by id what nobody works on', async () => {
    const queue = new IdQueue(clients.zk, `${await clients.folder()}/q`, options);
    await queue.put('first', { id: 'order/42' });
    await queue.putAll(['a', 'b'], { id: 'order|42' });
    await queue.put('other', { id: 'x' });
    expect((await clients.zk.getChildren(queue.path)).sort()).toEqual([
      'queue-|order_42|0000000000',
      'queue-|order_42|0000000001',
      'queue-|order_42|0000000002',
      'queue-|x|0000000003',
    ]);
    const item = await queue.take();
    expect([item.value, await queue.has('order/42'), await queue.has('y')]).toEqual(['first', true, false]);
    expect([await queue.remove('order/42'), await queue.remove('order/42')]).toEqual([2, 0]);
    await item.nack();
    expect(await drain(queue)).toEqual(['other', 'first']);
  });

  it('is in the order in which items came, whatever they are called', async () => {
    const queue = new IdQueue(clients.zk, `${await clients.folder()}/q`, options);
    for (const id of ['z', 'queue-', 'a', '|']) await queue.put(id, { id });
    expect(await drain(queue)).toEqual(['z', 'queue-', 'a', '|']);
  });

  it('refuses what no name may have', async () => {
    const queue = new IdQueue(clients.zk, '/q', options);
    for (const id of ['', 5 as never]) await expect(queue.put('a', { id })).rejects.toThrow(InvalidArgumentError);
    await expect(queue.put('a', { id: '\0' })).rejects.toThrow(InvalidPathError);
  });
});
