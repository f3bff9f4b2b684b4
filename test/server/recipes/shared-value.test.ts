import { describe, expect, it } from '@jest/globals';
import { acl, InvalidPathError, NoAuthError } from 'zookit';
import { Counter, InvalidValueError, serializers, SharedValue } from 'zookit/recipes';
import { knows } from '../../support/features.js';
import { sharedServer } from '../../support/shared.js';
import { until, within } from '../../support/until.js';
import { watchedPaths } from '../../support/watches.js';
import { failureOf, useClients } from '../clients.js';

const clients = useClients();

describe('a shared value', () => {
  it('is created with its initial value where there is none, and found where there is one', async () => {
    const path = `${await clients.folder()}/a/v`;
    await using first = await SharedValue.open(clients.zk, path, { initial: 'a' });
    await using second = await SharedValue.open(await clients.another(), path, { initial: 'b' });
    expect([first.current, second.current]).toEqual(['a', 'a']);
    expect(first.versioned).toMatchObject({ value: 'a', version: 0 });
    expect((await clients.zk.getData(path)).text()).toBe('"a"');
  });

  it('is set by all, and seen by all: by the setter when that resolves', async () => {
    const path = await clients.folder();
    await clients.zk.setData(path, '0');
    const seen: number[] = [];
    await using first = await SharedValue.open(clients.zk, path, { initial: 0 });
    await using second = await SharedValue.open(await clients.another(), path, {
      initial: 0,
      onChange: ({ value }) => seen.push(value),
    });
    for (let round = 1; round <= 5; round++) {
      await first.set(round);
      expect([first.current, first.stale]).toEqual([round, false]);
      await until(() => seen.at(-1) === round, { what: 'the change' });
      expect(second.current).toBe(round);
    }
    expect(seen).toEqual([1, 2, 3, 4, 5]);
  });

  it('is set only in place of what was seen', async () => {
    const path = await clients.folder();
    await clients.zk.setData(path, '1');
    await using first = await SharedValue.open(clients.zk, path, { initial: 0 });
    await using second = await SharedValue.open(await clients.another(), path, { initial: 0 });
    const [ofFirst, ofSecond] = [first.versioned, second.versioned];
    expect(await first.trySet(ofFirst, 2)).toBe(true);
    expect(first.current).toBe(2);
    expect(await second.trySet(ofSecond, 3)).toBe(false);
    expect(await first.trySet(ofFirst, 4)).toBe(false);
    await until(() => second.current === 2, { what: 'the value' });
    expect(await second.trySet(second.versioned, 5)).toBe(true);
  });

  it('of several that try to set it, one succeeds each time', async () => {
    const path = await clients.folder();
    await clients.zk.setData(path, '0');
    const zks = [clients.zk, await clients.another(), await clients.another()];
    const all = await Promise.all(zks.map((zk) => SharedValue.open(zk, path, { initial: 0 })));
    let successes = 0;
    await Promise.all(
      all.map(async (each) => {
        for (let round = 0; round < 15; round++) if (await each.trySet(each.versioned, each.current + 1)) successes++;
      }),
    );
    await until(() => all.every(({ current }) => current === successes), { what: 'all to see the sum' });
    expect(successes).toBeGreaterThanOrEqual(15);
    await Promise.all(all.map((each) => each.close()));
    // An older server keeps watches until they tell.
    const watched = async (): Promise<string[]> => watchedPaths(sharedServer(), clients.chroot + path);
    if (knows('removeWatches')) await until(async () => (await watched()).length === 0, { what: 'no watches' });
  });

  it('is iterated: the value now, and each later one', async () => {
    await using shared = await SharedValue.open(clients.zk, `${await clients.folder()}/v`, { initial: 1 });
    const values: number[] = [];
    const reading = (async () => {
      for await (const { value } of shared) {
        values.push(value);
        if (value === 3) return;
        await shared.set(value + 1);
      }
    })();
    await within(reading, { what: 'the values' });
    expect(values).toEqual([1, 2, 3]);
  });

  it('is the initial one while its znode is gone, and can be set again', async () => {
    const path = `${await clients.folder()}/v`;
    await using shared = await SharedValue.open(clients.zk, path, { initial: 1 });
    await shared.set(2);
    await clients.zk.delete(path);
    await until(() => shared.versioned.version === undefined, { what: 'the deletion' });
    expect(shared.current).toBe(1);
    const absent = shared.versioned;
    expect(await shared.trySet(absent, 5)).toBe(true);
    expect(shared.current).toBe(5);
    await clients.zk.delete(path);
    await until(() => shared.versioned.version === undefined, { what: 'the deletion' });
    await shared.set(6);
    expect(shared.current).toBe(6);
  });

  it('keeps the last good value where the data are none, and says so', async () => {
    const path = `${await clients.folder()}/v`;
    await using shared = await SharedValue.open(clients.zk, path, { initial: 1 });
    await clients.zk.setData(path, 'no json');
    await until(() => shared.invalid !== undefined, { what: 'the bad data' });
    expect(shared.current).toBe(1);
    expect(await shared.trySet(shared.versioned, 7)).toBe(false);
    await shared.set(2);
    expect([shared.current, shared.invalid]).toEqual([2, undefined]);
    await clients.zk.setData(path, 'no json');
    expect(await failureOf(SharedValue.open(clients.zk, path, { initial: 1 }))).toBeInstanceOf(InvalidValueError);
  });

  it('with int32 is a counter of four bytes', async () => {
    const path = `${await clients.folder()}/v`;
    await using shared = await SharedValue.open(clients.zk, path, { initial: 1, serializer: serializers.int32 });
    await new Counter(clients.zk, path, { format: 'int32' }).add(4);
    await until(() => shared.current === 5, { what: 'the sum' });
  });

  it('ends its iterations when it is closed', async () => {
    const path = `${await clients.folder()}/v`;
    const shared = await SharedValue.open(clients.zk, path, { initial: 1 });
    const values = shared[Symbol.asyncIterator]();
    await values.next();
    const next = values.next();
    await shared.close();
    expect(await within(next, { what: 'the end' })).toEqual({ done: true, value: undefined });
  });
});

it('tells those who iterate it that it may not be read any more', async () => {
  const path = `${await clients.folder()}/v`;
  await using shared = await SharedValue.open(clients.zk, path, { initial: 1 });
  const values = shared[Symbol.asyncIterator]();
  await values.next();
  const hidden = { acl: [acl.digest('somebody', 'else')] };
  await clients.zk.transaction().delete(path).create(path, '2', hidden).commit();
  await expect(values.next()).rejects.toThrow(NoAuthError);
  expect([shared.current, shared.stale]).toEqual([1, true]);
  expect(await failureOf(SharedValue.open(clients.zk, path, { initial: 1 }))).toBeInstanceOf(NoAuthError);
});

it('checks its arguments', async () => {
  expect(await failureOf(SharedValue.open(clients.zk, '/a//b', { initial: 1 }))).toBeInstanceOf(InvalidPathError);
  expect(await failureOf(SharedValue.open(clients.zk, '/a', { initial: 1, defaultValue: 1 } as never))).toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
  expect(await failureOf(SharedValue.open(clients.zk, '/a', { initial: 1, serializer: {} } as never))).toMatchObject({
    code: 'INVALID_ARGUMENT',
  });
});
