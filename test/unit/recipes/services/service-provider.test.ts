import { afterEach, expect, it, jest } from '@jest/globals';
import type { ZooKeeperError } from 'zookit';
import { type ServiceInstance, type ServiceListChange, ServiceRegistry } from 'zookit/recipes';
import { FakeTreeClient } from '../caches/fake-tree-client.js';
import { statOf, znodeOf } from '../caches/znodes.js';
import { settle } from '../fake-client.js';

const path = '/services/cart';

afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

/** Answers what a provider asks at first: which instances there are, by the data of each. */
async function load(client: FakeTreeClient, data: Readonly<Record<string, string>>): Promise<void> {
  await client.answer('exists /zookeeper/config', null);
  const children = Object.keys(data);
  const stat = statOf({ numChildren: children.length });
  await client.answer(`exists ${path}`, stat);
  await client.answer(`getChildren ${path}`, { children, stat });
  for (const [name, text] of Object.entries(data)) await client.answer(`getData ${path}/${name}`, znodeOf(text));
}

it('M6: hooks that throw disturb nothing, and are reported once each', async () => {
  const turns: (() => void)[] = [];
  jest.spyOn(globalThis, 'queueMicrotask').mockImplementation((run) => void turns.push(run));
  const client = new FakeTreeClient();
  const told: string[] = [];
  const provider = new ServiceRegistry(client.zk).provider('cart', {
    onInvalid: (error: ZooKeeperError) => {
      told.push(error.path ?? '');
      throw new Error('a bug in onInvalid');
    },
    onSetAside: ({ id }: ServiceInstance) => {
      told.push(id);
      throw new Error('a bug in onSetAside');
    },
    setAside: { failures: 1 },
  });
  await load(client, { bad: 'hello', good: '{}', other: '{}' });
  for (const instance of provider.list.instances.slice(0, 1)) provider.noteFailure(instance);
  expect(told).toEqual([]);
  expect(turns).toHaveLength(2);
  for (const turn of turns) expect(turn).toThrow(/a bug in/);
  expect(told).toEqual([`${path}/bad`, 'good']);
  expect(provider.list).toMatchObject({ instances: [{ id: 'good' }, { id: 'other' }], stale: false });
  expect((await provider.pick()).id).toBe('other');
  client.state = 'closed';
  await provider.close();
});

it('tells a change when it is read, not that it is on its way; but does not wait for ever for the last of many', async () => {
  jest.useFakeTimers();
  const client = new FakeTreeClient();
  const provider = new ServiceRegistry(client.zk).provider('cart');
  await load(client, { a: '{}', b: '{}' });
  const seen: ServiceListChange[] = [];
  const iterating = (async () => {
    for await (const change of provider) seen.push(change);
  })();
  await settle();
  expect(seen.map(({ instances, stale }) => [instances.length, stale])).toEqual([[2, false]]);
  await client.event('dataChanged', `${path}/a`);
  await client.event('dataChanged', `${path}/b`);
  expect([seen.length, provider.list.stale]).toEqual([1, true]);
  await client.answer(`getData ${path}/a`, znodeOf('{"port":1}', { mzxid: 5 }));
  expect([seen.length, provider.list.instances[0]?.port]).toEqual([1, 1]);
  await client.answer(`getData ${path}/b`, znodeOf('{"port":2}', { mzxid: 6 }));
  expect(seen.slice(1).map(({ updated, stale }) => [updated.length, stale])).toEqual([[2, false]]);
  seen.length = 0;
  // Now there is always something on its way.
  await client.event('dataChanged', `${path}/a`);
  await client.event('dataChanged', `${path}/b`);
  jest.advanceTimersByTime(200);
  await client.answer(`getData ${path}/a`, znodeOf('{"port":3}', { mzxid: 7 }));
  expect(seen.map(({ updated, stale }) => [updated.length, stale])).toEqual([[1, true]]);
  await client.answer(`getData ${path}/b`, znodeOf('{"port":4}', { mzxid: 8 }));
  expect(seen.slice(1).map(({ updated, stale }) => [updated.length, stale])).toEqual([[1, false]]);
  client.state = 'closed';
  await provider.close();
  await iterating;
});
