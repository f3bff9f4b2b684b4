import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  AbortedError,
  ClosedError,
  ConnectionLossError,
  NoAuthError,
  OperationTimeoutError,
  SessionExpiredError,
} from 'zookit';
import { canTryAgain, defer, lookUntil, pause, Wait } from '../../../recipes/common/waiting.js';
import { FakeClient, settle } from './fake-client.js';

const subject = { operation: 'Mutex.acquire', path: '/lock' };
const lost = (): Error => new ConnectionLossError('lost', {}, false);
const expired = (): Error => new SessionExpiredError('expired', {}, false);

beforeEach(() => {
  jest.useFakeTimers();
});

afterEach(() => {
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

describe('Wait', () => {
  it('has one deadline over all steps', async () => {
    using wait = new Wait({ timeout: 100 }, subject);
    for (let step = 0; step < 3; step++) {
      const { promise, resolve } = defer();
      const waiting = wait.race(promise);
      await jest.advanceTimersByTimeAsync(33);
      resolve();
      await waiting;
    }
    const last = wait.race(defer().promise);
    const failure = expect(last).rejects.toThrow(OperationTimeoutError);
    await jest.advanceTimersByTimeAsync(1);
    await failure;
    expect(wait.isOver).toBe(true);
    expect(() => wait.check()).toThrow('Mutex.acquire /lock: the wait of 100 ms is over');
  });

  it('ends with its signal, whose reason becomes the cause', async () => {
    const stop = new AbortController();
    using wait = new Wait({ signal: stop.signal }, subject);
    wait.check();
    const waiting = wait.race(defer().promise);
    stop.abort('because');
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED', cause: 'because', path: '/lock' });
    await expect(wait.race(defer().promise)).rejects.toThrow(AbortedError);
  });

  it('is over at once with a signal that has fired', async () => {
    using wait = new Wait({ signal: AbortSignal.abort(), timeout: 100 }, subject);
    expect(() => wait.check()).toThrow(AbortedError);
    await expect(wait.race(defer().promise)).rejects.toThrow(AbortedError);
  });

  it('passes results and errors on', async () => {
    using wait = new Wait({}, subject);
    expect(await wait.race(Promise.resolve(7))).toBe(7);
    await expect(wait.race(Promise.reject(lost()))).rejects.toThrow(ConnectionLossError);
  });

  it('leaves no listener and no timer behind, and no rejection that nobody handles', async () => {
    const stop = new AbortController();
    const late = defer<number>();
    {
      using wait = new Wait({ signal: stop.signal, timeout: 60_000 }, subject);
      for (let step = 0; step < 20; step++) await wait.race(Promise.resolve());
      expect(getEventListeners(wait.signal!, 'abort')).toHaveLength(0);
      expect(getEventListeners(stop.signal, 'abort')).toHaveLength(1);
    }
    expect(getEventListeners(stop.signal, 'abort')).toHaveLength(0);
    using over = new Wait({ signal: AbortSignal.abort() }, subject);
    await expect(over.race(late.promise)).rejects.toThrow(AbortedError);
    late.reject(new Error('nobody waits for this any more'));
  });
});

describe('canTryAgain', () => {
  it('says yes to what passes, and to an expiry where there will be another session', () => {
    const client = new FakeClient();
    expect(canTryAgain(client.zk, lost())).toBe(true);
    expect(canTryAgain(client.zk, expired())).toBe(true);
    expect(canTryAgain(client.zk, new ClosedError('closed', {}, false))).toBe(false);
    expect(canTryAgain(client.zk, new NoAuthError('no'))).toBe(false);
    client.state = 'expired';
    expect(canTryAgain(client.zk, expired())).toBe(false);
  });
});

describe('pause', () => {
  it.each<[string, (client: FakeClient, stop: AbortController) => unknown]>([
    ['the time', () => jest.advanceTimersByTimeAsync(2_000)],
    ['a connection', (client) => client.become('connected')],
    ['its signal', (_, stop) => stop.abort()],
  ])('ends by %s, and leaves no listener', async (_, end) => {
    const [client, stop] = [new FakeClient(), new AbortController()];
    const pausing = pause(client.zk, 30, stop.signal);
    expect(client.listeners).toBe(1);
    await end(client, stop);
    await pausing;
    expect([client.listeners, getEventListeners(stop.signal, 'abort')]).toEqual([0, []]);
  });
});

describe('lookUntil', () => {
  it('looks again after each change, and forgets each watch', async () => {
    using wait = new Wait({}, subject);
    const told: (() => void)[] = [];
    const forgotten: unknown[] = [];
    const looking = lookUntil(
      new FakeClient().zk,
      wait,
      async (changed) => (told.push(changed) === 3 ? 'there' : undefined),
      (changed) => forgotten.push(changed),
    );
    for (let look = 1; look < 3; look++) {
      await settle();
      expect(told).toHaveLength(look);
      told.at(-1)?.();
    }
    expect(await looking).toBe('there');
    expect(forgotten).toEqual(told);
  });

  it('takes a change that is told while the look is under way for one that came after it', async () => {
    using wait = new Wait({}, subject);
    let looks = 0;
    const look = async (changed: () => void): Promise<true | undefined> => {
      changed();
      await settle();
      return ++looks === 2 ? true : undefined;
    };
    expect(await lookUntil(new FakeClient().zk, wait, look, () => undefined)).toBe(true);
  });

  it('goes on after what passes, with longer and longer pauses, and starts over with them after a look', async () => {
    using wait = new Wait({}, subject);
    jest.spyOn(Math, 'random').mockReturnValue(1);
    const times: number[] = [];
    const outcomes = [lost(), lost(), undefined, expired(), lost(), true] as const;
    const looking = lookUntil<true>(
      new FakeClient().zk,
      wait,
      async (changed) => {
        times.push(jest.now());
        const outcome = outcomes[times.length - 1];
        if (outcome instanceof Error) throw outcome;
        changed();
        return outcome;
      },
      () => undefined,
    );
    await jest.advanceTimersByTimeAsync(1_000);
    expect(await looking).toBe(true);
    expect(times.map((time) => time - times[0]!)).toEqual([0, 20, 60, 60, 80, 120]);
    jest.restoreAllMocks();
  });

  it.each<[string, () => Error, new (...args: never[]) => Error]>([
    ['an error that does not pass', () => new NoAuthError('no'), NoAuthError],
    ['the end of the client', () => new ClosedError('closed', {}, false), ClosedError],
  ])('ends with %s', async (_, error, expected) => {
    using wait = new Wait({}, subject);
    const forgotten: unknown[] = [];
    const looking = lookUntil(
      new FakeClient().zk,
      wait,
      () => Promise.reject(error()),
      (changed) => forgotten.push(changed),
    );
    await expect(looking).rejects.toThrow(expected);
    expect(forgotten).toHaveLength(1);
  });

  it.each(['look', 'wait for a change', 'pause'])(
    'ends with the wait in a %s, and forgets the watch',
    async (where) => {
      const stop = new AbortController();
      using wait = new Wait({ signal: stop.signal }, subject);
      const forgotten: unknown[] = [];
      const looks: Record<string, () => Promise<true | undefined>> = {
        look: () => defer<true>().promise,
        'wait for a change': () => Promise.resolve(undefined),
        pause: () => Promise.reject(lost()),
      };
      const client = new FakeClient();
      const looking = lookUntil(client.zk, wait, looks[where]!, (changed) => forgotten.push(changed));
      await settle();
      stop.abort();
      await expect(looking).rejects.toThrow(AbortedError);
      expect([forgotten.length, client.listeners]).toEqual([1, 0]);
    },
  );
});
