import { describe, expect, it } from '@jest/globals';
import { acl, InvalidPathError, NoAuthError, NoNodeError } from 'zookit';
import { needs } from '../support/features.js';
import { useClients } from './clients.js';

const clients = useClients();

describe('multiRead', () => {
  needs('multiRead')('gives the results of several reads in order, typed', async () => {
    const folder = await clients.folder();
    await clients.zk.create(`${folder}/a`, 'data of a');
    await clients.zk.create(`${folder}/null`);
    const [node, children, none] = await clients.zk
      .multiRead()
      .getData(`${folder}/a`)
      .getChildren(folder)
      .getData(`${folder}/null`)
      .read();
    if (node.status !== 'fulfilled' || children.status !== 'fulfilled' || none.status !== 'fulfilled') {
      throw new Error('all reads were to succeed');
    }
    expect(node.value.text()).toBe('data of a');
    expect(node.value.stat).toEqual(await clients.zk.exists(`${folder}/a`));
    expect(children.value.sort()).toEqual(['a', 'null']);
    expect(none.value.isNull).toBe(true);
  });

  needs('multiRead')('lets each read fail by itself, with the error that it would have alone', async () => {
    const folder = await clients.folder();
    await clients.zk.create(`${folder}/secret`, 'x', { acl: [acl.world('admin')] });
    const results = await clients.zk
      .multiRead()
      .getData(`${folder}/missing`)
      .getData(folder)
      .getChildren(`${folder}/gone`)
      .getData(`${folder}/secret`)
      .getChildren(folder)
      .read();
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected', 'rejected', 'fulfilled']);
    const reasons = results.map((result) => (result.status === 'rejected' ? (result.reason as unknown) : undefined));
    expect(reasons[0]).toBeInstanceOf(NoNodeError);
    expect(reasons[0]).toMatchObject({ code: 'NO_NODE', operation: 'getData', path: `${folder}/missing` });
    expect(reasons[2]).toMatchObject({ code: 'NO_NODE', operation: 'getChildren', path: `${folder}/gone` });
    expect(reasons[3]).toBeInstanceOf(NoAuthError);
  });

  needs('multiRead')('of which the first fails leaves the connection as it was', async () => {
    // ZooKeeper 3.8 appends garbage after a failed multiRead.
    const folder = await clients.folder();
    const { server } = clients.zk.session;
    const [only] = await clients.zk.multiRead().getData(`${folder}/missing`).read();
    expect(only.status).toBe('rejected');
    expect(await clients.zk.has(folder)).toBe(true);
    expect([clients.zk.state, clients.zk.session.server]).toEqual(['connected', server]);
  });

  it('of nothing gives []', async () => {
    expect(await clients.zk.multiRead().read()).toEqual([]);
  });

  needs('multiRead')('reads one state of the tree', async () => {
    const folder = await clients.folder();
    const writer = await clients.another();
    await clients.zk.transaction().create(`${folder}/a`, '0').create(`${folder}/b`, '0').commit();
    const write = async (value: number): Promise<void> => {
      const data = String(value);
      await writer.transaction().setData(`${folder}/a`, data).setData(`${folder}/b`, data).commit();
    };
    const reads = Array.from({ length: 50 }, async (_, index) => {
      await write(index);
      const [a, b] = await clients.zk.multiRead().getData(`${folder}/a`).getData(`${folder}/b`).read();
      return [a, b].map((result) => (result.status === 'fulfilled' ? result.value.text() : 'failed'));
    });
    for (const [a, b] of await Promise.all(reads)) expect(a).toBe(b);
  });

  it('refuses a wrong path at the call', () => {
    expect(() => clients.zk.multiRead().getData('/a//b')).toThrow(InvalidPathError);
    expect(() => clients.zk.multiRead().getChildren('/a/')).toThrow(InvalidPathError);
  });
});
