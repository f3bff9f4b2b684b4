import { describe, expect, it } from '@jest/globals';
import { Counter, serializers, SharedValue } from 'zookit/recipes';
import { until } from '../support/until.js';
import { usePeers } from './peers.js';

const peers = usePeers();

describe('a counter', () => {
  it.each([
    ['Curator, DistributedAtomicLong', 'int64', 'atomicLong', undefined],
    ['Curator, DistributedAtomicInteger', 'int32', 'atomicInteger', undefined],
    ['kazoo, Counter', 'text', undefined, {}],
    ['kazoo, Counter with support_curator', 'int32', undefined, { curator: true }],
  ] as const)('of %s: each counts on where the other was, and none is lost', async (name, format, java, python) => {
    const path = `/counter-${name.length}`;
    const theirs =
      java === undefined
        ? await peers.kazoo.open('counter', path, { ...python })
        : await peers.curator.open(java, path);
    const counter = new Counter(peers.zk, path, { format });
    expect(await theirs.call('add', { value: '5' })).toBe('5');
    expect((await counter.add(-7)).after).toBe(-2);
    expect(await theirs.call('get')).toBe('-2');
    const ours = async (): Promise<void> => {
      for (let count = 0; count < 50; count++) await counter.increment();
    };
    await Promise.all([theirs.call('addMany', { count: 50 }), ours(), ours()]);
    expect(await theirs.call('get')).toBe('148');
    expect(await counter.get()).toBe(148);
  });

  it('of 64 bits keeps each of them', async () => {
    const path = '/counter-long';
    const java = await peers.curator.open('atomicLong', path);
    const counter = new Counter(peers.zk, path, { as: 'bigint' });
    await java.call('set', { value: '9007199254740993' });
    expect(await counter.get()).toBe(9007199254740993n);
    await counter.set(-(2n ** 63n));
    expect(await java.call('get')).toBe('-9223372036854775808');
    expect(await java.call('compareAndSet', { expected: '-9223372036854775808', value: '1' })).toBe(true);
    expect(await counter.get()).toBe(1n);
  });
});

describe('a shared value', () => {
  it('is a SharedCount of Curator, and a counter of kazoo: each follows the other', async () => {
    const path = '/shared-count';
    await using java = await peers.curator.open('sharedCount', path, { seed: 3 });
    await using value = await SharedValue.open(peers.zk, path, { initial: 0, serializer: serializers.int32 });
    expect(value.current).toBe(3);
    await java.call('set', { value: -4 });
    await until(() => value.current === -4, { what: 'the number of Java' });
    await value.set(12);
    await until(async () => (await java.call('get')) === 12, { what: 'our number' });
    const kazoo = await peers.kazoo.open('counter', path, { curator: true });
    expect(await kazoo.call('add', { value: '1' })).toBe('13');
    await until(() => value.current === 13, { what: 'the number of kazoo' });
    await until(async () => (await java.call('get')) === 13, { what: 'the number of kazoo, in Java' });
    expect(await java.call('trySet', { value: 14 })).toBe(true);
  });

  it('is a SharedValue of Curator: who is late does not overwrite', async () => {
    const path = '/shared-value';
    await using java = await peers.curator.open('sharedValue', path, { seed: 'a' });
    await using value = await SharedValue.open(peers.zk, path, { initial: '', serializer: serializers.text });
    const before = value.versioned;
    expect(before.value).toBe('a');
    await java.call('set', { value: 'b' });
    expect(await value.trySet(before, 'c')).toBe(false);
    await until(() => value.current === 'b', { what: 'the value of Java' });
    expect(await value.trySet(value.versioned, 'd')).toBe(true);
    await until(async () => (await java.call('get')) === 'd', { what: 'our value' });
  });
});
