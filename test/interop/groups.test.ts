import { describe, expect, it } from '@jest/globals';
import { Group, Partitioner } from 'zookit/recipes';
import { until } from '../support/until.js';
import { usePeers } from './peers.js';

const peers = usePeers();
const timeout = 20_000;

it('GroupMember of Curator: each sees the other, with its data, until it leaves', async () => {
  const path = '/group';
  const java = await peers.curator.open('groupMember', path, { memberId: 'java', data: 'j' });
  await using group = new Group(peers.zk, path);
  const member = await group.join('node', { data: 'n' });
  const members = await group.until(({ length }) => length === 2, { timeout });
  expect(members.map(({ id, data }) => [id, data.toString()])).toEqual([
    ['java', 'j'],
    ['node', 'n'],
  ]);
  await until(async () => Object.keys(await java.call<object>('members')).length === 2, { what: 'our member' });
  expect(await java.call('members')).toEqual({ java: 'j', node: 'n' });
  await member.setData('changed');
  await until(async () => (await java.call<Record<string, string>>('members')).node === 'changed', {
    what: 'our data',
  });
  await java.call('setData', { data: 'other' });
  await group.until((all) => all.some(({ data }) => data.toString() === 'other'), { timeout });
  await member.leave();
  await until(async () => Object.keys(await java.call<object>('members')).length === 1, { what: 'our end' });
  await java.close();
  await group.until(({ length }) => length === 0, { timeout });
});

describe('kazoo', () => {
  it.each([
    ['Party', 'party', false],
    ['ShallowParty', 'shallowParty', true],
  ] as const)('%s: each sees the other until it leaves', async (_, layout, shallow) => {
    const path = `/${layout}`;
    const python = await peers.kazoo.open('party', path, { data: 'python', shallow });
    await python.call('join');
    await using group = new Group(peers.zk, path, { layout });
    const member = await group.join('node');
    const members = await group.until(({ length }) => length === 2, { timeout });
    expect(members.map(({ id }) => id).sort()).toEqual(['node', 'python']);
    expect(await python.call('members')).toEqual(['node', 'python']);
    await python.close();
    await group.until((all) => all.map(({ id }) => id).join() === 'node', { timeout });
    await member.leave();
    expect(await python.call('members')).toEqual([]);
  });

  it('SetPartitioner: a member of each has its share, and the whole when the other leaves', async () => {
    const path = '/partitioned';
    const partitions = ['a', 'b', 'c', 'd', 'e'];
    await using ours = new Partitioner(peers.zk, path, { partitions, id: 'node' });
    const stop = new AbortController();
    // Each partition is let go when it is asked back.
    const running = ours.run(
      ({ signal }) =>
        new Promise<void>((resolve) => {
          signal.addEventListener('abort', () => resolve(), { once: true });
        }),
      { signal: stop.signal },
    );
    running.catch(() => undefined);
    const python = await peers.kazoo.open('partitioner', path, { items: partitions, data: 'python' });
    const shares = async (): Promise<[string[], string[] | null]> => [
      [...ours.owned.keys()].sort(),
      await python.call<string[] | null>('items'),
    ];
    await until(
      async () => {
        const [own, theirs] = await shares();
        return ours.state === 'acquired' && theirs !== null && own.length + theirs.length === partitions.length;
      },
      { what: 'a share for each', timeout: 60_000 },
    );
    const [own, theirs] = await shares();
    expect([...own, ...(theirs ?? [])].sort()).toEqual(partitions);
    expect([own.length, theirs?.length].sort()).toEqual([2, 3]);
    await python.close();
    await until(() => ours.owned.size === partitions.length, { what: 'the whole', timeout: 60_000 });
    stop.abort();
    await running.catch(() => undefined);
  }, 150_000);
});
