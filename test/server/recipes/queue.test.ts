import { describe, expect, it, test } from '@jest/globals';
import { AbortedError, InvalidArgumentError, OperationTimeoutError, type ZooKeeper } from 'zookit';
import { type DeadLetter, Queue, QueueItem, queueSerializers } from 'zookit/recipes';
import { gate, until, within } from '../../support/until.js';
import { failureOf, useClients } from '../clients.js';

const clients = useClients();
const { text } = queueSerializers;

/** Resolves when the folder has so many children; a folder that is missing has none. */
async function count(zk: ZooKeeper, path: string, children: number): Promise<void> {
  await until(async () => ((await zk.exists(path))?.numChildren ?? 0) === children, {
    what: `${children} children of ${path}`,
  });
}

/** A queue of texts, at a path of its own. */
async function textQueue(options: ConstructorParameters<typeof Queue<string>>[2] = {}): Promise<Queue<string>> {
  return new Queue<string>(clients.zk, `${await clients.folder()}/q`, { serializer: text, ...options });
}

/** The values that are in the queue, taken and done. */
async function drain<T>(queue: Queue<T>): Promise<T[]> {
  const values: T[] = [];
  for (;;) {
    const item = await queue.poll();
    if (item === undefined) return values;
    values.push(...item.values);
    await item.ack();
  }
}

describe('znodes', () => {
  it('are those of Curator, byte for byte', async () => {
    const queue = await textQueue();
    await queue.put('hello');
    await queue.putMulti(['m1', 'm2']);
    const items = await clients.zk.getChildrenData(queue.path);
    expect([...items].map(([name, { data }]) => [name, data.toString('hex')]).sort()).toEqual([
      ['queue-0000000000', '00010001010000000568656c6c6f02'],
      ['queue-0000000001', '000100010100000002' + '6d31' + '0100000002' + '6d32' + '02'],
    ]);
  });

  it('are an ephemeral lock of the same name for an item under work, and nothing when it is done', async () => {
    const queue = await textQueue();
    await queue.put('a');
    const item = await queue.take();
    const lock = await clients.zk.exists(`${queue.lockPath}/queue-0000000000`);
    expect([clients.zk.session.owns(lock!), item.path]).toEqual([true, `${queue.path}/queue-0000000000`]);
    expect(item.fencingToken).toEqual(lock?.czxid);
    await item.ack();
    await count(clients.zk, queue.path, 0);
    await count(clients.zk, queue.lockPath, 0);
    await count(clients.zk, `${queue.path}-puts`, 0);
  });

  it('of the layout "simple" are bare bytes under the names of SimpleDistributedQueue', async () => {
    const queue = await textQueue({ layout: 'simple' });
    await queue.put('hello');
    const items = await clients.zk.getChildrenData(queue.path);
    expect([...items].map(([name, node]) => [name, node.text()])).toEqual([['qn-0000000000', 'hello']]);
    await expect(queue.putMulti(['a', 'b'])).rejects.toThrow(InvalidArgumentError);
    expect(await drain(queue)).toEqual(['hello']);
  });

  it('of others are passed over', async () => {
    const queue = await textQueue();
    await queue.put('a');
    for (const name of ['foo', 'queue-', 'queue-12', 'queue-x0000000001', 'qn-0000000000'])
      await clients.zk.create(`${queue.path}/${name}`);
    expect([await queue.peek(), await drain(queue), await queue.peek()]).toEqual(['a', ['a'], undefined]);
  });
});

describe('put and take', () => {
  it('hand out what came first, once each', async () => {
    const queue = await textQueue();
    await queue.put('a');
    await queue.putAll(['b', 'c']);
    await queue.putAll([]);
    await queue.putMulti([]);
    expect([await queue.size(), await queue.peek()]).toEqual([3, 'a']);
    expect(await drain(queue)).toEqual(['a', 'b', 'c']);
    expect([await queue.size(), await queue.poll(), await queue.peek()]).toEqual([0, undefined, undefined]);
  });

  it('know a queue that is not there as one that is empty', async () => {
    const queue = await textQueue();
    expect([await queue.size(), await queue.poll(), await queue.peek()]).toEqual([0, undefined, undefined]);
    expect(await clients.zk.has(queue.path)).toBe(false);
  });

  it('wait for an item, also of another process, and where there is no queue yet', async () => {
    const queue = await textQueue();
    const other = new Queue<string>(await clients.another(), queue.path, { serializer: text });
    const taking = queue.take();
    await until(() => clients.zk.has(queue.path), { what: 'the queue' });
    await other.put('late');
    const item = await within(taking, { what: 'the item' });
    expect([item.value, item.attempt, item.held, item.signal.aborted]).toEqual(['late', 1, true, false]);
    await item.ack();
    expect([item.held, item.signal.aborted]).toEqual([false, true]);
  });

  it('give each of many takers another item', async () => {
    const queue = await textQueue();
    const other = new Queue<string>(await clients.another(), queue.path, { serializer: text });
    const taking = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? queue : other).take());
    const values = Array.from({ length: 20 }, (_, index) => String(index));
    await queue.putAll(values);
    const items = await within(Promise.all(taking), { what: 'the items' });
    expect(items.map(({ value }) => value).sort()).toEqual([...values].sort());
    await Promise.all(items.map((item) => item.ack()));
    expect(await queue.size()).toBe(0);
  });

  it('order by distance where the numbers wrap', async () => {
    const queue = await textQueue();
    await queue.put('x');
    await drain(queue);
    const numbers = ['2147483646', '2147483647', '-2147483648', '-2147483647'];
    for (const number of [...numbers].reverse())
      await clients.zk.create(
        `${queue.path}/queue-${number}`,
        `\0\x01\0\x01\x01\0\0\0${String.fromCharCode(number.length)}${number}\x02`,
      );
    expect(await drain(queue)).toEqual(numbers);
  });

  it('leave no lock and no watch behind when the wait ends', async () => {
    const zk = await clients.another();
    const queue = new Queue<string>(zk, (await textQueue()).path, { serializer: text });
    const abort = new AbortController();
    const taking = failureOf(queue.take({ signal: abort.signal }));
    await until(() => zk.watches().length > 0, { what: 'the watch' });
    abort.abort();
    expect(await taking).toBeInstanceOf(AbortedError);
    expect(await failureOf(queue.take({ timeout: 20 }))).toBeInstanceOf(OperationTimeoutError);
    await until(() => zk.watches().length === 0, { what: 'no watch' });
    await queue.put('a');
    // Now there is a watch on the locks as well.
    await using item = await new Queue<string>(clients.zk, queue.path, { serializer: text }).take();
    expect(await failureOf(queue.take({ timeout: 50 }))).toBeInstanceOf(OperationTimeoutError);
    await until(() => zk.watches().length === 0, { what: 'no watch' });
    await item.ack();
  });

  it('leave no watch while there are items', async () => {
    const zk = await clients.another();
    const queue = new Queue<string>(zk, (await textQueue()).path, { serializer: text });
    await queue.putAll(['a', 'b']);
    const [first, second] = [await queue.take(), await queue.take()];
    expect([first.value, second.value]).toEqual(['a', 'b']);
    await Promise.all([first.ack(), second.ack()]);
    await until(() => zk.watches().length === 0, { what: 'no watch' });
  });

  it('refuse a value that JSON does not know, and what is no serializer', async () => {
    const queue = new Queue(clients.zk, (await textQueue()).path);
    await expect(queue.put(undefined)).rejects.toThrow(InvalidArgumentError);
    const odd = { serialize: () => 5 as unknown as string, deserialize: () => 5 };
    await expect(new Queue(clients.zk, queue.path, { serializer: odd }).put(1)).rejects.toThrow('a string or bytes');
    await queue.put({ a: [1] });
    expect(await drain(queue)).toEqual([{ a: [1] }]);
  });
});

describe('an item', () => {
  it('that is given back is the next one again, and counts no attempt', async () => {
    const queue = await textQueue();
    await queue.putAll(['a', 'b']);
    const first = await queue.take();
    await first.release();
    const again = await queue.take();
    expect([again.value, again.attempt, again.id]).toEqual(['a', 1, first.id]);
    // What came first counts.
    await again.ack();
    await again.release();
    await again.nack();
    expect(await drain(queue)).toEqual(['b']);
  });

  it('that failed comes back at the end with its id and one more attempt, and its name stays as long', async () => {
    const queue = await textQueue();
    await queue.putAll(['a', 'b']);
    const { id } = await queue.take().then(async (item) => (await item.nack(), item));
    expect((await drain(new Queue<string>(clients.zk, queue.path, { serializer: text }))).length).toBe(2);
    await queue.put('c');
    const first = await queue.take();
    let { path } = first;
    await first.nack();
    for (let attempt = 2; attempt <= 100; attempt++) {
      const item = await queue.take();
      expect([item.attempt, item.id, item.path.length]).toEqual([attempt, first.id, path.length]);
      path = item.path;
      await item.nack();
    }
    expect([await queue.size(), id === first.id]).toEqual([1, false]);
  });

  it('whose lock somebody deletes is lost, and its ack is refused', async () => {
    const queue = await textQueue();
    await queue.put('a');
    const item = await queue.take();
    const lost = gate();
    item.signal.addEventListener('abort', () => lost.open());
    await clients.zk.delete(`${queue.lockPath}/queue-0000000000`);
    await within(lost.promise, { what: 'the loss' });
    const again = await queue.take();
    expect(item.held).toBe(false);
    // It stands again, as somebody else's; here of the same session, so only a deleted one shows the refusal.
    await again.ack();
    expect(await failureOf(item.ack())).toMatchObject({ code: 'ITEM_LOST' });
  });

  it('that somebody has deleted is done', async () => {
    const queue = await textQueue();
    await queue.putAll(['a', 'b']);
    const item = await queue.take();
    await clients.zk.delete(item.path);
    await item.nack();
    expect([await drain(queue), await clients.zk.getChildren(queue.lockPath)]).toEqual([['b'], []]);
  });

  it('that several values were put into is taken as a whole', async () => {
    const queue = await textQueue();
    await queue.putMulti(['a', 'b', 'c']);
    const item = await queue.take();
    expect(item.values).toEqual(['a', 'b', 'c']);
    expect(() => item.value).toThrow(InvalidArgumentError);
    expect(() => item.nackFrom(3)).toThrow(InvalidArgumentError);
    await item.nackFrom(1);
    const rest = await queue.take();
    expect([rest.values, rest.attempt, rest.id]).toEqual([['b', 'c'], 2, item.id]);
    await rest.ack();
  });

  it('is given back at the end of its block', async () => {
    const queue = await textQueue();
    await queue.put('a');
    {
      await using item = await queue.take();
      expect(item).toBeInstanceOf(QueueItem);
    }
    expect(await drain(queue)).toEqual(['a']);
  });
});

describe('dead letters', () => {
  it('are made of items that have had their attempts, also of those whose process died', async () => {
    const letters: DeadLetter[] = [];
    const options = { serializer: text, maxAttempts: 3, onDeadLetter: (letter: DeadLetter) => letters.push(letter) };
    const { path } = await textQueue();
    const queue = new Queue<string>(clients.zk, path, options);
    await queue.putMulti(['poison', 'beside']);
    await (await queue.take()).nack();
    await (await queue.take()).release();
    const dying = await clients.another();
    expect((await new Queue<string>(dying, path, options).take()).attempt).toBe(2);
    await dying.close();
    const last = await queue.take();
    expect(last.attempt).toBe(3);
    await last.nack();
    expect([await queue.poll(), await queue.size()]).toEqual([undefined, 0]);
    const dead = await new Queue<string>(clients.zk, queue.deadPath, { serializer: text }).take();
    expect([dead.values, dead.attempt, letters]).toEqual([
      ['poison', 'beside'],
      4,
      [{ path: last.path, reason: 'attempts' }],
    ]);
    await dead.ack();
  });

  it('are made of items whose last process died, when they are taken once more', async () => {
    const { path } = await textQueue();
    const options = { serializer: text, maxAttempts: 1 };
    const queue = new Queue<string>(clients.zk, path, options);
    await queue.put('poison');
    const dying = await clients.another();
    await new Queue<string>(dying, path, options).take();
    await dying.close();
    expect([await queue.poll(), await queue.size()]).toEqual([undefined, 0]);
    expect(await clients.zk.getChildren(queue.deadPath)).toEqual(['queue-0000000000']);
  });

  it('are made of what cannot be read, as it is', async () => {
    const letters: DeadLetter[] = [];
    const { path } = await textQueue();
    const queue = new Queue<number>(clients.zk, path, { onDeadLetter: (letter) => letters.push(letter) });
    await queue.put(1);
    await clients.zk.create(`${path}/queue-`, 'no frame', { mode: 'persistentSequential' });
    await new Queue(clients.zk, path, { serializer: text }).put('no JSON');
    await queue.put(2);
    expect(await drain(queue)).toEqual([1, 2]);
    const dead = await clients.zk.getChildrenData(queue.deadPath);
    expect([...dead.values()].map((node) => node.text()).sort()).toEqual([
      '\0\x01\0\x01\x01\0\0\0\x07no JSON\x02',
      'no frame',
    ]);
    expect(letters).toMatchObject(
      [1, 2].map((number) => ({
        path: `${path}/queue-000000000${number}`,
        reason: 'corrupt',
        error: { code: 'CORRUPT_ITEM' },
      })),
    );
  });

  test('an item without values is done', async () => {
    const queue = await textQueue();
    await queue.put('a');
    await clients.zk.create(`${queue.path}/queue-`, Buffer.from([0, 1, 0, 1, 2]), { mode: 'persistentSequential' });
    expect([await drain(queue), await queue.size()]).toEqual([['a'], 0]);
  });
});

describe('a bound', () => {
  it('makes puts wait until there is room, in their order', async () => {
    const queue = await textQueue({ maxItems: 2 });
    await queue.putAll(['a', 'b']);
    const putting = ['c', 'd', 'e'].map((value) => queue.put(value));
    expect(await failureOf(queue.put('x', { timeout: 50 }))).toMatchObject({ mayHaveBeenApplied: false });
    expect(await queue.size()).toBe(2);
    const taken: string[] = [];
    for (let item = 0; item < 5; item++) {
      const next = await queue.take();
      taken.push(next.value);
      await next.ack();
      expect(await queue.size()).toBeLessThanOrEqual(2);
    }
    await Promise.all(putting);
    expect(taken).toEqual(['a', 'b', 'c', 'd', 'e']);
    await expect(queue.putAll(['1', '2', '3'])).rejects.toThrow(InvalidArgumentError);
    await until(() => clients.zk.watches().length === 0, { what: 'no watch' });
  });
});

describe('iteration', () => {
  it('settles what the loop has not: done when it goes on, given back when it is left', async () => {
    const queue = await textQueue();
    await queue.putAll(['a', 'b', 'c', 'd']);
    const seen: string[] = [];
    for await (const item of queue) {
      seen.push(item.value);
      if (item.value === 'b') await item.nack();
      if (item.value === 'c') break;
    }
    expect(seen).toEqual(['a', 'b', 'c']);
    expect(await drain(queue)).toEqual(['c', 'd', 'b']);
  });

  it('ends by its signal, or when nothing has come for a while', async () => {
    const queue = await textQueue();
    await queue.putAll(['a', 'b']);
    const seen: string[] = [];
    for await (const item of queue.items({ timeout: 50 })) seen.push(item.value);
    const ending = new AbortController();
    await queue.put('c');
    for await (const item of queue.items({ signal: ending.signal })) {
      seen.push(item.value);
      ending.abort();
    }
    expect([seen, await queue.size()]).toEqual([['a', 'b', 'c'], 0]);
  });
});

describe('options', () => {
  it('that are wrong are refused', () => {
    const wrong: [object, string][] = [
      [{ maxItem: 1 }, 'there is no option "maxItem"'],
      [{ maxItems: 0 }, 'maxItems is 0'],
      [{ maxAttempts: 1.5 }, 'maxAttempts is 1.5'],
      [{ maxAttempts: 2, layout: 'simple' }, 'no place in the items of this layout'],
      [{ layout: 'kazoo' }, 'the layout is kazoo'],
      [{ lockPath: '/q' }, 'different folders'],
      [{ lockPath: 'q' }, 'it must start with "/"'],
      [{ serializer: {} }, 'serialize and deserialize'],
      [{ onDeadLetter: 1 }, 'onDeadLetter is no function'],
      [{ loseOn: 'x' }, 'loseOn is x'],
    ];
    for (const [options, problem] of wrong) expect(() => new Queue(clients.zk, '/q', options)).toThrow(problem);
  });

  it('of a wait and of a margin are refused when they are used', async () => {
    const queue = await textQueue({ margin: 1e6 });
    await expect(queue.take({ timeOut: 1 } as object)).rejects.toThrow('there is no option "timeOut"');
    await queue.put('a');
    expect(await failureOf(queue.take())).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(await clients.zk.getChildren(queue.lockPath)).toEqual([]);
  });
});

describe('cost', () => {
  it('is one lock for an item that many of one process wait for, and one listing for all of them', async () => {
    const zk = await clients.another();
    const queue = new Queue<string>(zk, `${await clients.folder()}/q`, { serializer: text });
    await zk.ensurePath(queue.lockPath);
    const abort = new AbortController();
    const taking = Array.from({ length: 10 }, () => queue.take({ signal: abort.signal }));
    await until(() => zk.watches().length > 0, { what: 'the wait' });
    const before = zk.metrics().operations.byName;
    await new Queue<string>(clients.zk, queue.path, { serializer: text }).put('a');
    const item = await Promise.race(taking);
    await until(() => zk.watches().some(({ path }) => path === queue.lockPath), { what: 'the others to wait again' });
    const after = zk.metrics().operations.byName;
    const sent = (name: string): number => (after[name]?.count ?? 0) - (before[name]?.count ?? 0);
    expect(sent('multi')).toBe(1);
    expect(sent('getChildren')).toBeLessThanOrEqual(8);
    await item.ack();
    abort.abort();
    await Promise.allSettled(taking);
  });
});
