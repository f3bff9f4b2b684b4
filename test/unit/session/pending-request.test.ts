import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import Long from 'long';
import { ProtocolError, UnansweredFailure } from '../../../src/errors.js';
import { getConfig } from '../../../src/operations/config.js';
import { addWatch, create, exists, getData, setData } from '../../../src/operations/index.js';
import { multiOf } from '../../../src/operations/multi.js';
import { JuteReader } from '../../../src/protocol/jute-reader.js';
import { JuteWriter } from '../../../src/protocol/jute-writer.js';
import { ReplyHeader } from '../../../src/protocol/records.js';
import { Delivery } from '../../../src/session/delivery.js';
import type { PendingRequest } from '../../../src/session/pending-request.js';
import { int } from '../../support/frames.js';
import { type TestClock, useRealClock, useTestClock } from '../support/clock.js';
import { replyHeader } from '../support/reference.js';
import { ask, type Asked, askRead, askWrite, codesOf } from '../support/requests.js';

let clock: TestClock;

beforeEach(() => {
  clock = useTestClock();
});
afterEach(useRealClock);

/** The reply comes. */
function answer(request: PendingRequest, error: number, record: Buffer = Buffer.alloc(0)): void {
  const reader = new JuteReader(Buffer.concat([replyHeader(1, 5, error), record]));
  const header = new ReplyHeader();
  header.read(reader);
  request.answer(header, reader);
}

/** The error that the caller of a request got. */
function errorOf({ outcomes }: Asked): Error {
  return (outcomes[0] as UnansweredFailure).toError({ operation: 'op', path: '/a' });
}

function armingSpy(): Record<'beforeSend' | 'armed' | 'refused' | 'unwanted', jest.Mock> {
  return { beforeSend: jest.fn(), armed: jest.fn(), refused: jest.fn(), unwanted: jest.fn() };
}

const connectionLoss = new UnansweredFailure('connectionLoss', 'gone', false);

describe('the outcome', () => {
  it('is the result where the server says so', () => {
    const asked = ask(addWatch, { path: '/a', recursive: false });
    answer(asked.request, 0, int(0));
    expect(asked.outcomes).toEqual([undefined]);
    expect(asked.request.settled).toBe(true);
  });

  it('is the answer of exists where there is no znode', () => {
    const asked = ask(exists, { path: '/a', watch: false });
    answer(asked.request, -101);
    expect(asked.outcomes).toEqual([null]);
  });

  it('is a failure also of exists, where the server refuses for another reason', () => {
    const asked = ask(exists, { path: '/a', watch: false });
    answer(asked.request, -102);
    expect(codesOf(asked.outcomes)).toEqual(['NO_AUTH']);
  });

  it('says that the server is too old where its answer means that, and what it lacks', () => {
    const asked = ask(getConfig, { path: '/zookeeper/config', watch: false });
    answer(asked.request, -101);
    expect(codesOf(asked.outcomes)).toEqual(['UNIMPLEMENTED']);
    expect(errorOf(asked).message).toContain('(getConfig is known from ZooKeeper 3.5.0 on)');
    const multi = ask(multiOf([{ kind: 'createTtl', path: '/a', data: null, acl: [], flags: 0, ttl: Long.ONE }]), {
      path: '',
      operations: [],
    });
    answer(multi.request, -5);
    expect(errorOf(multi).message).toContain('(a create with a ttl is known from ZooKeeper 3.5.3 on)');
  });

  it('is a failure with the code of the server otherwise', () => {
    const asked = askRead();
    answer(asked.request, -101);
    expect(codesOf(asked.outcomes)).toEqual(['NO_NODE']);
  });

  it('tells from which release on the server would know the operation', () => {
    const asked = ask(addWatch, { path: '/a', recursive: false });
    answer(asked.request, -6);
    expect(codesOf(asked.outcomes)).toEqual(['UNIMPLEMENTED']);
    expect(errorOf(asked).message).toMatch(/\(addWatch is known from ZooKeeper 3\.6\.0 on\)$/);
  });

  it.each([
    [-112, 'SESSION_EXPIRED'],
    [-115, 'AUTH_FAILED'],
    [-124, 'AUTH_FAILED'],
  ])('is the end of the session where the code is %d: %s, nothing was applied', (code, word) => {
    const asked = askWrite();
    answer(asked.request, code);
    expect(codesOf(asked.outcomes)).toEqual([word]);
    expect(errorOf(asked)).toMatchObject({ mayHaveBeenApplied: false });
  });

  it('is none yet where the reply cannot be read', () => {
    const asked = askRead();
    expect(() => answer(asked.request, 0, int(7))).toThrow(ProtocolError);
    expect(asked.outcomes).toEqual([]);
    expect(asked.request.settled).toBe(false);
  });

  it('comes once, whatever follows', () => {
    const asked = askRead();
    asked.request.fail(connectionLoss);
    asked.request.fail(connectionLoss);
    answer(asked.request, -101);
    expect(codesOf(asked.outcomes)).toEqual(['CONNECTION_LOSS']);
  });

  it('waits behind an event that came before it', async () => {
    const delivery = new Delivery();
    const order: string[] = [];
    delivery.event(() => order.push('event'));
    const asked = askRead({ delivery });
    answer(asked.request, -101);
    expect(asked.outcomes).toEqual([]);
    await new Promise((resolve) => setImmediate(resolve));
    order.push(...codesOf(asked.outcomes).map(String));
    expect(order).toEqual(['event', 'NO_NODE']);
  });
});

describe('a timeout', () => {
  it('ends the wait, and leaves no timer', async () => {
    const asked = askRead();
    asked.request.limit({ timeout: 100 });
    await clock.advance(99);
    expect(asked.outcomes).toEqual([]);
    await clock.advance(1);
    expect(codesOf(asked.outcomes)).toEqual(['OPERATION_TIMEOUT']);
    expect(errorOf(asked).message).toBe('op /a: there was no answer within 100 ms');
    expect(clock.timers).toBe(0);
  });

  it('is over with the answer', async () => {
    const asked = askRead();
    asked.request.limit({ timeout: 100 });
    answer(asked.request, -101);
    expect(clock.timers).toBe(0);
    await clock.advance(1_000);
    expect(codesOf(asked.outcomes)).toEqual(['NO_NODE']);
  });

  it.each([
    ['a write that was sent', askWrite, 1, true],
    ['a write that was not sent', askWrite, 0, false],
    ['a read', askRead, 1, false],
  ] as const)('says of %s whether it may have been applied', async (_, make, timesSent, mayHaveBeenApplied) => {
    const asked = make();
    asked.request.timesSent = timesSent;
    asked.request.limit({ timeout: 1 });
    await clock.advance(1);
    expect(errorOf(asked)).toMatchObject({ code: 'OPERATION_TIMEOUT', mayHaveBeenApplied });
  });

  it('leaves the request its place: the answer that comes later is taken, and told to nobody', async () => {
    const asked = askRead();
    asked.request.limit({ timeout: 1 });
    await clock.advance(1);
    expect(() => answer(asked.request, -101)).not.toThrow();
    expect(asked.outcomes).toHaveLength(1);
  });
});

describe('a signal', () => {
  it('ends the wait, with its reason as the cause', () => {
    const asked = askRead();
    const controller = new AbortController();
    const reason = new Error('enough');
    asked.request.limit({ signal: controller.signal });
    expect(asked.outcomes).toEqual([]);
    controller.abort(reason);
    expect(errorOf(asked)).toMatchObject({ code: 'ABORTED', cause: reason });
  });

  it('that has fired before ends it at once', () => {
    const asked = askRead();
    asked.request.limit({ signal: AbortSignal.abort() });
    expect(codesOf(asked.outcomes)).toEqual(['ABORTED']);
  });

  it('has no listener left after the answer, or after the timeout', async () => {
    const { signal } = new AbortController();
    const remove = jest.spyOn(signal, 'removeEventListener');
    const add = jest.spyOn(signal, 'addEventListener');
    const [first, second] = [askRead(), askRead()];
    first.request.limit({ signal });
    second.request.limit({ signal, timeout: 5 });
    answer(first.request, -101);
    await clock.advance(5);
    const listeners = (spy: typeof add | typeof remove): unknown[] => spy.mock.calls.map(([, listener]) => listener);
    expect(listeners(add)).toHaveLength(2);
    expect(listeners(remove)).toEqual(listeners(add));
  });
});

describe('the watch of a request', () => {
  it('is prepared before the request is written', () => {
    const request = { path: '/a', watch: false };
    const arming = armingSpy();
    arming.beforeSend.mockImplementation(() => {
      request.watch = true;
    });
    const out = new JuteWriter();
    ask(getData, request, { arming }).request.write(out);
    expect(out.take().at(-1)).toBe(1);
  });

  it.each([
    ['the znode is there', 0, true],
    ['there is none', -101, false],
  ])('is armed where %s', (_, code, found) => {
    const arming = armingSpy();
    const asked = ask(exists, { path: '/a', watch: true }, { arming });
    answer(asked.request, code, Buffer.alloc(68));
    expect(arming.armed.mock.calls).toEqual([[found]]);
    expect(arming.refused).not.toHaveBeenCalled();
  });

  it('is armed before the caller has the result', () => {
    const arming = armingSpy();
    const asked = ask(exists, { path: '/a', watch: true }, { arming });
    arming.armed.mockImplementation(() => expect(asked.outcomes).toEqual([]));
    answer(asked.request, 0, Buffer.alloc(68));
    expect(arming.armed).toHaveBeenCalledTimes(1);
    expect(asked.outcomes).toHaveLength(1);
  });

  it.each<[string, (asked: Asked) => void]>([
    ['the server refuses', ({ request }) => answer(request, -101)],
    ['the request fails', ({ request }) => request.fail(connectionLoss)],
    ['the caller waits no longer', ({ request }) => request.limit({ signal: AbortSignal.abort() })],
  ])('is given up where %s', (_, end) => {
    const arming = armingSpy();
    end(askRead({ arming }));
    expect(arming.refused).toHaveBeenCalled();
    expect(arming.armed).not.toHaveBeenCalled();
  });

  it('is not armed for a caller who waits no longer: it is unwanted', () => {
    const arming = armingSpy();
    const asked = ask(exists, { path: '/a', watch: true }, { arming });
    asked.request.limit({ signal: AbortSignal.abort() });
    expect(arming.unwanted).not.toHaveBeenCalled();
    answer(asked.request, 0, Buffer.alloc(68));
    expect(arming.armed).not.toHaveBeenCalled();
    expect(arming.unwanted).toHaveBeenCalledTimes(1);
  });
});

it('knows what to say where the server does not know the operation', () => {
  expect(ask(setData, { path: '/a', data: null, version: -1 }).request.sinceHint).toBe(
    ' (setData is known from ZooKeeper 3.0.0 on)',
  );
  expect(ask(create, { path: '/a', data: null, acl: [], flags: 0 }).request.sinceHint).toContain('create');
});
