/** How the pool opens sessions: never a failure, never a spin, no effort that nobody needs. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { ConnectError } from '../../../src/errors.js';
import { Opener } from '../../../src/pool/opener.js';
import { ZooKeeper } from '../../../src/zookeeper.js';

const client = { name: 'a client' } as unknown as ZooKeeper;
const failure = new ConnectError('no session', []);

let connect: jest.SpiedFunction<typeof ZooKeeper.connect>;
let needed = true;
let failures: Error[] = [];
let opener: Opener;

beforeEach(() => {
  jest.useFakeTimers();
  jest.spyOn(Math, 'random').mockReturnValue(1);
  connect = jest.spyOn(ZooKeeper, 'connect');
  needed = true;
  failures = [];
  opener = new Opener('zk', {}, { isNeeded: () => needed, failed: (error) => failures.push(error) });
});

afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

test('a failure is told, and followed by pauses that grow to five seconds', async () => {
  connect.mockRejectedValue(failure);
  void opener.open();
  const pauses = [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000];
  for (const [index, pause] of pauses.entries()) {
    await jest.advanceTimersByTimeAsync(pause - 1);
    expect(connect).toHaveBeenCalledTimes(index + 1);
    await jest.advanceTimersByTimeAsync(1);
  }
  expect(failures.length).toBe(pauses.length + 1);
  expect(opener.lastFailure).toBe(failure);
  opener.stop();
});

test('a success ends the growth and the failure', async () => {
  connect.mockRejectedValueOnce(failure).mockResolvedValueOnce(client).mockRejectedValueOnce(failure);
  const opened = opener.open();
  await jest.advanceTimersByTimeAsync(100);
  expect(await opened).toBe(client);
  expect(opener.lastFailure).toBeUndefined();
  void opener.open();
  await jest.advanceTimersByTimeAsync(99);
  expect(connect).toHaveBeenCalledTimes(3);
  await jest.advanceTimersByTimeAsync(1);
  expect(connect).toHaveBeenCalledTimes(4);
  opener.stop();
});

test('rests while nobody needs a session', async () => {
  connect.mockRejectedValueOnce(failure).mockResolvedValueOnce(client);
  needed = false;
  const opened = opener.open();
  await jest.advanceTimersByTimeAsync(60_000);
  opener.look();
  await jest.advanceTimersByTimeAsync(60_000);
  expect(connect).toHaveBeenCalledTimes(1);
  needed = true;
  opener.look();
  expect(await opened).toBe(client);
});

test.each([
  ['pauses', true],
  ['rests', false],
])('stops while it %s', async (_, isNeeded) => {
  connect.mockRejectedValue(failure);
  needed = isNeeded;
  const opened = opener.open();
  await jest.advanceTimersByTimeAsync(isNeeded ? 1 : 1_000);
  opener.stop();
  expect(await opened).toBeUndefined();
  expect(await opener.open()).toBeUndefined();
  expect(connect).toHaveBeenCalledTimes(1);
  expect(jest.getTimerCount()).toBe(0);
});
