import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { RequestTooLargeError } from 'zookit';
import type { ProxyRequest } from '../support/proxy.js';
import { startServer, type ZooKeeperServer } from '../support/zookeeper.js';
import { failureOf, fence, op, type Rig, Seen, startRig } from './rig.js';

/** A server of its own: it counts all watches there are. */
let server: ZooKeeperServer;

beforeAll(async () => {
  server = await startServer();
});

afterAll(() => server.close());

const isRewatch = ({ opCode }: ProxyRequest): boolean => opCode === op.setWatches || opCode === op.setWatches2;

/** Leaves so many watches, on paths of about sixty characters with the chroot. */
async function watchMany({ zk }: Rig, count: number, seen: Seen): Promise<void> {
  const paths = Array.from({ length: count }, (_, index) => pathOf(index));
  await Promise.all(paths.map((path) => zk.exists(path, { watch: seen.tell })));
}

function pathOf(index: number): string {
  return `/${'long'.repeat(4)}-${index}`;
}

/** What the server says of its watches, as lines. */
async function wchs(): Promise<string[]> {
  return (await server.fourLetter('wchs')).trim().split('\n');
}

test('100,000 watches, too many for one packet, are all there again after a reconnect', async () => {
  await using rig = await startRig({ server, sessionTimeout: 60_000 });
  const seen = new Seen();
  await watchMany(rig, 100_000, seen);
  const before = await wchs();
  expect(before.at(-1)).toBe('Total watches:100000');

  rig.proxy.requests.length = 0;
  await rig.reconnect();
  await fence(rig.zk);
  expect(await wchs()).toEqual(before);
  const sizes = rig.proxy.requests.filter(isRewatch).map(({ length }) => length);
  // The paths alone are more than four times the megabyte that a server accepts.
  expect(sizes.reduce((sum, size) => sum + size)).toBeGreaterThan(2 ** 22);
  expect(Math.max(...sizes)).toBeLessThanOrEqual(128 * 1024 + 64);

  const { path } = await rig.observer.create(pathOf(99_999));
  await fence(rig.zk);
  expect(seen.all).toEqual([`created ${path}`]);
}, 120_000);

test('watches are set again in packets below maxRequestBytes, when that is small', async () => {
  await using rig = await startRig({ server, maxRequestBytes: 2_048 });
  const seen = new Seen();
  await watchMany(rig, 200, seen);
  await rig.zk.addWatch('/persistent', { onEvent: seen.tell });
  const before = await wchs();
  rig.proxy.requests.length = 0;
  await rig.reconnect();
  await fence(rig.zk);
  expect(await wchs()).toEqual(before);
  expect(Math.max(...rig.proxy.requests.map(({ length }) => length))).toBeLessThanOrEqual(2_048);
  expect(seen.all).toEqual(['resync']);
});

test('a path too long to be watched again below maxRequestBytes is refused at once, and one that fits survives', async () => {
  await using rig = await startRig({ server, maxRequestBytes: 2_048 });
  const { zk, chroot } = rig;
  const seen = new Seen();
  // The packet that watches one path again has 40 bytes beside it.
  const ofLength = (length: number): string => `/${'x'.repeat(length - chroot.length - 1)}`;
  const tooLong = ofLength(2_048 - 39);
  const watches: (() => Promise<unknown>)[] = [
    () => zk.exists(tooLong, { watch: seen.tell }),
    () => zk.getData(tooLong, { watch: seen.tell }),
    () => zk.addWatch(tooLong, { onEvent: seen.tell }),
  ];
  for (const watch of watches) expect(await failureOf(watch())).toBeInstanceOf(RequestTooLargeError);
  expect(await zk.exists(tooLong)).toBeNull();

  const path = ofLength(2_048 - 40);
  await zk.exists(path, { watch: seen.tell });
  await zk.addWatch(path, { onEvent: seen.tell });
  const before = await wchs();
  await rig.reconnect();
  await fence(zk);
  expect(await wchs()).toEqual(before);
  expect(seen.all).toEqual(['resync']);
});
