import { expect, it, test } from '@jest/globals';
import { AbortedError, InvalidArgumentError, InvalidPathError, OperationTimeoutError, ZooKeeper } from 'zookit';
import { Barrier } from 'zookit/recipes';
import { since } from '../../support/features.js';
import { startProxy } from '../../support/proxy.js';
import { sharedServer } from '../../support/shared.js';
import { until, within } from '../../support/until.js';
import { watchedPaths } from '../../support/watches.js';
import { useClients } from '../clients.js';

const clients = useClients();

it('holds back all who wait until it is removed', async () => {
  const path = `${await clients.folder()}/a/gate`;
  const barrier = new Barrier(clients.zk, path);
  await barrier.wait();
  expect([await barrier.set(), await barrier.set()]).toEqual([true, false]);
  let passed = 0;
  const waits = [clients.zk, await clients.another(), await clients.another()].map((zk) =>
    new Barrier(zk, path).wait().then(() => passed++),
  );
  await until(async () => (await watchedPaths(sharedServer(), clients.chroot + path)).length === 3, {
    what: 'waiters',
  });
  // A change is no removal.
  await clients.zk.setData(path, 'still closed');
  await until(async () => (await watchedPaths(sharedServer(), clients.chroot + path)).length === 3, {
    what: 'waiters',
  });
  expect(passed).toBe(0);
  expect(await barrier.remove()).toBe(true);
  await within(Promise.all(waits), { what: 'the waiters to pass' });
  expect(await barrier.remove()).toBe(false);
  expect(await watchedPaths(sharedServer(), clients.chroot + path)).toEqual([]);
});

it('is the znode itself, as for Curator and kazoo', async () => {
  const path = await clients.folder();
  const waiting = new Barrier(clients.zk, path).wait();
  await expect(new Barrier(clients.zk, path).wait({ timeout: 30 })).rejects.toThrow(OperationTimeoutError);
  await clients.zk.delete(path);
  await waiting;
  await new Barrier(clients.zk, path).set();
  expect((await clients.zk.getData(path)).stat.ephemeralOwner.isZero()).toBe(true);
});

it('a wait that is ended leaves no watch, and takes none from who waits beside it', async () => {
  const path = await clients.folder();
  const barrier = new Barrier(clients.zk, path);
  const staying: Promise<void>[] = [];
  for (let round = 0; round < 12; round++) {
    const stop = new AbortController();
    const leaving = barrier.wait({ signal: stop.signal });
    for (let turn = 0; turn < round; turn++) await (turn % 2 === 0 ? clients.zk.exists('/') : Promise.resolve());
    // This one looks while the watch of the other one is taken away.
    staying.push(barrier.wait());
    stop.abort();
    await expect(leaving).rejects.toThrow(AbortedError);
  }
  await clients.zk.sync('/');
  expect(await watchedPaths(sharedServer(), clients.chroot + path)).toHaveLength(1);
  await barrier.remove();
  await within(Promise.all(staying), { what: 'the waiters to pass' });
});

test('where the gate is open, one request tells so, and no watch needs to be taken away', async () => {
  const proxy = await startProxy(sharedServer());
  const zk = await ZooKeeper.connect(proxy.connectString + clients.chroot);
  proxy.requests.length = 0;
  await new Barrier(zk, '/nowhere').wait();
  expect(proxy.requests.map(({ opCode }) => opCode)).toEqual([4]);
  await zk.close();
  await proxy.close();
});

since('3.5.0')('its last waiter leaves no watch', async () => {
  const path = await clients.folder();
  await expect(new Barrier(clients.zk, path).wait({ timeout: 20 })).rejects.toThrow(OperationTimeoutError);
  await clients.zk.sync('/');
  expect(await watchedPaths(sharedServer(), clients.chroot + path)).toEqual([]);
});

it('tells whether it is set, and by whom', async () => {
  const path = `${await clients.folder()}/gate`;
  const barrier = new Barrier(clients.zk, path, { data: 'migration 7' });
  expect(await barrier.isSet()).toBe(false);
  await barrier.set({ timeout: 10_000 });
  expect([await barrier.isSet(), (await clients.zk.getData(path)).text()]).toEqual([true, 'migration 7']);
  await expect(barrier.remove({ signal: AbortSignal.abort() })).rejects.toThrow(AbortedError);
});

test('the path is checked by the constructor', () => {
  expect(() => new Barrier(clients.zk, '/a', { dat: 1 } as never)).toThrow(InvalidArgumentError);
  expect(() => new Barrier(clients.zk, '/a//b')).toThrow(InvalidPathError);
});
