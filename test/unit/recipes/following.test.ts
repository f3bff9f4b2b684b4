import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { ConnectionLossError, NoAuthError } from 'zookit';
import { Following } from '../../../recipes/common/following.js';
import { defer, type Deferred } from '../../../recipes/common/waiting.js';
import { FakeClient, settle } from './fake-client.js';

let client: FakeClient;
let looks: (Deferred<void> & { readonly changed: () => void })[];
let failures: Error[];
let told: boolean[];
let following: Following;

beforeEach(() => {
  jest.useFakeTimers();
  client = new FakeClient();
  looks = [];
  failures = [];
  told = [];
  following = new Following(client.zk, {
    look: (changed) => {
      const look = { ...defer(), changed };
      looks.push(look);
      return look.promise;
    },
    looked: () => told.push(following.isCurrent),
    failed: (error) => failures.push(error),
  });
});

afterEach(async () => {
  for (const look of looks) look.resolve();
  await following.close();
  expect([client.listeners, jest.getTimerCount()]).toEqual([0, 0]);
  jest.useRealTimers();
});

async function finish(look: number): Promise<void> {
  looks[look]?.resolve();
  await settle();
}

test('does nothing before it is started, and looks once however often that is asked', async () => {
  expect([looks.length, client.listeners]).toEqual([0, 0]);
  following.start();
  following.start();
  await finish(0);
  expect([looks.length, following.isCurrent]).toEqual([1, true]);
});

test('looks again when a watch tells of a change, and is not current before that look is done', async () => {
  following.start();
  expect(following.isCurrent).toBe(false);
  await finish(0);
  looks[0]?.changed();
  expect(following.isCurrent).toBe(false);
  await settle();
  expect([looks.length, following.isCurrent]).toEqual([2, false]);
  await finish(1);
  expect([following.isCurrent, told]).toEqual([true, [true, true]]);
});

test('never looks twice at a time; changes told meanwhile bring one more look', async () => {
  following.start();
  looks[0]?.changed();
  following.wake();
  await settle();
  expect(looks).toHaveLength(1);
  await finish(0);
  expect([looks.length, told]).toEqual([2, [false]]);
  await finish(1);
  expect([looks.length, following.isCurrent]).toEqual([2, true]);
});

test('is not current without a connection, and looks again with the next one', async () => {
  following.start();
  await finish(0);
  client.state = 'suspended';
  expect(following.isCurrent).toBe(false);
  client.become('suspended');
  // Back, and the event is not told yet.
  client.state = 'connected';
  expect(following.isCurrent).toBe(false);
  client.become('connected');
  await settle();
  expect(looks).toHaveLength(2);
  await finish(1);
  expect([following.isCurrent, told]).toEqual([true, [true, false, false, true]]);
});

test('a look that was under way when the connection went does not count', async () => {
  following.start();
  client.become('suspended');
  await finish(0);
  client.state = 'connected';
  expect(following.isCurrent).toBe(false);
});

test('a look that was begun without a connection, and done with one, counts', async () => {
  client.state = 'connecting';
  following.start();
  client.become('connected');
  await finish(0);
  expect([looks.length, following.isCurrent]).toEqual([1, true]);
  client.become('suspended');
  following.wake();
  await settle();
  client.become('connected');
  await finish(1);
  expect([looks.length, following.isCurrent]).toEqual([2, true]);
});

test('tries again after what passes', async () => {
  following.start();
  looks[0]?.reject(new ConnectionLossError('lost', {}, false));
  await settle();
  expect(looks).toHaveLength(1);
  await jest.advanceTimersByTimeAsync(20);
  expect([looks.length, failures]).toEqual([2, []]);
});

test('ends with an error that does not pass, and tells it once', async () => {
  following.start();
  await finish(0);
  following.wake();
  await settle();
  const error = new NoAuthError('no');
  looks[1]?.reject(error);
  await settle();
  following.wake();
  client.become('connected');
  await settle();
  expect([looks.length, failures, following.isCurrent, client.listeners]).toEqual([2, [error], false, 0]);
});

test('close waits for the look that is under way, and whatever that comes to is no failure', async () => {
  following.start();
  let closed = false;
  const closing = following.close().then(() => (closed = true));
  await settle();
  expect([closed, following.closing.aborted]).toEqual([false, true]);
  looks[0]?.reject(new NoAuthError('no'));
  await closing;
  following.wake();
  await settle();
  expect([looks.length, failures]).toEqual([1, []]);
});

test.each(['idle', 'pausing', 'not started'])('close ends it when it is %s', async (where) => {
  if (where !== 'not started') following.start();
  if (where === 'pausing') looks[0]?.reject(new ConnectionLossError('lost', {}, false));
  else await finish(0);
  await settle();
  await following.close();
  following.start();
  await settle();
  expect(looks).toHaveLength(where === 'not started' ? 0 : 1);
});
