import { expect, test } from '@jest/globals';
import { InvalidArgumentError } from 'zookit';
import type { Contender } from '../../../recipes/common/contender.js';
import { checkMargin, Holder } from '../../../recipes/common/holder.js';
import { LeaderLatch, Mutex, PersistentNode } from '../../../recipes/index.js';
import { checkLease } from '../../../recipes/common/options.js';
import { FakeClient } from './fake-client.js';

const subject = { operation: 'Mutex', path: '/a' };

test.each([NaN, -1, Infinity, '5'])('a margin of %p is none', (margin) => {
  const options = { margin: margin as number };
  expect(() => checkLease(options, subject)).toThrow(InvalidArgumentError);
  const { zk } = new FakeClient();
  for (const make of [() => new Mutex(zk, '/a', options), () => new LeaderLatch(zk, '/a', options)])
    expect(make).toThrow(InvalidArgumentError);
  expect(() => new PersistentNode(zk, '/a', '', options)).toThrow(InvalidArgumentError);
});

test('what loseOn can be is checked', () => {
  expect(() => checkLease({ loseOn: 'never' as 'suspended' }, subject)).toThrow(
    'loseOn is never; it must be "deadline" or "suspended"',
  );
  for (const loseOn of ['deadline', 'suspended', undefined] as const) checkLease({ loseOn, margin: 0 }, subject);
});

test('a margin that leaves nothing of the session timeout is refused once that is known', () => {
  const client = new FakeClient();
  const check = (timeout: number, margin?: number): void => {
    client.session = { timeout };
    checkMargin(client.zk, { margin }, 'Mutex', '/a');
  };
  expect(() => check(1_000, 1_000)).toThrow('the margin of 1000 ms leaves nothing of the session timeout');
  check(1_000, 999);
  check(1_000);
  check(0, 1_000);
});

test('nothing is held when the session has been replaced between the answer and now', () => {
  let why: string | undefined;
  const lease = { lose: (reason: string) => (why = reason) };
  const client = Object.assign(new FakeClient(), { lease: () => lease });
  const contender = { session: {}, path: '/a' } as unknown as Contender;
  expect(new Holder(client.zk, contender, {}).path).toBe('/a');
  expect(why).toBe('its session has ended');
});
