import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
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
