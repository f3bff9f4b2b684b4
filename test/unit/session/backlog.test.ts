import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Backlog } from '../../../src/session/backlog.js';
import { type TestClock, useRealClock, useTestClock } from '../support/clock.js';
import { askRead, type Asked, codesOf } from '../support/requests.js';

const bounds = { maxOperations: 3, maxBytes: 100, maxWait: 1_000 };

let clock: TestClock;
let backlog: Backlog;

beforeEach(() => {
  clock = useTestClock();
  backlog = new Backlog(bounds);
});
afterEach(useRealClock);

/** Adds a request of so many bytes. */
function added(bytes = 1): Asked {
  const asked = askRead({ bytes });
  backlog.add(asked.request, 'there is no connection');
  return asked;
}

/** The caller of a request waits no longer. */
function abandon({ request }: Asked): void {
  request.limit({ signal: AbortSignal.abort() });
}

function message({ outcomes }: Asked): string {
  return (outcomes[0] as { toError(context: object): Error }).toError({}).message;
}

describe('requests that wait', () => {
  it('are taken in the order in which they were asked for, and have no outcome yet', () => {
    const waiting = [added(), added(), added()];
    expect(backlog.size).toBe(3);
    expect(backlog.takeAll()).toEqual(waiting.map(({ request }) => request));
    expect(backlog.size).toBe(0);
    expect(waiting.flatMap(({ outcomes }) => outcomes)).toEqual([]);
  });

  it('can be put back in front', () => {
    const second = added();
    const first = askRead();
    backlog.putBack([first.request]);
    expect(backlog.takeAll()).toEqual([first.request, second.request]);
  });

  it('are put back whatever the bounds', () => {
    const back = Array.from({ length: 5 }, () => askRead({ bytes: 60 }));
    backlog.putBack(back.map(({ request }) => request));
    expect(backlog.takeAll()).toHaveLength(5);
  });
});

describe('the bound of their number', () => {
  it('refuses one more, and keeps those that wait', () => {
    for (let count = 0; count < 3; count++) added();
    const refused = added();
    expect(codesOf(refused.outcomes)).toEqual(['QUEUE_FULL']);
    expect(message(refused)).toBe('there is no connection, and 3 operations (offlineQueue.maxOperations) wait already');
    expect(backlog.size).toBe(3);
  });

  it('does not count those whose callers wait no longer', () => {
    const waiting = [added(), added(), added()];
    abandon(waiting[1]!);
    expect(added().outcomes).toEqual([]);
    expect(codesOf(added().outcomes)).toEqual(['QUEUE_FULL']);
  });
});

describe('the bound of their bytes', () => {
  it('refuses what goes beyond it, and takes what still fits', () => {
    added(60);
    const refused = added(41);
    expect(codesOf(refused.outcomes)).toEqual(['QUEUE_FULL']);
    expect(message(refused)).toBe(
      'there is no connection, and operations of 60 bytes wait already; offlineQueue.maxBytes is 100',
    );
    expect(added(40).outcomes).toEqual([]);
  });

  it('does not count those whose callers wait no longer', () => {
    abandon(added(60));
    expect(added(60).outcomes).toEqual([]);
    expect(codesOf(added(41).outcomes)).toEqual(['QUEUE_FULL']);
  });

  it('starts from nothing when all were taken', () => {
    added(100);
    backlog.takeAll();
    expect(added(100).outcomes).toEqual([]);
  });
});

describe('the bound of their age', () => {
  it('fails each when its own time is over', async () => {
    const first = added();
    await clock.advance(600);
    const second = added();
    await clock.advance(399);
    expect(first.outcomes).toEqual([]);
    await clock.advance(1);
    expect(codesOf(first.outcomes)).toEqual(['OPERATION_TIMEOUT']);
    expect(message(first)).toBe('it could not be sent for as long as offlineQueue.maxWait allows');
    expect(second.outcomes).toEqual([]);
    await clock.advance(600);
    expect(codesOf(second.outcomes)).toEqual(['OPERATION_TIMEOUT']);
    expect(backlog.size).toBe(0);
  });

  it('makes room', async () => {
    for (let count = 0; count < 3; count++) added(30);
    await clock.advance(1_000);
    expect(added(100).outcomes).toEqual([]);
  });

  it('says that nothing was applied', async () => {
    const { outcomes } = added();
    await clock.advance(1_000);
    expect((outcomes[0] as { toError(context: object): Error }).toError({})).toMatchObject({
      mayHaveBeenApplied: false,
    });
  });

  it('begins for those that were put back when they were', async () => {
    await clock.advance(5_000);
    const back = askRead();
    backlog.putBack([back.request]);
    await clock.advance(999);
    expect(back.outcomes).toEqual([]);
    await clock.advance(1);
    expect(codesOf(back.outcomes)).toEqual(['OPERATION_TIMEOUT']);
  });

  it('does not hold for those that were taken', async () => {
    const { outcomes } = added();
    backlog.takeAll();
    expect(clock.timers).toBe(0);
    await clock.advance(5_000);
    expect(outcomes).toEqual([]);
  });

  it('takes one timer, however many wait', () => {
    for (let count = 0; count < 3; count++) added();
    expect(clock.timers).toBe(1);
  });
});

it('lets nothing wait where offlineQueue is false', () => {
  backlog = new Backlog(false);
  const refused = added();
  expect(codesOf(refused.outcomes)).toEqual(['QUEUE_FULL']);
  expect(message(refused)).toBe('there is no connection, and offlineQueue is false');
});

describe('what was put back in front', () => {
  it('does not prolong the wait of the others', async () => {
    const waiting = added();
    await clock.advance(900);
    const back = askRead();
    backlog.putBack([back.request]);
    expect(clock.timers).toBe(1);
    await clock.advance(100);
    expect(codesOf(waiting.outcomes)).toEqual(['OPERATION_TIMEOUT']);
    expect(back.outcomes).toEqual([]);
    await clock.advance(900);
    expect(codesOf(back.outcomes)).toEqual(['OPERATION_TIMEOUT']);
    expect(clock.timers).toBe(0);
  });
});

describe('drain', () => {
  it('hands out the first ones in order, as long as each may go, and counts what is left', () => {
    const waiting = [added(10), added(20), added(30)].map(({ request }) => request);
    const sent: unknown[] = [];
    backlog.drain(
      (request) => sent.push(request),
      (request) => request !== waiting[2],
    );
    expect(sent).toEqual(waiting.slice(0, 2));
    expect([backlog.size, backlog.bytes]).toEqual([1, 30]);
    expect(clock.timers).toBe(1);
    backlog.drain(
      (request) => sent.push(request),
      () => true,
    );
    expect(sent).toEqual(waiting);
    expect([backlog.size, backlog.bytes, clock.timers]).toEqual([0, 0, 0]);
  });

  it('asks before each one, and leaves all where the first may not go', () => {
    added();
    added();
    const asked: unknown[] = [];
    backlog.drain(
      () => undefined,
      (request) => asked.push(request) < 1,
    );
    expect([asked.length, backlog.size]).toEqual([1, 2]);
  });

  it('leaves to those that stay the time that they have', async () => {
    added();
    await clock.advance(600);
    const second = added();
    let count = 0;
    backlog.drain(
      () => count++,
      () => count === 0,
    );
    await clock.advance(999);
    expect(second.outcomes).toEqual([]);
    await clock.advance(1);
    expect(codesOf(second.outcomes)).toEqual(['OPERATION_TIMEOUT']);
  });
});

describe('take', () => {
  it('takes out some, in order, and lets the others wait for what is left of their time', async () => {
    const waiting = [added(10), added(20), added(30)];
    await clock.advance(900);
    const taken = backlog.take((request) => request !== waiting[1]?.request);
    expect(taken).toEqual([waiting[0]?.request, waiting[2]?.request]);
    expect([backlog.size, backlog.bytes]).toEqual([1, 20]);
    await clock.advance(100);
    expect(codesOf(waiting[1]?.outcomes ?? [])).toEqual(['OPERATION_TIMEOUT']);
  });
});

it.each([true, false])('keeps the process with unref: false only (unref: %s)', (unref) => {
  const timers = jest.spyOn(globalThis, 'setTimeout');
  backlog = new Backlog(bounds, unref);
  added();
  expect((timers.mock.results[0]?.value as NodeJS.Timeout).hasRef()).toBe(!unref);
  backlog.takeAll();
});
