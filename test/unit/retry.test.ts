import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  AbortedError,
  InvalidArgumentError,
  NoNodeError,
  OperationTimeoutError,
  UnansweredFailure,
} from '../../src/errors.js';
import { limited } from '../../src/limited.js';
import type { RetryPolicy } from '../../src/retry-policy.js';
import { isPassing, persist } from '../../src/retry.js';
import type { RequestLimits } from '../../src/session/pending-request.js';
import { type TestClock, useRealClock, useTestClock } from './support/clock.js';

let clock: TestClock;

beforeEach(() => {
  clock = useTestClock();
});
afterEach(useRealClock);

function lost(mayHaveBeenApplied = false): Error {
  return new UnansweredFailure('connectionLoss', 'the connection was lost', mayHaveBeenApplied).toError({});
}

function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

/** From how many listeners on Node warns of a leak; 0: never. Jest's signals are none to `getMaxListeners`. */
function mostListeners(signal: AbortSignal): unknown {
  const all = Object.getOwnPropertySymbols(signal);
  const key = all.find(({ description }) => description === 'events.maxEventTargetListeners');
  return key === undefined ? undefined : (signal as unknown as Record<symbol, unknown>)[key];
}

const always: RetryPolicy = () => 100;

/** Fails so many times, and then succeeds. */
function failing(
  times: number,
  error = lost(),
): jest.Mock<(attempt: number, limits: RequestLimits) => Promise<string>> {
  return jest.fn((attempt: number, _limits: RequestLimits) =>
    attempt <= times ? Promise.reject(error) : Promise.resolve('done'),
  );
}

function begin(
  step: (attempt: number, limits: RequestLimits) => Promise<string>,
  { policy = always, ...limits }: RequestLimits & { policy?: RetryPolicy } = {},
): Promise<string> {
  return persist({ policy, isRetryable: isPassing, operation: 'test', path: '/a', ...limits }, step);
}

describe('persist', () => {
  it('begins at once, and pauses as the policy says', async () => {
    const policy = jest.fn<RetryPolicy>().mockReturnValueOnce(10).mockReturnValueOnce(20);
    const step = failing(2);
    const done = begin(step, { policy });
    expect(step).toHaveBeenCalledTimes(1);
    await clock.advance(9);
    expect(step).toHaveBeenCalledTimes(1);
    await clock.advance(1);
    expect(step).toHaveBeenCalledTimes(2);
    await clock.advance(20);
    expect(await done).toBe('done');
    expect(policy.mock.calls).toMatchObject([[{ attempt: 1, elapsed: 0 }], [{ attempt: 2, elapsed: 10 }]]);
    expect(clock.timers).toBe(0);
  });

  it('hands on the last failure where the policy ends it, and at once what does not pass', async () => {
    const error = lost();
    expect(await failureOf(begin(failing(1, error), { policy: () => undefined }))).toBe(error);
    const firm = new NoNodeError('none', {});
    const step = failing(1, firm);
    expect(await failureOf(begin(step))).toBe(firm);
    expect(step).toHaveBeenCalledTimes(1);
  });

  it.each<[string, unknown]>([
    ['NaN', NaN],
    ['-1', -1],
    ['Infinity', Infinity],
    ['10', '10'],
    ['null', null],
    ['false', false],
  ])('refuses a policy that gives %s, and says after what', async (text, pause) => {
    const error = lost();
    const step = failing(1, error);
    const refused = await failureOf(begin(step, { policy: () => pause as number }));
    expect(refused).toBeInstanceOf(InvalidArgumentError);
    expect(refused).toMatchObject({ operation: 'test', path: '/a', cause: error });
    expect(String(refused)).toContain(`the retry policy gave ${text}; it must give milliseconds`);
    expect(step).toHaveBeenCalledTimes(1);
    expect(clock.timers).toBe(0);
  });

  it('rejects with what the policy throws', async () => {
    const error = new Error('from the policy');
    const policy = (): number => {
      throw error;
    };
    expect(await failureOf(begin(failing(1), { policy }))).toBe(error);
    expect(clock.timers).toBe(0);
  });

  it('gives each try what is left of the time, and ends with it', async () => {
    const step = failing(99);
    const done = failureOf(begin(step, { timeout: 250 }));
    await clock.advance(200);
    expect(step.mock.calls.map(([, { timeout }]) => timeout)).toEqual([250, 150, 50]);
    await clock.advance(50);
    const late = await done;
    expect(late).toBeInstanceOf(OperationTimeoutError);
    expect(late).toMatchObject({ operation: 'test', path: '/a', mayHaveBeenApplied: false });
    expect(step).toHaveBeenCalledTimes(3);
    expect(clock.timers).toBe(0);
  });

  it('tries nothing where the signal has fired before', async () => {
    const step = failing(0);
    const refused = await failureOf(begin(step, { signal: AbortSignal.abort() }));
    expect(refused).toBeInstanceOf(AbortedError);
    expect(refused).toMatchObject({ mayHaveBeenApplied: false });
    expect(step).not.toHaveBeenCalled();
  });

  it('ends in the middle of a pause when the signal fires, and leaves neither listener nor timer', async () => {
    const controller = new AbortController();
    const done = failureOf(begin(failing(99), { signal: controller.signal }));
    await clock.advance(250);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    controller.abort();
    expect(await done).toBeInstanceOf(AbortedError);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    expect(clock.timers).toBe(0);
  });

  it.each(['signal', 'timeout'])(
    'tells of a doubt that an earlier try has left, at the end by its %s',
    async (limit) => {
      const controller = new AbortController();
      const step = jest.fn((attempt: number) => Promise.reject(lost(attempt === 1)));
      const limits = limit === 'timeout' ? { timeout: 150 } : { signal: controller.signal };
      const done = failureOf(begin(step, limits));
      await clock.advance(120);
      expect(step).toHaveBeenCalledTimes(2);
      controller.abort();
      await clock.advance(30);
      expect(await done).toMatchObject({ mayHaveBeenApplied: true });
    },
  );

  it('of many may share one signal without a warning', async () => {
    const controller = new AbortController();
    const all = Array.from({ length: 20 }, () => failureOf(begin(failing(99), { signal: controller.signal })));
    await clock.advance(10);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(20);
    controller.abort();
    await Promise.all(all);
    expect(mostListeners(controller.signal)).toBe(0);
  });
});

describe('limited', () => {
  const never = new Promise<never>(() => undefined);

  it('hands on what the promise comes to, and leaves nothing', async () => {
    const { signal } = new AbortController();
    expect(await limited(Promise.resolve(7), { signal, timeout: 100 }, {})).toBe(7);
    const error = new Error('no');
    expect(await failureOf(limited(Promise.reject(error), { signal, timeout: 100 }, {}))).toBe(error);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    expect(clock.timers).toBe(0);
  });

  it('hands on undefined and objects, too', async () => {
    expect(await limited(Promise.resolve(undefined), {}, {})).toBeUndefined();
    expect(await limited(Promise.resolve('timeout'), {}, {})).toBe('timeout');
  });

  it('ends the wait when the time is over', async () => {
    const done = failureOf(limited(never, { timeout: 100 }, { operation: 'test', path: '/a' }));
    await clock.advance(100);
    const late = await done;
    expect(late).toBeInstanceOf(OperationTimeoutError);
    expect(late).toMatchObject({ operation: 'test', path: '/a', mayHaveBeenApplied: true });
  });

  it('ends the wait when the signal fires, with its reason', async () => {
    const controller = new AbortController();
    const done = failureOf(limited(never, { signal: controller.signal, timeout: 100 }, { operation: 'test' }));
    const reason = new Error('enough');
    controller.abort(reason);
    expect(await done).toMatchObject({ code: 'ABORTED', cause: reason, mayHaveBeenApplied: true });
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    expect(clock.timers).toBe(0);
    expect(await failureOf(limited(never, { signal: controller.signal }, {}))).toBeInstanceOf(AbortedError);
  });

  it('lets no rejection that comes later go unhandled', async () => {
    const unhandled = jest.fn();
    process.on('unhandledRejection', unhandled);
    let reject = (_: Error): void => undefined;
    const slow = new Promise<never>((_, fail) => (reject = fail));
    const done = failureOf(limited(slow, { timeout: 10 }, {}));
    await clock.advance(10);
    await done;
    reject(new Error('too late'));
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });

  it('of many may share one signal without a warning', async () => {
    const controller = new AbortController();
    const all = Array.from({ length: 20 }, () => failureOf(limited(never, { signal: controller.signal }, {})));
    controller.abort();
    await Promise.all(all);
    expect(mostListeners(controller.signal)).toBe(0);
  });
});
