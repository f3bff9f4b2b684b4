import { describe, expect, it, jest } from '@jest/globals';
import { ClosedError, InvalidArgumentError, OperationTimeoutError } from 'zookit';
import { Queue, type QueueItem } from 'zookit/recipes';
import { runScript } from '../../support/child.js';
import { sharedServer } from '../../support/shared.js';
import { gate, until, within } from '../../support/until.js';
import { failureOf, useClients } from '../clients.js';

const clients = useClients();

async function numbers(): Promise<Queue<number>> {
  return new Queue<number>(clients.zk, `${await clients.folder()}/q`);
}

async function empty(queue: Queue<number>): Promise<void> {
  await until(async () => (await queue.size()) === 0, { what: 'the queue to be empty' });
}

describe('consume', () => {
  it('works on all values, so many at the same time', async () => {
    const queue = await numbers();
    const seen: number[] = [];
    let atOnce = 0;
    let most = 0;
    const all = gate();
    await using consumer = queue.consume(
      async (value, item) => {
        most = Math.max(most, ++atOnce);
        expect(item.held).toBe(true);
        await clients.zk.sync();
        seen.push(value);
        atOnce--;
        if (seen.length === 12) all.open();
      },
      { concurrency: 3 },
    );
    await queue.putAll([1, 2, 3, 4, 5, 6]);
    await queue.putMulti([7, 8]);
    await queue.putAll([9, 10, 11, 12]);
    await within(all.promise, { what: 'all values' });
    await empty(queue);
    await consumer.stop();
    await consumer.ended;
    expect([seen.sort((a, b) => a - b), most]).toEqual([[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], 3]);
    expect(await clients.zk.getChildren(queue.lockPath)).toEqual([]);
  });

  it('warns of no leak, however many work at the same time', async () => {
    const { path } = await numbers();
    // In a process of its own, whose warnings are seen.
    const source = `
      import { ZooKeeper } from 'zookit';
      import { Queue } from 'zookit/recipes';
      const zk = await ZooKeeper.connect('${sharedServer().connectString}${clients.chroot}');
      const queue = new Queue(zk, '${path}');
      let all;
      const begun = new Promise((resolve) => (all = resolve));
      let atOnce = 0;
      const work = async () => {
        if (++atOnce === 30) all();
        await begun;
      };
      const consumer = queue.consume(work, { concurrency: 30 });
      await queue.putAll(Array.from({ length: 30 }, (_, index) => index));
      await begun;
      await consumer.stop();
      console.log('left', await queue.size());
      await zk.close();`;
    await using child = await runScript({ source });
    const { stdout, stderr } = await child.result;
    expect([stdout, stderr]).toEqual(['left 0\n', '']);
  });

  it('puts back what its handler failed at, from the value on at which it did', async () => {
    const queue = await numbers();
    const seen: number[] = [];
    const failures: [string, QueueItem<number>][] = [];
    await queue.putMulti([1, 2, 3]);
    await queue.put(4);
    await using consumer = queue.consume(
      (value) => {
        seen.push(value);
        if (value === 2 && failures.length < 2) throw new Error(`failure ${failures.length}`);
      },
      { onFailure: (error, item) => failures.push([String(error), item]) },
    );
    await empty(queue);
    await consumer.stop();
    expect(seen).toEqual([1, 2, 4, 2, 2, 3]);
    expect(failures.map(([error, item]) => [error, item.attempt, item.values])).toEqual([
      ['Error: failure 0', 1, [1, 2, 3]],
      ['Error: failure 1', 2, [2, 3]],
    ]);
  });

  it('counts what its handler failed at as done where it is told to, and warns', async () => {
    const queue = await numbers();
    const seen: number[] = [];
    await queue.putMulti([1, 2, 3]);
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    await using consumer = queue.consume(
      (value) => {
        seen.push(value);
        if (value < 3) throw new Error('failure');
      },
      { onError: 'delete' },
    );
    await empty(queue);
    await consumer.stop();
    const warning = `zookit: ${queue.path}/queue-0000000000 could not be worked on: Error: failure`;
    expect([seen, warn.mock.calls]).toEqual([
      [1, 2, 3],
      [[warning], [warning]],
    ]);
    warn.mockRestore();
  });

  it('leaves the settling to a handler that does it', async () => {
    const queue = await numbers();
    const attempts: number[] = [];
    await queue.putMulti([1, 2]);
    await using consumer = queue.consume(async (_, item) => {
      attempts.push(item.attempt);
      if (attempts.length < 3) await item.nack();
    });
    await empty(queue);
    await consumer.stop();
    expect(attempts).toEqual([1, 2, 3, 3]);
  });

  it('stops gracefully: takes no more, and waits for what is under work', async () => {
    const queue = await numbers();
    const [begun, end] = [gate(), gate()];
    await queue.putAll([1, 2]);
    const stopping = new AbortController();
    const consumer = queue.consume(
      async () => {
        begun.open();
        await end.promise;
      },
      { signal: stopping.signal },
    );
    await begun.promise;
    stopping.abort();
    expect(await failureOf(consumer.stop({ timeout: 20 }))).toBeInstanceOf(OperationTimeoutError);
    end.open();
    await consumer.stop();
    await consumer.ended;
    expect(await queue.size()).toBe(1);
    await (await queue.take()).ack();
    await until(() => clients.zk.watches().length === 0, { what: 'no watch' });
  });

  it('ends with the error that it cannot go on after', async () => {
    const zk = await clients.another();
    const queue = new Queue<number>(zk, (await numbers()).path);
    const consumer = queue.consume(() => undefined);
    await until(() => zk.watches().length > 0, { what: 'the watch' });
    await zk.close();
    expect(await failureOf(consumer.ended)).toBeInstanceOf(ClosedError);
    await consumer.stop();
  });

  it('refuses wrong options', async () => {
    const queue = await numbers();
    const wrong: [object, string][] = [
      [{ concurrency: 0 }, 'the concurrency is 0'],
      [{ onError: 'drop' }, 'onError is drop'],
      [{ onFailure: 1 }, 'onFailure is no function'],
      [{ signal: 1 }, 'no AbortSignal'],
      [{ parallel: 1 }, 'there is no option "parallel"'],
    ];
    for (const [options, problem] of wrong) expect(() => queue.consume(() => undefined, options)).toThrow(problem);
    expect(() => queue.consume(undefined as never)).toThrow(InvalidArgumentError);
  });
});
