import { expect, it, test } from '@jest/globals';
import {
  AbortedError,
  InvalidArgumentError,
  InvalidPathError,
  NoNodeError,
  OperationTimeoutError,
  type ZooKeeper,
} from 'zookit';
import { CountDownLatch, InvalidBarrierError } from 'zookit/recipes';
import { until, within } from '../../support/until.js';
import { useClients } from '../clients.js';

const clients = useClients();

/** Resolves when each of them watches the latch. */
async function waiting(path: string, ...zks: readonly ZooKeeper[]): Promise<void> {
  const all = (): boolean => zks.every((zk) => zk.watches().some((watch) => watch.path === path));
  await until(all, { what: 'all to wait' });
}

it('opens for all who wait when it was counted down', async () => {
  const path = `${await clients.folder()}/a/latch`;
  const latch = new CountDownLatch(clients.zk, path);
  expect(await latch.count()).toBeUndefined();
  expect([await latch.set(3), await latch.set(5)]).toEqual([true, false]);
  let passed = 0;
  const zks = [clients.zk, await clients.another(), await clients.another()];
  const waits = zks.map((zk) => new CountDownLatch(zk, path).wait().then(() => passed++));
  await waiting(path, ...zks);
  expect([await latch.countDown(), await latch.countDown(), await latch.count()]).toEqual([2, 1, 1]);
  await clients.zk.sync('/');
  expect(passed).toBe(0);
  expect(await latch.countDown()).toBe(0);
  await within(Promise.all(waits), { what: 'all to pass' });
  expect([await latch.countDown(), await latch.count()]).toEqual([0, 0]);
  await latch.wait();
  expect(zks.flatMap((zk) => zk.watches())).toEqual([]);
});

it('counts each id once', async () => {
  const latch = new CountDownLatch(clients.zk, await clients.folder());
  await latch.remove();
  await latch.set(3);
  const left = [];
  for (const id of ['a', 'a', 'a/b', '..', 'é ✓', 'a/b']) left.push(await latch.countDown({ id }));
  expect(left).toEqual([2, 2, 1, 0, 0, 0]);
});

it('keeps its count when those who counted are gone, and knows who they were', async () => {
  const path = `${await clients.folder()}/latch`;
  await new CountDownLatch(clients.zk, path).set(2);
  const zk = await clients.another();
  await new CountDownLatch(zk, path).countDown({ id: 'one' });
  await zk.close();
  expect(await new CountDownLatch(clients.zk, path).count()).toBe(1);
  expect(await clients.zk.getChildren(path)).toEqual(['id-one']);
});

it('is counted down by many at once, none of them in vain', async () => {
  const latch = new CountDownLatch(clients.zk, `${await clients.folder()}/latch`);
  await latch.set(40);
  const opening = latch.wait();
  const left = await Promise.all(Array.from({ length: 40 }, () => latch.countDown()));
  expect(Math.min(...left)).toBe(0);
  await within(opening, { what: 'it to open' });
});

it('is waited for before it is set, and again after it was removed', async () => {
  const path = `${await clients.folder()}/latch`;
  const latch = new CountDownLatch(clients.zk, path);
  const opening = latch.wait();
  await waiting(path, clients.zk);
  await latch.set(2);
  await latch.countDown();
  await latch.remove();
  await latch.set(1);
  await expect(latch.wait({ timeout: 50 })).rejects.toThrow(OperationTimeoutError);
  await expect(latch.wait({ signal: AbortSignal.timeout(50) })).rejects.toThrow(AbortedError);
  await latch.countDown();
  await within(opening, { what: 'it to open' });
});

test('what is no latch is refused', async () => {
  const path = await clients.folder();
  const latch = new CountDownLatch(clients.zk, path);
  await expect(latch.count()).rejects.toThrow(InvalidBarrierError);
  await expect(latch.wait()).rejects.toMatchObject({ code: 'INVALID_BARRIER', path });
  await expect(new CountDownLatch(clients.zk, `${path}/none`).countDown()).rejects.toThrow(NoNodeError);
  expect(() => new CountDownLatch(clients.zk, 'latch')).toThrow(InvalidPathError);
  for (const count of [0, -1, 1.5, 10_001, '3'])
    await expect(latch.set(count as never)).rejects.toThrow(InvalidArgumentError);
  for (const id of ['', 3, '\ud800'])
    await expect(latch.countDown({ id } as never)).rejects.toThrow(InvalidArgumentError);
  await expect(latch.countDown({ ID: 'a' } as never)).rejects.toThrow(InvalidArgumentError);
});
