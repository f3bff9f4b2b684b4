import { describe, expect, it, test } from '@jest/globals';
import { AbortedError, InvalidArgumentError, InvalidPathError, retries } from 'zookit';
import { AtomicValue, InvalidValueError, serializers } from 'zookit/recipes';
import { gate, within } from '../../support/until.js';
import { failureOf, useClients } from '../clients.js';

const clients = useClients();

interface Cart {
  readonly items: number;
}

describe('an atomic value', () => {
  it('is made of the value before, which is none at first', async () => {
    const path = `${await clients.folder()}/a/cart`;
    const value = new AtomicValue<Cart>(clients.zk, path);
    expect(await value.get()).toBeUndefined();
    const first = await value.update((cart) => ({ items: (cart?.items ?? 0) + 1 }));
    expect(first).toMatchObject({ before: undefined, after: { items: 1 } });
    const second = await value.update(async (cart) => ({ items: (cart?.items ?? 0) + 1 }));
    expect(second).toMatchObject({ before: { items: 1 }, after: { items: 2 }, stats: { optimisticTries: 1 } });
    expect((await clients.zk.getData(path)).text()).toBe('{"items":2}');
    expect(await value.set({ items: 9 })).toMatchObject({ before: { items: 2 }, after: { items: 9 } });
    expect(await value.get({ sync: true })).toEqual({ items: 9 });
  });

  it('is compared by its data', async () => {
    const value = new AtomicValue<string>(clients.zk, `${await clients.folder()}/v`, { serializer: serializers.text });
    expect(await value.compareAndSet('a', 'b')).toMatchObject({
      succeeded: false,
      before: undefined,
      after: undefined,
    });
    expect(await value.compareAndSet(undefined, 'a')).toMatchObject({ succeeded: true, after: 'a' });
    expect(await value.compareAndSet(undefined, 'b')).toMatchObject({ succeeded: false, before: 'a', after: 'a' });
    expect(await value.compareAndSet('a', 'b')).toMatchObject({ succeeded: true, before: 'a', after: 'b' });
    expect(await value.initialize('c')).toBe(false);
  });

  it('is changed again when somebody else was faster, and loses no change', async () => {
    const path = await clients.folder();
    await clients.zk.setData(path, '[]');
    const others = await Promise.all([clients.another(), clients.another()]);
    await Promise.all(
      [clients.zk, ...others].flatMap((zk, owner) =>
        Array.from({ length: 8 }, (_, index) =>
          new AtomicValue<string[]>(zk, path).update((list = []) => [...list, `${owner}-${index}`]),
        ),
      ),
    );
    const all = await new AtomicValue<string[]>(clients.zk, path).get();
    expect(new Set(all).size).toBe(24);
  });

  it('tells how it was contended for', async () => {
    const path = await clients.folder();
    const value = new AtomicValue<number>(clients.zk, path, { retry: retries.times(3, 0), lockPath: `${path}-lock` });
    await value.set(0);
    let calls = 0;
    const { stats } = await value.update(async (before = 0) => {
      // Somebody else is faster, until the lock is held.
      if (++calls <= 3) await clients.zk.setData(path, String(before + 10));
      return before + 1;
    });
    expect(stats).toMatchObject({ optimisticTries: 3, promotedTries: 1 });
    expect([stats.optimisticTime > 0, stats.promotedTime > 0, await value.get()]).toEqual([true, true, 31]);
  });

  it('passes on what the change throws, and writes nothing', async () => {
    const path = `${await clients.folder()}/v`;
    const value = new AtomicValue<number>(clients.zk, path);
    const broken = new Error('broken');
    await expect(value.update(() => Promise.reject(broken))).rejects.toBe(broken);
    expect(await clients.zk.has(path)).toBe(false);
  });

  it('can be ended while the change takes its time', async () => {
    const value = new AtomicValue<number>(clients.zk, await clients.folder());
    await value.set(1);
    const stop = new AbortController();
    const [asked, answer] = [gate(), gate<number>()];
    const change = (): Promise<number> => {
      asked.open();
      return answer.promise;
    };
    const failure = failureOf(value.update(change, { signal: stop.signal }));
    await asked.promise;
    stop.abort();
    expect(await within(failure, { what: 'the end' })).toBeInstanceOf(AbortedError);
    answer.open(5);
    expect(await value.get({ sync: true })).toBe(1);
  });

  it('is none where the znode holds null, as a parent of others may', async () => {
    const path = await clients.folder();
    const value = new AtomicValue<number>(clients.zk, path);
    expect([await value.get(), await value.initialize(4), await value.initialize(5)]).toEqual([undefined, true, false]);
    await clients.zk.setData(path, null);
    expect(await value.compareAndSet(undefined, 6)).toMatchObject({ succeeded: true, before: undefined, after: 6 });
  });

  it('refuses data that are none, and is mended by set', async () => {
    const path = await clients.folder();
    await clients.zk.setData(path, 'no json');
    const value = new AtomicValue<number>(clients.zk, path);
    await expect(value.get()).rejects.toThrow(InvalidValueError);
    await expect(value.update(() => 1)).rejects.toMatchObject({
      code: 'INVALID_VALUE',
      path,
      cause: expect.any(SyntaxError),
    });
    expect(await value.compareAndSet(2, 3)).toMatchObject({ succeeded: false });
    expect(await value.set(1)).toMatchObject({ before: undefined, after: 1 });
  });
});

test('the serializers', () => {
  const { json, text, bytes, int32, int64 } = serializers;
  expect(Buffer.from(int32.serialize(-2)).toString('hex')).toBe('fffffffe');
  expect(Buffer.from(int64.serialize(258n)).toString('hex')).toBe('0000000000000102');
  expect([int32.deserialize(Buffer.from('fffffffe', 'hex')), int64.deserialize(Buffer.alloc(8))]).toEqual([-2, 0n]);
  expect(() => int32.deserialize(Buffer.alloc(8))).toThrow(/8 bytes/);
  expect(() => int64.deserialize(Buffer.alloc(4))).toThrow(/4 bytes/);
  expect(() => int32.serialize(2 ** 31)).toThrow(/out of range/);
  expect(text.deserialize(Buffer.from(text.serialize('é')))).toBe('é');
  expect(bytes.deserialize(Buffer.from(bytes.serialize(new Uint8Array([1, 2]))))).toEqual(Buffer.from([1, 2]));
  expect(json<{ a: number }>().deserialize(Buffer.from('{"a":1}')).a).toBe(1);
});

test('arguments are checked', () => {
  expect(() => new AtomicValue(clients.zk, '/a/')).toThrow(InvalidPathError);
  for (const options of [{ serialiser: 1 }, { serializer: {} }, { lockPath: 'x' }, { receipts: 'yes' }])
    expect(() => new AtomicValue(clients.zk, '/a', options as never)).toThrow();
  expect(() => new AtomicValue(clients.zk, '/a', { retry: 5 } as never)).toThrow(InvalidArgumentError);
});
