import { describe, expect, it } from '@jest/globals';
import { BadVersionError, ConnectionLossError, Long, NodeExistsError, NoNodeError } from 'zookit';
import { Agreement } from '../../../recipes/members/agreement.js';
import { partitioning, type PartitionMember } from '../../../recipes/members/partitioning.js';
import { FakeClient } from './fake-client.js';

const partitions = ['1', '2', '3', '4'];

function membershipOf(zxid: number, ...keys: string[]): { members: PartitionMember[]; zxid: Long } {
  return { members: keys.map((key) => ({ key, id: key, weight: 1 })), zxid: Long.fromNumber(zxid) };
}

/** One znode, as many as like may write it. */
class Store extends FakeClient {
  node: { text: string; version: number } | undefined;
  reads = 0;
  writes = 0;
  /** Is called before the next write is carried out; what it returns is thrown after it. */
  interfere: (() => Error | undefined) | undefined;

  get parsed(): unknown {
    return JSON.parse(this.node?.text ?? 'null') as unknown;
  }

  async getData(path: string): Promise<object> {
    this.reads++;
    if (this.node === undefined) throw new NoNodeError('', { path });
    const { text, version } = this.node;
    return { text: () => text, stat: { version } };
  }

  async create(path: string, text: string): Promise<void> {
    const failure = this.#before();
    if (this.node !== undefined) throw new NodeExistsError('', { path });
    this.node = { text, version: 0 };
    this.writes++;
    if (failure !== undefined) throw failure;
  }

  async setData(path: string, text: string, version: number): Promise<void> {
    const failure = this.#before();
    if (this.node === undefined) throw new NoNodeError('', { path });
    if (this.node.version !== version) throw new BadVersionError('', { path });
    this.node = { text, version: version + 1 };
    this.writes++;
    if (failure !== undefined) throw failure;
  }

  #before(): Error | undefined {
    const { interfere } = this;
    this.interfere = undefined;
    return interfere?.();
  }
}

function agreement(store: Store): Agreement {
  return new Agreement(store.zk, '/set', partitions, partitioning.sticky());
}

describe('members that agree on a division', () => {
  it('take what the first one has written for the same membership', async () => {
    const store = new Store();
    const first = await agreement(store).divide(membershipOf(5, 'a', 'b'));
    expect(store.parsed).toEqual({ zxid: '5', members: ['a', 'b'], owners: { 1: 0, 2: 0, 3: 1, 4: 1 } });
    expect(await agreement(store).divide(membershipOf(5, 'a', 'b'))).toEqual(first);
    expect(store.writes).toBe(1);
  });

  it('go by what was before when somebody has come', async () => {
    const store = new Store();
    await agreement(store).divide(membershipOf(5, 'b', 'c'));
    const after = await agreement(store).divide(membershipOf(9, 'a', 'b', 'c'));
    expect(store.parsed).toMatchObject({ zxid: '9' });
    expect([...after.values()].sort()).toEqual(['a', 'b', 'b', 'c']);
    expect([after.get('1'), after.get('2'), after.get('3')]).toEqual(['b', 'b', 'c']);
  });

  it('do not turn back what others have agreed on, where their own list of members is older', async () => {
    const store = new Store();
    const newer = await agreement(store).divide(membershipOf(9, 'a'));
    expect(await agreement(store).divide(membershipOf(5, 'a', 'b'))).toEqual(newer);
    expect(store.writes).toBe(1);
  });

  it.each([undefined, 5])('take what another one was faster to write: after %p', async (before) => {
    const store = new Store();
    if (before !== undefined) await agreement(store).divide(membershipOf(before, 'z'));
    const version = (store.node?.version ?? -1) + 1;
    store.interfere = () => {
      store.node = { text: '{"zxid":"9","members":["b","a"],"owners":{"1":0,"2":1,"3":0,"4":1}}', version };
      return undefined;
    };
    const owners = await agreement(store).divide(membershipOf(9, 'a', 'b'));
    expect([...owners.values()]).toEqual(['b', 'a', 'b', 'a']);
  });

  it('write again for a newer membership where another one was faster to write for an older one', async () => {
    const store = new Store();
    store.interfere = () => {
      store.node = { text: '{"zxid":"7","members":["a"],"owners":{"1":0}}', version: 3 };
      return undefined;
    };
    const owners = await agreement(store).divide(membershipOf(9, 'a', 'b'));
    expect(store.parsed).toMatchObject({ zxid: '9' });
    expect([owners.get('1'), owners.size]).toEqual(['a', 4]);
  });

  it('find out what became of a write that was not answered', async () => {
    const store = new Store();
    store.interfere = () => new ConnectionLossError('', {}, true);
    const owners = await agreement(store).divide(membershipOf(9, 'a', 'b'));
    expect([owners.size, store.writes]).toEqual([4, 1]);
  });

  it.each(['', 'nonsense', '[]', '{"zxid":"x","members":[],"owners":{}}', '{"zxid":"9"}', 'null'])(
    'overwrite what makes no sense: %p',
    async (text) => {
      const store = new Store();
      store.node = { text, version: 4 };
      expect((await agreement(store).divide(membershipOf(9, 'a'))).size).toBe(4);
      expect(store.parsed).toMatchObject({ zxid: '9', members: ['a'] });
    },
  );

  it('ask nobody where the strategy goes by the members alone', async () => {
    const store = new Store();
    const owners = new Agreement(store.zk, '/set', partitions, partitioning.roundRobin()).divide(membershipOf(9, 'a'));
    expect([(await owners).size, store.reads, store.writes]).toEqual([4, 0, 0]);
  });
});
