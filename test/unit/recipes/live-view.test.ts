import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { NoAuthError } from 'zookit';
import { LiveView } from '../../../recipes/common/live-view.js';
import { defer, type Deferred, Wait } from '../../../recipes/common/waiting.js';
import { FakeClient, settle } from './fake-client.js';

const subject = { operation: 'test', path: '/a' };

let client: FakeClient;
let looks: (Deferred<void> & { readonly changed: () => void })[];
let value: number;
let view: LiveView;

beforeEach(() => {
  jest.useFakeTimers();
  client = new FakeClient();
  looks = [];
  value = 0;
  view = new LiveView(client.zk, subject, (changed) => {
    const look = { ...defer(), changed };
    looks.push(look);
    return look.promise;
  });
  view.start();
});

afterEach(async () => {
  for (const look of looks) look.resolve();
  await view.close();
  expect([client.listeners, jest.getTimerCount()]).toEqual([0, 0]);
  jest.useRealTimers();
});

/** Ends the look that is under way, which has seen this. */
async function see(seen: number): Promise<void> {
  value = seen;
  looks.at(-1)?.resolve();
  await settle();
}

/** A look that sees this. */
async function become(seen: number): Promise<void> {
  looks.at(-1)?.changed();
  await settle();
  await see(seen);
}

const values = (): AsyncGenerator<number, void, undefined> => view.each(() => (view.hasLooked ? value : undefined));

test('whoever waits is told what holds after each look, and what the condition throws', async () => {
  using wait = new Wait({}, subject);
  const one = view.until(() => view.hasLooked && value === 2, wait);
  const other = view.until(() => {
    if (value === 3) throw new RangeError('three');
    return false;
  }, wait);
  const refused = expect(other).rejects.toThrow(RangeError);
  expect(view.hasLooked).toBe(false);
  await see(1);
  await become(2);
  await one;
  await become(3);
  await refused;
});

test('iterations begin with the first look, and tell each view once, and the last one always', async () => {
  const iteration = values();
  const first = iteration.next();
  await settle();
  await see(1);
  expect((await first).value).toBe(1);
  const second = iteration.next();
  await become(1);
  await become(2);
  expect((await second).value).toBe(2);
  await become(3);
  await become(4);
  expect((await iteration.next()).value).toBe(4);
});

test('an iteration ends when it is closed, also while its reader is at work', async () => {
  const [idle, busy] = [values(), values()];
  await see(1);
  await Promise.all([idle.next(), busy.next()]);
  const waiting = idle.next();
  await view.close();
  expect([await waiting, await busy.next()]).toMatchObject([{ done: true }, { done: true }]);
  using wait = new Wait({}, subject);
  await expect(view.until(() => true, wait)).rejects.toMatchObject({ code: 'CLOSED' });
});

test('what ends it is thrown, after the last view', async () => {
  const iteration = values();
  await see(1);
  looks.at(-1)?.changed();
  await settle();
  const error = new NoAuthError('no');
  looks.at(-1)?.reject(error);
  await settle();
  expect((await iteration.next()).value).toBe(1);
  await expect(iteration.next()).rejects.toBe(error);
  expect(view.failure).toBe(error);
});

test('says since when it is not current: since the first thing that made it so', async () => {
  const begun = view.staleSince ?? NaN;
  jest.advanceTimersByTime(100);
  expect([view.isCurrent, view.staleSince]).toEqual([false, begun]);
  await see(1);
  expect([view.isCurrent, view.staleSince]).toEqual([true, undefined]);
  jest.advanceTimersByTime(100);
  client.become('suspended');
  jest.advanceTimersByTime(100);
  client.become('expired');
  client.become('connected');
  expect([view.isCurrent, view.staleSince]).toEqual([false, begun + 200]);
  await settle();
  await see(1);
  expect(view.staleSince).toBeUndefined();
});
