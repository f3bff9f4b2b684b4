import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Long, type SessionInfo } from 'zookit';
import type { HeldPlace } from '../../../recipes/common/holder.js';
import { LockContext, type LockInContext } from '../../../recipes/locks/mutex-context.js';
import { Lock, type LockOptions } from '../../../recipes/locks/mutex-lock.js';
import { FakeClient, settle } from './fake-client.js';

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['queueMicrotask', 'nextTick'] });
});
afterEach(() => {
  jest.useRealTimers();
});

/** A lock of a client that never asks a server. */
function hold(options: LockOptions): { lock: Lock; left: () => number } {
  const client = Object.assign(new FakeClient(), { lease, getData: () => new Promise(() => undefined) });
  let count = 0;
  const place: HeldPlace = {
    path: '/a/lock-1',
    fencingToken: Long.ONE,
    session: client.session as SessionInfo,
    lookAfter: () => undefined,
    leave: () => {
      count++;
      return Promise.resolve();
    },
  };
  return { lock: new Lock(client.zk, place, options), left: () => count };
}

/** A lease that is held until it is given up. */
function lease(): object {
  const controller = new AbortController();
  const lose = (why: unknown): void => controller.abort(why);
  return {
    get held() {
      return !controller.signal.aborted;
    },
    signal: controller.signal,
    lose,
    release: () => lose('released'),
  };
}

describe('the longest hold', () => {
  it('asks at its end, and takes the lock a grace later', async () => {
    const told: Lock[] = [];
    const { lock, left } = hold({ maxHold: 1_000, maxHoldGrace: 200, onRevoke: (each) => told.push(each) });
    jest.advanceTimersByTime(999);
    expect(lock.revoked.aborted).toBe(false);
    jest.advanceTimersByTime(1);
    await settle();
    expect([lock.revoked.aborted, lock.held, told]).toEqual([true, true, [lock]]);
    jest.advanceTimersByTime(199);
    expect([lock.held, left()]).toEqual([true, 0]);
    jest.advanceTimersByTime(1);
    await settle();
    expect([lock.held, lock.signal.reason, left()]).toEqual([
      false,
      'it was held for more than 1000 ms, and not given back in 200 ms',
      1,
    ]);
    await lock.release();
    expect([left(), jest.getTimerCount()]).toEqual([1, 0]);
  });

  it('has a grace of a second', async () => {
    const { lock } = hold({ maxHold: 0 });
    jest.advanceTimersByTime(999);
    expect(lock.held).toBe(true);
    jest.advanceTimersByTime(1);
    expect(lock.held).toBe(false);
    await lock.release();
  });

  it.each([0, 1_000])('leaves no timer behind when the lock is given back after %d ms', async (delay) => {
    const { lock, left } = hold({ maxHold: 1_000, maxHoldGrace: 200 });
    jest.advanceTimersByTime(delay);
    await lock.release();
    expect([jest.getTimerCount(), left()]).toEqual([0, 1]);
  });
});

describe('the context of a lock', () => {
  const lock = (over: Partial<LockInContext> = {}): LockInContext => ({
    held: true,
    signal: AbortSignal.abort('why'),
    isReleased: false,
    isOf: () => true,
    ...over,
  });
  const rooted = (root: string): FakeClient['zk'] => Object.assign(new FakeClient(), { root }).zk;

  it.each([
    ['/', '/app/a', '/app', '/a'],
    ['/app', '/', '/', '/app'],
    ['/app', '/a/b', '/app/a', '/b'],
  ])('knows a path of %s, %s, as one of %s, %s', (root, path, otherRoot, otherPath) => {
    const context = new LockContext();
    const ours = lock();
    context.run(rooted(root), path, ours, () => {
      expect(context.find(rooted(otherRoot), otherPath, 'find')).toBe(ours);
      expect(context.find(rooted(root), `${path}b`, 'find')).toBeUndefined();
    });
    expect(context.find(rooted(root), path, 'find')).toBeUndefined();
  });

  it('keeps those that are held around it', () => {
    const context = new LockContext();
    const zk = rooted('/');
    const [a, b] = [lock(), lock()];
    context.run(zk, '/a', a, () =>
      context.run(zk, '/b', b, () => {
        expect([context.find(zk, '/a', ''), context.find(zk, '/b', '')]).toEqual([a, b]);
      }),
    );
  });
});
