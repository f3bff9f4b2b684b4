/** Reads that are at least as fresh as something; on an ensemble, where a follower can be behind. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { InvalidArgumentError, Long, StaleReadError, ZooKeeper } from 'zookit';
import { type Proxy, startProxy } from '../support/proxy.js';
import { gate } from '../support/until.js';
import { startServer, type ZooKeeperServer } from '../support/zookeeper.js';

const [SYNC, GET_DATA] = [9, 4];

let server: ZooKeeperServer;
let proxy: Proxy;
let zk: ZooKeeper;
let other: ZooKeeper;
beforeAll(async () => {
  server = await startServer();
  proxy = await startProxy(server);
  zk = await ZooKeeper.connect(proxy.connectString, { sessionTimeout: 30_000 });
  other = await ZooKeeper.connect(server.connectString);
  await zk.create('/node', 'first');
});
afterAll(async () => {
  await Promise.all([zk.close(), other.close()]);
  await proxy.close();
  await server.close();
});

/** What the proxy has seen of the kinds that matter here, since the last look. */
let seen = 0;
function asked(): number[] {
  const requests = proxy.requests.slice(seen);
  seen = proxy.requests.length;
  return requests.map(({ opCode }) => opCode).filter((opCode) => opCode === SYNC || opCode === GET_DATA);
}

test('with sync: true, a sync and the read leave together', async () => {
  asked();
  proxy.holdReplies();
  const reading = zk.getData('/node', { sync: true });
  await proxy.seen(({ opCode }) => opCode === GET_DATA);
  // The read did not wait for the answer to the sync.
  expect(asked()).toEqual([SYNC, GET_DATA]);
  proxy.heal();
  expect((await reading).text()).toBe('first');
});

describe('with atLeast', () => {
  test('what this client has seen itself costs no sync', async () => {
    const { mzxid } = await zk.setData('/node', 'second');
    asked();
    expect((await zk.getData('/node', { atLeast: mzxid })).text()).toBe('second');
    expect((await zk.exists('/node', { atLeast: zk.lastZxid }))?.mzxid).toEqual(mzxid);
    expect(asked()).toEqual([GET_DATA]);
  });

  test('what another client has seen costs one, once', async () => {
    await other.setData('/node', 'third');
    const zxid = other.lastZxid;
    expect(zk.lastZxid.lessThan(zxid)).toBe(true);
    asked();
    expect((await zk.getData('/node', { atLeast: zxid })).text()).toBe('third');
    expect((await zk.getData('/node', { atLeast: zxid })).text()).toBe('third');
    expect(asked()).toEqual([SYNC, GET_DATA, GET_DATA]);
  });

  test('what no server has come to rejects with StaleReadError, and leaves no watch', async () => {
    const told = gate<unknown>();
    const reading = zk.getData('/node', { atLeast: zk.lastZxid.add(1_000), watch: told.open });
    const error = await reading.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(StaleReadError);
    expect(error).toMatchObject({ code: 'STALE_READ', operation: 'getData', path: '/node' });
    expect(String(error)).toContain('was asked for');
    const again = gate<string>();
    await zk.getData('/node', { watch: ({ type }) => again.open(type) });
    await other.setData('/node', 'fourth');
    expect(await again.promise).toBe('dataChanged');
    let wasTold = false;
    void told.promise.then(() => (wasTold = true));
    await zk.sync();
    expect(wasTold).toBe(false);
  });

  test('something that is no zxid is refused', async () => {
    const wrong = { atLeast: 7 as unknown as Long };
    await expect(zk.getData('/node', wrong)).rejects.toBeInstanceOf(InvalidArgumentError);
  });
});

test('both go with children, stat and a watch', async () => {
  const told = gate<string>();
  const watch = ({ type }: { type: string }): void => told.open(type);
  const { children } = await zk.getChildren('/node', { stat: true, sync: true, watch });
  expect(children).toEqual([]);
  await other.create('/node/child');
  expect(await told.promise).toBe('childrenChanged');
  expect(await zk.getChildren('/node', { atLeast: other.lastZxid })).toEqual(['child']);
});

test('options with a wrong name are refused before anything is sent', async () => {
  asked();
  const wrong = { atleast: Long.ONE } as object;
  await expect(zk.getData('/node', wrong)).rejects.toThrow('there is no option "atleast"; known are');
  await expect(zk.getAcl('/node', { retry: true } as object)).rejects.toThrow('there is no option "retry"');
  await expect(zk.delete('/node', -1, { garanteed: true } as object)).rejects.toThrow(
    'known are signal, timeout, retry',
  );
  await expect(zk.create('/x', null, { modus: 'ephemeral' } as object)).rejects.toThrow('there is no option "modus"');
  await expect(zk.setData('/node', '', -1, { timeout: -1 })).rejects.toThrow('the timeout is -1');
  expect(asked()).toEqual([]);
});
