import { describe, expect, it, test } from '@jest/globals';
import { InvalidArgumentError, InvalidPathError, Long, OperationTimeoutError, retries } from 'zookit';
import { ContentionError, Counter, CounterOverflowError, InvalidValueError } from 'zookit/recipes';
import { useClients } from '../clients.js';

const clients = useClients();

async function dataOf(path: string): Promise<string> {
  return (await clients.zk.getData(path)).data.toString('hex');
}

describe('a counter', () => {
  it('counts up and down, and tells before and after', async () => {
    const counter = new Counter(clients.zk, `${await clients.folder()}/a/hits`);
    expect(await counter.get()).toBe(0);
    expect(await counter.increment()).toMatchObject({ before: 0, after: 1 });
    expect(await counter.add(41)).toMatchObject({ before: 1, after: 42 });
    expect(await counter.subtract(50n)).toMatchObject({ before: 42, after: -8 });
    expect(await counter.decrement()).toMatchObject({ before: -8, after: -9, stats: { optimisticTries: 1 } });
    expect(await counter.set(7)).toMatchObject({ before: -9, after: 7 });
    expect(await counter.get({ sync: true, timeout: 10_000 })).toBe(7);
  });

  it('compares and sets', async () => {
    const counter = new Counter(clients.zk, await clients.folder());
    expect(await counter.compareAndSet(1, 2)).toMatchObject({ succeeded: false, before: 0, after: 0 });
    expect(await counter.compareAndSet(0, 2)).toMatchObject({ succeeded: true, before: 0, after: 2 });
    expect(await counter.compareAndSet(Long.fromNumber(2), 3n)).toMatchObject({ succeeded: true, before: 2, after: 3 });
  });

  it('is initialized once', async () => {
    const path = `${await clients.folder()}/n`;
    const counter = new Counter(clients.zk, path, { initial: 10 });
    expect([await counter.get(), await clients.zk.has(path)]).toEqual([10, false]);
    expect([await counter.initialize(5), await counter.initialize(6)]).toEqual([true, false]);
    expect(await counter.increment()).toMatchObject({ before: 5, after: 6 });
  });

  it('begins with the initial number where there is no znode, or one without data', async () => {
    const path = await clients.folder();
    expect(await new Counter(clients.zk, path, { initial: 5 }).increment()).toMatchObject({ before: 5, after: 6 });
    expect(await new Counter(clients.zk, `${path}/b`, { initial: 5 }).increment()).toMatchObject({
      before: 5,
      after: 6,
    });
  });

  it('loses no change of many who count at once', async () => {
    const path = await clients.folder();
    const others = await Promise.all([clients.another(), clients.another(), clients.another()]);
    const afters: number[] = [];
    await Promise.all(
      [clients.zk, ...others].map(async (zk) => {
        const counter = new Counter(zk, path);
        for (let round = 0; round < 25; round++) afters.push((await counter.increment()).after);
      }),
    );
    expect(afters.sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
  });
});

describe('the layouts', () => {
  it.each([
    ['int64', 300, '000000000000012c'],
    ['int64', -2, 'fffffffffffffffe'],
    ['int32', 300, '0000012c'],
    ['int32', -2, 'fffffffe'],
    ['text', 300, Buffer.from('300').toString('hex')],
    ['text', -2, Buffer.from('-2').toString('hex')],
  ] as const)('%s has %p as %s', async (format, value, data) => {
    const path = await clients.folder();
    const counter = new Counter(clients.zk, path, { format });
    await counter.set(value);
    expect([await dataOf(path), await counter.get()]).toEqual([data, value]);
  });

  it('take nothing else for a number, and write nothing then', async () => {
    const path = await clients.folder();
    for (const [format, data] of [
      ['int64', '\0\0\0\0'],
      ['int32', '12345678'],
      ['text', '3.5'],
      ['text', 'x'],
    ] as const) {
      await clients.zk.setData(path, data);
      const counter = new Counter(clients.zk, path, { format });
      await expect(counter.get()).rejects.toThrow(InvalidValueError);
      await expect(counter.increment()).rejects.toMatchObject({ code: 'INVALID_VALUE', path });
      expect((await clients.zk.getData(path)).text()).toBe(data);
      expect(await counter.set(1)).toMatchObject({ before: 0, after: 1 });
    }
  });
});

describe('overflow', () => {
  it.each([
    ['int64', 'bigint', 2n ** 63n - 1n],
    ['int32', 'number', 2 ** 31 - 1],
    ['int64', 'number', Number.MAX_SAFE_INTEGER],
    ['text', 'number', Number.MAX_SAFE_INTEGER],
    ['text', 'long', Long.MAX_VALUE],
  ] as const)('of %s as %s is an error, and nothing is written', async (format, as, most) => {
    const path = await clients.folder();
    const counter = new Counter(clients.zk, path, { format, as });
    await counter.set(most);
    await expect(counter.increment()).rejects.toThrow(CounterOverflowError);
    await expect(counter.add(5n)).rejects.toMatchObject({ code: 'COUNTER_OVERFLOW', operation: 'Counter.add', path });
    expect((await counter.get()).toString()).toBe(most.toString());
    expect((await counter.decrement()).after.toString()).toBe((BigInt(most.toString()) - 1n).toString());
  });

  it('of what is read is an error, and never another number', async () => {
    const path = await clients.folder();
    await new Counter(clients.zk, path, { as: 'bigint' }).set(2n ** 53n);
    await expect(new Counter(clients.zk, path).get()).rejects.toThrow(/as: 'bigint'/);
    expect(await new Counter(clients.zk, path, { as: 'long' }).get()).toEqual(Long.fromString('9007199254740992'));
    // What was there does not matter to who sets it.
    expect(await new Counter(clients.zk, path).set(1)).toMatchObject({ after: 1 });
  });

  it('does not happen to a bigint in decimal digits', async () => {
    const counter = new Counter(clients.zk, await clients.folder(), { format: 'text', as: 'bigint' });
    await counter.set(2n ** 64n);
    expect((await counter.increment()).after).toBe(2n ** 64n + 1n);
  });
});

describe('contention', () => {
  it('ends with an error where the policy says so', async () => {
    const path = await clients.folder();
    const counter = new Counter(clients.zk, path, { retry: retries.none });
    await counter.set(1);
    const [first, second] = [counter.increment(), counter.increment()];
    await first;
    const failure = await second.catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ContentionError);
    expect(await counter.get()).toBe(2);
  });

  it('is made under the lock where there is one, and the lock is given back', async () => {
    const path = await clients.folder();
    const lockPath = `${path}-lock`;
    const counter = new Counter(clients.zk, path, { retry: retries.none, lockPath });
    await counter.set(1);
    const all = await Promise.all(Array.from({ length: 5 }, () => counter.increment()));
    expect(all.map(({ after }) => after).sort()).toEqual([2, 3, 4, 5, 6]);
    expect(all.filter(({ stats }) => stats.promotedTries > 0).length).toBeGreaterThan(0);
    for (const { stats } of all) expect(stats.optimisticTries).toBe(1);
    await clients.zk.sync('/');
    expect(await clients.zk.getChildren(lockPath)).toEqual([]);
  });

  it('can be ended by a timeout while the lock is waited for', async () => {
    const path = await clients.folder();
    const lockPath = `${path}-lock`;
    await clients.zk.create(lockPath);
    const { path: other } = await clients.zk.create(`${lockPath}/lock-`, null, { mode: 'ephemeralSequential' });
    const counter = new Counter(clients.zk, path, { retry: retries.none, lockPath });
    await counter.set(1);
    const [first, second] = [counter.increment(), counter.increment({ timeout: 200 })];
    await first;
    await expect(second).rejects.toMatchObject({ code: 'OPERATION_TIMEOUT', operation: 'Counter.increment' });
    await expect(second).rejects.toThrow(OperationTimeoutError);
    await clients.zk.sync('/');
    expect(await clients.zk.getChildren(lockPath)).toEqual([other.slice(lockPath.length + 1)]);
  });
});

test('receipts are gone when a write is done', async () => {
  const path = `${await clients.folder()}/a/b`;
  const counter = new Counter(clients.zk, path, { receipts: true });
  for (let round = 0; round < 5; round++) await counter.increment();
  await clients.zk.sync('/');
  expect([await counter.get(), await clients.zk.getChildren(path)]).toEqual([5, []]);
});

test('arguments are checked', async () => {
  const { zk } = clients;
  expect(() => new Counter(zk, 'a')).toThrow(InvalidPathError);
  for (const options of [
    { format: 'int16' },
    { as: 'string' },
    { initial: 1.5 },
    { initial: 2 ** 31, format: 'int32' },
    { retry: 3 },
    { receipts: 1 },
    { lokPath: '/x' },
    { lockPath: 'x' },
  ])
    expect(() => new Counter(zk, '/a', options as never)).toThrow(/option|must be|out of range|path/);
  const counter = new Counter(zk, '/a');
  for (const value of [1.5, NaN, 2 ** 53, '1', undefined]) {
    await expect(counter.add(value as never)).rejects.toThrow(InvalidArgumentError);
    await expect(counter.set(value as never)).rejects.toThrow(InvalidArgumentError);
    await expect(counter.compareAndSet(1, value as never)).rejects.toThrow(InvalidArgumentError);
  }
  await expect(counter.get({ snc: true } as never)).rejects.toThrow(/"snc"/);
});
