import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { now } from '../../../src/clock.js';
import { InvalidArgumentError, LeaseLostError } from '../../../src/errors.js';
import { Deadline, type LeaseOptions } from '../../../src/session/deadline.js';
import { type TestClock, useRealClock, useTestClock } from '../support/clock.js';

const T = 10_000;

let clock: TestClock;
const onLost = jest.fn();
let deadline: Deadline;

beforeEach(() => {
  clock = useTestClock();
  onLost.mockReset();
  deadline = new Deadline(onLost);
  deadline.grant(T, now());
});
afterEach(() => {
  deadline.end('the test is over');
  useRealClock();
});

describe('the time that remains', () => {
  it('counts from the sending of what was answered last', async () => {
    const sentAt = now();
    await clock.advance(3_000);
    deadline.confirm(sentAt + 1_000);
    expect(deadline.remaining).toBe(T - 2_000);
  });

  it('does not shrink when an older request is answered later', async () => {
    await clock.advance(3_000);
    deadline.confirm(now());
    deadline.confirm(now() - 2_000);
    expect(deadline.remaining).toBe(T);
  });

  it('is none before the first answer and after the end', () => {
    expect(new Deadline(onLost).remaining).toBe(-Infinity);
    deadline.end('over');
    expect(deadline.remaining).toBe(-Infinity);
  });

  it('follows the timeout that the next server grants', async () => {
    await clock.advance(1_000);
    deadline.grant(4_000, now());
    expect(deadline.remaining).toBe(4_000);
  });
});

describe('a lease', () => {
  it('is held from the start', () => {
    const lease = deadline.lease({});
    expect(lease.held).toBe(true);
    expect(lease.signal.aborted).toBe(false);
  });

  it('is lost a tenth of the session timeout before the end', async () => {
    const { signal } = deadline.lease({});
    await clock.advance(T - 1_000 - 1);
    expect(signal.aborted).toBe(false);
    await clock.advance(1);
    expect(signal.aborted).toBe(true);
  });

  it('is lost 100 ms before the end where a tenth would be less', async () => {
    deadline.grant(500, now() + 0.001);
    const lease = deadline.lease({});
    await clock.advance(399);
    expect(lease.held).toBe(true);
    await clock.advance(2);
    expect(lease.held).toBe(false);
  });

  it.each([0, 1, 4_000])('can have a margin of its own: %d ms', async (margin) => {
    const lease = deadline.lease({ margin });
    await clock.advance(T - margin - 1);
    expect(lease.held).toBe(true);
    await clock.advance(1);
    expect(lease.held).toBe(false);
  });

  it('with a margin above the session timeout is lost at once', () => {
    expect(deadline.lease({ margin: T + 1 }).held).toBe(false);
  });

  it('is lost at the first look after a stop of the process, before any timer has run', () => {
    const lease = deadline.lease({});
    const { signal } = lease;
    clock.freeze(T);
    expect(lease.held).toBe(false);
    expect(signal.aborted).toBe(true);
  });

  it('stays lost, even if the session turns out to be alive', () => {
    const lease = deadline.lease({});
    clock.freeze(T - 500);
    expect(lease.held).toBe(false);
    deadline.confirm(now());
    expect(lease.held).toBe(false);
    expect(deadline.lease({}).held).toBe(true);
  });

  it('is lost where an answer comes late, if the deadline is looked at before the answer counts', () => {
    const lease = deadline.lease({});
    const sentAt = now() + 1;
    clock.freeze(T);
    deadline.look(now());
    deadline.confirm(sentAt);
    expect(lease.held).toBe(false);
  });

  it('goes on as long as answers come in time', async () => {
    const lease = deadline.lease({});
    for (let round = 0; round < 10; round++) {
      await clock.advance(T / 2);
      deadline.confirm(now());
    }
    expect(lease.held).toBe(true);
  });

  it('taken before there was any answer is lost at once', () => {
    expect(new Deadline(onLost).lease({}).held).toBe(false);
  });

  it('taken after the end is lost at once, and says why', () => {
    deadline.end('the client was closed');
    const lease = deadline.lease({});
    expect(lease.held).toBe(false);
    expect(lease.signal.reason).toEqual(new LeaseLostError('the lease is over: the client was closed'));
  });

  it('is lost when the session ends', () => {
    const lease = deadline.lease({});
    deadline.end('the session has expired');
    expect(lease.held).toBe(false);
  });

  it('can be given back', () => {
    const lease = deadline.lease({});
    const { signal } = lease;
    lease.release();
    expect(lease.held).toBe(false);
    expect(signal.reason).toEqual(new LeaseLostError('the lease is over: it was given back'));
  });

  it('keeps the first reason for which it was lost', () => {
    const lease = deadline.lease({});
    lease.lose('somebody deleted the znode');
    lease.release();
    expect(lease.signal.reason).toEqual(new LeaseLostError('the lease is over: somebody deleted the znode'));
  });

  it('that runs out tells so as the reason of its signal', async () => {
    const { signal } = deadline.lease({});
    await clock.advance(T);
    expect(signal.reason).toBeInstanceOf(LeaseLostError);
    expect(signal.reason).toMatchObject({
      code: 'LEASE_LOST',
      message: 'the lease is over: no server has confirmed the session for too long',
    });
  });

  it('whose signal is asked for after the loss has one that is aborted', () => {
    const lease = deadline.lease({});
    lease.release();
    expect(lease.signal.aborted).toBe(true);
  });

  it('has its signal abort in time when the next server grants a shorter session timeout', async () => {
    const { signal } = deadline.lease({});
    deadline.grant(1_000, now() + 0.001);
    await clock.advance(901);
    expect(signal.aborted).toBe(true);
  });

  it.each<LeaseOptions>([
    { margin: NaN },
    { margin: -1 },
    { margin: '5' as unknown as number },
    { loseOn: 'never' as unknown as 'deadline' },
  ])('is refused with %p', (options) => {
    expect(() => deadline.lease(options)).toThrow(InvalidArgumentError);
  });
});

describe('a lease that ends with the connection', () => {
  it('is lost when the connection is gone, and others are not', () => {
    const lease = deadline.lease({ loseOn: 'suspended' });
    const other = deadline.lease({ loseOn: 'deadline' });
    deadline.suspended();
    expect(lease.held).toBe(false);
    expect(lease.signal.reason).toEqual(new LeaseLostError('the lease is over: the connection is gone'));
    expect(other.held).toBe(true);
  });

  it('is lost by the deadline, too', async () => {
    const lease = deadline.lease({ loseOn: 'suspended' });
    await clock.advance(T);
    expect(lease.held).toBe(false);
  });

  it('is lost at once when it is taken while there is no connection', () => {
    deadline.suspended();
    expect(deadline.lease({ loseOn: 'suspended' }).held).toBe(false);
    deadline.resumed();
    expect(deadline.lease({ loseOn: 'suspended' }).held).toBe(true);
  });
});

describe('the word that the session is lost', () => {
  it('comes once, when the session timeout is over', async () => {
    await clock.advance(T - 1);
    expect(onLost).not.toHaveBeenCalled();
    await clock.advance(T);
    expect(onLost).toHaveBeenCalledTimes(1);
  });

  it('comes once more when it is lost again after it was confirmed', async () => {
    await clock.advance(2 * T);
    deadline.confirm(now());
    await clock.advance(2 * T);
    expect(onLost).toHaveBeenCalledTimes(2);
  });

  it('does not come again for an answer that is itself too late', async () => {
    const sentAt = now() + 1;
    await clock.advance(2 * T);
    deadline.confirm(sentAt);
    deadline.look(now());
    await clock.advance(2 * T);
    expect(onLost).toHaveBeenCalledTimes(1);
  });

  it('comes at the first look after a stop of the process', () => {
    clock.freeze(T);
    deadline.look(now());
    expect(onLost).toHaveBeenCalledTimes(1);
  });

  it('comes after the leases were lost', async () => {
    const order: string[] = [];
    const own = new Deadline(() => order.push('lost'));
    own.grant(T, now());
    own.lease({ margin: 0 }).signal.addEventListener('abort', () => order.push('lease'));
    await clock.advance(T);
    expect(order).toEqual(['lease', 'lost']);
  });

  it('does not come after the end of the session', async () => {
    deadline.end('closed');
    await clock.advance(2 * T);
    expect(onLost).not.toHaveBeenCalled();
  });
});

describe('timers', () => {
  it('do not spin: a session in use wakes once a session timeout at most, whatever the number of answers', async () => {
    const look = jest.spyOn(deadline, 'look');
    deadline.lease({});
    look.mockClear();
    for (let answer = 0; answer < 1_000; answer++) {
      await clock.advance(T / 100);
      deadline.confirm(now());
    }
    expect(look.mock.calls.length).toBeLessThanOrEqual(15);
  });

  it('do not spin once all is lost', async () => {
    deadline.lease({});
    await clock.advance(2 * T);
    expect(clock.timers).toBe(0);
  });

  it('are one, however many leases there are', () => {
    for (let count = 0; count < 100; count++) deadline.lease({ margin: count });
    expect(clock.timers).toBe(1);
  });

  it('are gone with the session', () => {
    deadline.lease({});
    deadline.end('closed');
    expect(clock.timers).toBe(0);
  });

  it('do not wake for leases that were given back', async () => {
    const look = jest.spyOn(deadline, 'look');
    for (let count = 0; count < 100; count++) deadline.lease({ margin: T - 100 }).release();
    look.mockClear();
    await clock.advance(T - 1);
    expect(look.mock.calls.length).toBeLessThanOrEqual(2);
  });
});

it.each([true, false])('its timer keeps the process with unref: false only (unref: %s)', (unref) => {
  const timers = jest.spyOn(globalThis, 'setTimeout');
  timers.mockClear();
  const each = new Deadline(() => undefined, unref);
  each.grant(1_000, performance.now());
  expect((timers.mock.results[0]?.value as NodeJS.Timeout).hasRef()).toBe(!unref);
  each.end('the test is over');
});
