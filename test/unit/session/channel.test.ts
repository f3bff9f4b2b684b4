import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import Long from 'long';
import { now } from '../../../src/clock.js';
import { FrameTooLargeError, LinkError, ProtocolError, type UnansweredFailure } from '../../../src/errors.js';
import type { WatchedChange } from '../../../src/events.js';
import { deleteNode, exists, getData, setData, sync } from '../../../src/operations/index.js';
import { resolveOptions } from '../../../src/options.js';
import { Channel, type ChannelUser } from '../../../src/session/channel.js';
import { ClientMetrics } from '../../../src/metrics/client-metrics.js';
import { OperationMeter } from '../../../src/metrics/operation-meter.js';
import { Deadline } from '../../../src/session/deadline.js';
import { LastZxid } from '../../../src/session/last-zxid.js';
import { ServerRelease } from '../../../src/session/server-release.js';
import type { PendingRequest } from '../../../src/session/pending-request.js';
import { bytes, int } from '../../support/frames.js';
import { golden } from '../protocol/golden.js';
import { type TestClock, useRealClock, useTestClock } from '../support/clock.js';
import { damaged } from '../support/damage.js';
import { FakeConnection } from '../support/fake-connection.js';
import { ReferenceReader, replyHeader, watcherEvent } from '../support/reference.js';
import { ask, type Asked, askRead, askWrite, codesOf } from '../support/requests.js';

const T = 9_000;
const LIMIT = 2_048;

let clock: TestClock;
let connection: FakeConnection;
let lastZxid: LastZxid;
let deadline: Deadline;
let release: ServerRelease;
let meter: OperationMeter;
let user: { [Name in keyof ChannelUser]: jest.Mock<ChannelUser[Name]> };
let channel: Channel;

/** Begins a channel on a connection of its own. */
function open(lastXid = 0): Channel {
  connection = new FakeConnection(LIMIT);
  const options = resolveOptions({ maxRequestBytes: LIMIT, inFlight: { maxOperations: 4, maxBytes: 1_000 } });
  const around = { lastZxid, deadline, options, release, meter };
  return new Channel(connection.asConnection, T, around, user, lastXid);
}

beforeEach(() => {
  clock = useTestClock();
  lastZxid = new LastZxid();
  deadline = new Deadline(() => undefined);
  deadline.grant(T, now());
  release = new ServerRelease();
  meter = new OperationMeter(new ClientMetrics(0));
  user = {
    confirmed: jest.fn(),
    changed: jest.fn(),
    roomy: jest.fn(),
    late: jest.fn(),
    expired: jest.fn(),
    authFailed: jest.fn(),
    ended: jest.fn(),
  };
  channel = open();
});
afterEach(() => {
  connection.end(new LinkError('the test is over'));
  deadline.end('the test is over');
  useRealClock();
});

/** Asks for the existence of `/a`, the answer to which can be a bare header. */
function sendExists(): Asked {
  const asked = ask(exists, { path: '/a', watch: false });
  channel.send(asked.request);
  return asked;
}

/** xid and type of the frames that were sent. */
function sentHeaders(): [number, number][] {
  return connection.sent().map((each) => [each.readInt32BE(0), each.readInt32BE(4)]);
}

/** "There is no such znode", for any request. */
function missing(xid: number, zxid: bigint | number = 5): Buffer {
  return replyHeader(xid, zxid, -101);
}

describe('xids', () => {
  it('begin at 1 and count on', () => {
    for (let count = 0; count < 3; count++) sendExists();
    expect(sentHeaders()).toEqual([
      [1, 3],
      [2, 3],
      [3, 3],
    ]);
  });

  it('start over at 1 after 2^31 - 1: none is negative, all are answered (C2)', () => {
    channel = open(2 ** 31 - 4);
    const asked = Array.from({ length: 10 }, sendExists);
    const xids = sentHeaders().map(([xid]) => xid);
    expect(xids).toEqual([2147483645, 2147483646, 2147483647, 1, 2, 3, 4, 5, 6, 7]);
    connection.reply(...xids.map((xid) => missing(xid)));
    expect(asked.map(({ outcomes }) => outcomes)).toEqual(new Array(10).fill([null]));
  });

  it('are of their own kind for credentials and pings, which count no requests', async () => {
    sendExists();
    channel.claim({ scheme: 'digest', auth: Buffer.from('u:p') }, () => undefined);
    await clock.advance(T / 3);
    sendExists();
    expect(sentHeaders()).toEqual([
      [1, 3],
      [-4, 100],
      [-2, 11],
      [2, 3],
    ]);
  });
});

describe('what is sent', () => {
  it('is, byte for byte, what a real client sends', async () => {
    channel = open(1);
    channel.send(ask(getData, { path: '/ex/a', watch: true }).request);
    channel.send(ask(exists, { path: '/ex/b', watch: true }).request);
    channel.claim({ scheme: 'digest', auth: Buffer.from('u:p') }, () => undefined);
    await clock.advance(T / 3);
    expect(connection.out.take()).toEqual(
      Buffer.concat([golden('getDataRequest'), golden('existsRequest'), golden('authRequest'), golden('pingRequest')]),
    );
  });

  it('is nothing for a request whose caller waits no longer', () => {
    const asked = askRead();
    asked.request.limit({ signal: AbortSignal.abort() });
    channel.send(asked.request);
    expect(connection.sent()).toEqual([]);
  });

  it('notes the moment and counts the times', async () => {
    const { request } = askRead();
    await clock.advance(10);
    channel.send(request);
    expect(request).toMatchObject({ xid: 1, timesSent: 1, sentAt: now() });
  });
});

describe('a request above the limit', () => {
  const tooLarge = (): Asked => ask(setData, { path: '/a', data: Buffer.alloc(LIMIT), version: -1 });

  it('fails with its size and the limit, and nothing of it is sent', () => {
    const asked = tooLarge();
    channel.send(asked.request);
    const [failure] = asked.outcomes as [UnansweredFailure];
    expect(failure.toError({ operation: 'setData', path: '/a' })).toMatchObject({
      code: 'REQUEST_TOO_LARGE',
      size: 8 + 6 + 4 + LIMIT + 4,
      limit: LIMIT,
    });
    expect(connection.sent()).toEqual([]);
  });

  it('leaves the ones before and after it intact, and answered', () => {
    const before = sendExists();
    channel.send(tooLarge().request);
    const after = sendExists();
    const frames = connection.sent();
    expect(frames).toHaveLength(2);
    const reader = new ReferenceReader(frames[1]!);
    const xid = reader.int();
    expect([reader.int(), reader.string(), reader.bool(), reader.rest]).toEqual([3, '/a', false, 0]);
    connection.reply(missing(1), missing(xid));
    expect([before.outcomes, after.outcomes]).toEqual([[null], [null]]);
  });

  it('is one byte longer than one that is sent', () => {
    const fitting = ask(setData, { path: '/a', data: Buffer.alloc(LIMIT - 22), version: -1 });
    channel.send(fitting.request);
    expect(connection.sent().map(({ length }) => length)).toEqual([LIMIT]);
    expect(fitting.outcomes).toEqual([]);
    const above = ask(setData, { path: '/a', data: Buffer.alloc(LIMIT - 21), version: -1 });
    channel.send(above.request);
    expect(codesOf(above.outcomes)).toEqual(['REQUEST_TOO_LARGE']);
  });
});

describe('replies', () => {
  it('settle their requests, in order, with what they hold', () => {
    const first = ask(sync, { path: '/a' });
    const second = askRead();
    channel.send(first.request);
    channel.send(second.request);
    connection.reply(Buffer.concat([replyHeader(1, 5, 0), bytes('/a')]), missing(2));
    expect(first.outcomes).toEqual(['/a']);
    expect(codesOf(second.outcomes)).toEqual(['NO_NODE']);
    expect(connection.reason).toBeUndefined();
  });

  it('keep their order when a request in between has nobody waiting any more', () => {
    const [first, second, third] = [sendExists(), sendExists(), sendExists()] as const;
    second.request.limit({ signal: AbortSignal.abort() });
    connection.reply(missing(1), missing(2), missing(3));
    expect([first.outcomes, third.outcomes]).toEqual([[null], [null]]);
    expect(connection.reason).toBeUndefined();
  });

  it('with a code that nobody knows fail the one request: UnknownServerError, -9999 (C4)', () => {
    const asked = sendExists();
    const next = sendExists();
    connection.reply(replyHeader(1, 5, -9999), missing(2));
    const [failure] = asked.outcomes as [UnansweredFailure];
    expect(failure.toError({})).toMatchObject({ name: 'UnknownServerError', serverCode: -9999 });
    expect(next.outcomes).toEqual([null]);
    expect(connection.reason).toBeUndefined();
  });

  it('with an error may have a body, which is not looked at', () => {
    const asked = sendExists();
    connection.reply(Buffer.concat([missing(1), Buffer.from('garbage')]));
    expect(asked.outcomes).toEqual([null]);
    expect(connection.reason).toBeUndefined();
  });
});

describe('the connection ends', () => {
  it.each([
    ['the xid of a later request', 2, 'a reply has the xid 2 where 1 was expected'],
    ['an xid that was not sent', 77, 'a reply has the xid 77 where 1 was expected'],
    ['the xid 0', 0, 'a reply has the unknown xid 0'],
    ['the reserved xid of setWatches', -8, 'a reply has the unknown xid -8'],
    ['a negative xid without a meaning', -3, 'a reply has the unknown xid -3'],
    ['the xid of credentials that were not sent', -4, 'an answer came to credentials that were not sent'],
    ['the xid of a ping that was not sent', -2, 'an answer came to a ping that was not sent'],
  ])('at %s', (_, xid, message) => {
    const asked = [sendExists(), sendExists()];
    connection.reply(missing(xid));
    expect(connection.reason).toEqual(new ProtocolError(message));
    expect(asked.flatMap(({ outcomes }) => outcomes)).toEqual([]);
  });

  it('at a reply where none is due', () => {
    connection.reply(missing(1));
    expect(connection.reason).toEqual(new ProtocolError('a reply has the xid 1 where none was expected'));
  });

  it('at a second reply to the same request', () => {
    sendExists();
    connection.reply(missing(1), missing(1));
    expect(connection.reason).toBeInstanceOf(ProtocolError);
  });

  it.each([
    ['no header', Buffer.alloc(0)],
    ['half a header', Buffer.alloc(3)],
    ['half a stat', Buffer.concat([replyHeader(1, 5, 0), Buffer.alloc(10)])],
    ['half a notification', Buffer.concat([replyHeader(-1, -1, 0), int(1)])],
  ])('at a frame with %s (C3)', (_, payload) => {
    sendExists();
    connection.reply(payload);
    expect(connection.reason).toBeInstanceOf(ProtocolError);
  });

  it('at an event of an unknown type', () => {
    connection.reply(Buffer.concat([replyHeader(-1, -1, 0), watcherEvent(9, '/a')]));
    expect(connection.reason).toEqual(new ProtocolError('a notification has the unknown type 9'));
    expect(user.changed).not.toHaveBeenCalled();
  });

  it('and hands back what has no answer, in order, with the reason', () => {
    const asked = [sendExists(), sendExists(), sendExists()];
    connection.reply(missing(1));
    const reason = new LinkError('cut');
    connection.end(reason);
    expect(user.ended.mock.calls).toEqual([[reason, asked.slice(1).map(({ request }) => request)]]);
  });

  it('also with the request whose reply could not be read', () => {
    const asked = sendExists();
    connection.reply(Buffer.concat([replyHeader(1, 5, 0), Buffer.alloc(10)]));
    expect(user.ended.mock.calls[0]?.[1]).toEqual([asked.request]);
  });

  it('and leaves no timer', () => {
    deadline.end('only the channel counts');
    connection.end(new LinkError('cut'));
    expect(clock.timers).toBe(0);
  });

  it('when the server is silent for two thirds of the session timeout', async () => {
    await clock.advance((2 * T) / 3);
    for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
    expect(connection.reason).toEqual(new LinkError('the server was silent for 6000 ms'));
  });

  it('and bytes of any kind never bring anything but a ProtocolError', () => {
    const stream = fc.constant(
      Buffer.concat([golden('notification'), golden('create2Reply'), golden('existsReply'), golden('authReply')]),
    );
    fc.assert(
      fc.property(damaged(stream), (content) => {
        channel = open();
        for (let count = 0; count < 3; count++) sendExists();
        connection.receive(content);
        if (connection.reason !== undefined) expect(connection.reason).toBeInstanceOf(ProtocolError);
        const unanswered: readonly PendingRequest[] = user.ended.mock.calls.at(-1)?.[1] ?? [];
        expect(unanswered.length).toBeLessThanOrEqual(3);
        connection.end(new LinkError('done'));
      }),
    );
  });
});

describe('a reply above the limit', () => {
  const announcement = (xid: number): Buffer => Buffer.concat([int(LIMIT + 1), int(xid)]);

  it.each([
    ['a read', askRead, false],
    ['a write', askWrite, true],
  ] as const)('fails %s that it answers, and says whether it was applied', (_, make, mayHaveBeenApplied) => {
    const asked = make();
    channel.send(asked.request);
    connection.receive(announcement(1));
    const [failure] = asked.outcomes as [UnansweredFailure];
    expect(failure.toError({})).toMatchObject({ code: 'REPLY_TOO_LARGE', mayHaveBeenApplied });
  });

  it('is not held against the others: they only lost their connection', () => {
    channel.send(askRead().request);
    const other = sendExists();
    connection.receive(announcement(1));
    const [reason, unanswered] = user.ended.mock.calls[0] ?? [];
    expect(unanswered).toEqual([other.request]);
    expect(reason).toBeInstanceOf(LinkError);
    expect(reason).toMatchObject({ cause: expect.any(FrameTooLargeError) });
  });

  it('is held against nobody if its xid is that of no request', () => {
    const asked = sendExists();
    connection.receive(announcement(-1));
    expect(asked.outcomes).toEqual([]);
    expect(user.ended.mock.calls[0]).toEqual([expect.any(FrameTooLargeError), [asked.request]]);
  });
});

describe('the last zxid', () => {
  it('is that of the replies, also of those with an error', () => {
    sendExists();
    sendExists();
    connection.reply(missing(1, 0x1_0000_0005n));
    expect(lastZxid.value).toEqual(Long.fromString('100000005', false, 16));
    connection.reply(replyHeader(2, 0x1_0000_0009n, -110));
    expect(lastZxid.value).toEqual(Long.fromString('100000009', false, 16));
  });

  it.each([0, -1])('does not move with a zxid of %d', (zxid) => {
    sendExists();
    sendExists();
    connection.reply(missing(1, 7), missing(2, zxid));
    expect(lastZxid.value.toNumber()).toBe(7);
  });

  it('never goes back', () => {
    sendExists();
    sendExists();
    connection.reply(missing(1, 7), missing(2, 6));
    expect(lastZxid.value.toNumber()).toBe(7);
  });

  it('does not move with pings, events and credentials (C5)', async () => {
    channel.claim({ scheme: 'digest', auth: Buffer.from('u:p') }, () => undefined);
    await clock.advance(T / 3);
    connection.reply(
      replyHeader(-4, 77, 0),
      replyHeader(-2, 78, 0),
      Buffer.concat([replyHeader(-1, 79, 0), watcherEvent(1, '/a')]),
    );
    expect(connection.reason).toBeUndefined();
    expect(user.changed).toHaveBeenCalledTimes(1);
    expect(lastZxid.value).toEqual(Long.ZERO);
  });
});

describe('events', () => {
  it.each<[number, WatchedChange['type']]>([
    [1, 'created'],
    [2, 'deleted'],
    [3, 'dataChanged'],
    [4, 'childrenChanged'],
  ])('of type %d tell that something was %s', (type, name) => {
    connection.reply(Buffer.concat([replyHeader(-1, -1, 0), watcherEvent(type, '/a')]));
    expect(user.changed.mock.calls).toEqual([[{ type: name, path: '/a', zxid: undefined }]]);
  });

  it('have the zxid of the change where the server tells it', () => {
    connection.reply(Buffer.concat([replyHeader(-1, 0x1_0000_0001n, 0), watcherEvent(1, '/a')]));
    expect(user.changed.mock.calls[0]?.[0].zxid).toEqual(Long.fromString('100000001', false, 16));
  });

  it('stand beside the queue: requests are answered as if there were none', () => {
    const asked = sendExists();
    connection.reply(Buffer.concat([replyHeader(-1, -1, 0), watcherEvent(1, '/a')]), missing(1));
    expect(asked.outcomes).toEqual([null]);
  });
});

describe('the deadline', () => {
  it('counts from the sending of the request, not from its answer', async () => {
    await clock.advance(1_000);
    sendExists();
    await clock.advance(500);
    connection.reply(missing(1));
    expect(deadline.remaining).toBe(T - 500);
  });

  it('counts from the sending of each ping, in their order', async () => {
    await clock.advance(T / 3);
    connection.reply(Buffer.concat([replyHeader(-1, -1, 0), watcherEvent(1, '/a')]));
    await clock.advance(T / 3);
    expect(sentHeaders()).toEqual([
      [-2, 11],
      [-2, 11],
    ]);
    connection.reply(replyHeader(-2, 1, 0));
    expect(deadline.remaining).toBe(T - T / 3);
    connection.reply(replyHeader(-2, 1, 0));
    expect(deadline.remaining).toBe(T);
  });

  it('does not count credentials: no server takes them for a sign of life', async () => {
    await clock.advance(1_000);
    channel.claim({ scheme: 'digest', auth: Buffer.from('u:p') }, () => undefined);
    await clock.advance(100);
    connection.reply(replyHeader(-4, 0, 0));
    expect(deadline.remaining).toBe(T - 1_100);
  });

  it('does not move with events', async () => {
    await clock.advance(1_000);
    connection.reply(Buffer.concat([replyHeader(-1, -1, 0), watcherEvent(1, '/a')]));
    expect(deadline.remaining).toBe(T - 1_000);
  });

  it('that has passed is noticed before a late answer counts', async () => {
    const lease = deadline.lease({ margin: 0 });
    await clock.advance(1_000);
    sendExists();
    clock.freeze(T - 500);
    connection.reply(missing(1));
    expect(deadline.remaining).toBeGreaterThan(0);
    expect(lease.held).toBe(false);
  });
});

describe('credentials', () => {
  const credentials = { scheme: 'digest', auth: Buffer.from('u:p') };

  it('are accepted, one after the other, also ahead of requests', () => {
    const asked = sendExists();
    const settled: string[] = [];
    channel.claim(credentials, (accepted) => settled.push(`first ${accepted}`));
    channel.claim(credentials, (accepted) => settled.push(`second ${accepted}`));
    connection.reply(replyHeader(-4, 0, 0));
    expect(settled).toEqual(['first true']);
    connection.reply(replyHeader(-4, 0, 0), missing(1));
    expect(settled).toEqual(['first true', 'second true']);
    expect(asked.outcomes).toEqual([null]);
  });

  it('that are refused end it all', () => {
    const settle = jest.fn();
    channel.claim(credentials, settle);
    connection.reply(replyHeader(-4, 0, -115));
    expect(user.authFailed.mock.calls).toEqual([['the server refused the credentials, or does not know their scheme']]);
    expect(settle).not.toHaveBeenCalled();
  });

  it('are not accepted if the connection ends before', () => {
    const settle = jest.fn();
    channel.claim(credentials, settle);
    connection.end(new LinkError('cut'));
    expect(settle.mock.calls).toEqual([[false]]);
    expect(user.authFailed).not.toHaveBeenCalled();
  });

  it('are demanded by a server in answer to a ping', async () => {
    await clock.advance(T / 3);
    connection.reply(replyHeader(-2, 0, -124));
    expect(user.authFailed.mock.calls).toEqual([
      ['the server demands that clients prove who they are; see the options sasl and auth'],
    ]);
  });

  it.each([-115, -124])('are demanded by a server in answer to a request: %d', (code) => {
    const asked = sendExists();
    connection.reply(replyHeader(1, 0, code));
    expect(codesOf(asked.outcomes)).toEqual(['AUTH_FAILED']);
    expect(user.authFailed).toHaveBeenCalledTimes(1);
  });
});

it('a session that has expired is told by the answer to a request', () => {
  const asked = sendExists();
  connection.reply(replyHeader(1, 0, -112));
  expect(codesOf(asked.outcomes)).toEqual(['SESSION_EXPIRED']);
  expect(user.expired).toHaveBeenCalledTimes(1);
});

describe('an operation that the server does not know', () => {
  it('fails, and is not sent to that server again', () => {
    const asked = sendExists();
    connection.reply(replyHeader(1, -1, -6));
    expect(codesOf(asked.outcomes)).toEqual(['UNIMPLEMENTED']);
    channel = open();
    const again = sendExists();
    expect(codesOf(again.outcomes)).toEqual(['UNIMPLEMENTED']);
    expect(connection.sent()).toEqual([]);
  });

  it('ends the connection, which the server closes', () => {
    sendExists();
    connection.reply(replyHeader(1, -1, -6));
    expect(connection.reason).toEqual(new LinkError('the server does not know exists, and closes the connection'));
  });

  it('is answered ahead of requests that the server still works on, which have no answer then', () => {
    const before = askWrite();
    channel.send(before.request);
    const asked = sendExists();
    const after = askWrite();
    channel.send(after.request);
    connection.reply(replyHeader(2, -1, -6));
    expect(codesOf(asked.outcomes)).toEqual(['UNIMPLEMENTED']);
    expect(user.ended.mock.calls[0]?.[1]).toEqual([before.request, after.request]);
  });

  it('is none that nobody has asked for', () => {
    sendExists();
    connection.reply(replyHeader(5, -1, -6));
    expect(connection.reason).toBeInstanceOf(ProtocolError);
  });

  it('is told from a feature that is switched off, which has the zxid of its transaction', () => {
    const asked = sendExists();
    connection.reply(replyHeader(1, 7, -6));
    expect(codesOf(asked.outcomes)).toEqual(['UNIMPLEMENTED']);
    expect(connection.reason).toBeUndefined();
    connection.sent();
    sendExists();
    expect(connection.sent()).toHaveLength(1);
  });

  it('is no reason not to send others', () => {
    release.refused(3);
    channel.send(ask(deleteNode, { path: '/a', version: -1 }).request);
    expect(sentHeaders()).toEqual([[1, 2]]);
  });
});

describe('the first answer to the session', () => {
  it('is that to a request, also if it is an error, and is told once', () => {
    sendExists();
    sendExists();
    expect(user.confirmed).not.toHaveBeenCalled();
    connection.reply(missing(1));
    connection.reply(missing(2));
    expect(user.confirmed).toHaveBeenCalledTimes(1);
  });

  it('is that to a ping', async () => {
    await clock.advance(T / 3);
    expect(user.confirmed).not.toHaveBeenCalled();
    connection.reply(replyHeader(-2, 0, 0));
    expect(user.confirmed).toHaveBeenCalledTimes(1);
  });

  it('is neither that to credentials, nor an event, nor the word that the session is over', () => {
    channel.claim({ scheme: 'digest', auth: Buffer.from('u:p') }, () => undefined);
    connection.reply(replyHeader(-4, 0, 0));
    connection.reply(Buffer.concat([replyHeader(-1, -1, 0), watcherEvent(3, '/a')]));
    sendExists();
    connection.reply(replyHeader(1, 5, -112));
    expect(user.confirmed).not.toHaveBeenCalled();
  });
});

describe('a connection that is left', () => {
  const WHY = 'there is a better one';

  it('ends at once where nothing waits for an answer', () => {
    channel.leave(WHY, 1_000);
    expect(connection.reason).toEqual(new LinkError(WHY));
    expect(user.ended.mock.calls).toEqual([[new LinkError(WHY), []]]);
    // That of the deadline, which outlives the connection.
    expect(clock.timers).toBe(1);
  });

  it('ends when the last request is answered, and takes none of them with it', () => {
    const asked = [sendExists(), sendExists()];
    channel.leave(WHY, 1_000);
    expect(channel.isLeaving).toBe(true);
    connection.reply(missing(1));
    expect(connection.reason).toBeUndefined();
    connection.reply(missing(2));
    expect(asked.map(({ outcomes }) => outcomes)).toEqual([[null], [null]]);
    expect(user.ended.mock.calls).toEqual([[new LinkError(WHY), []]]);
    // That of the deadline, which outlives the connection.
    expect(clock.timers).toBe(1);
  });

  it('ends after credentials were answered, too', () => {
    const accepted: boolean[] = [];
    channel.claim({ scheme: 'digest', auth: Buffer.from('u:p') }, (each) => accepted.push(each));
    channel.leave(WHY, 1_000);
    expect(connection.reason).toBeUndefined();
    connection.reply(replyHeader(-4, 0, 0));
    expect(accepted).toEqual([true]);
    expect(connection.reason).toEqual(new LinkError(WHY));
  });

  it('ends when its time is over, with what has no answer', async () => {
    const { request } = sendExists();
    channel.leave(WHY, 1_000);
    channel.leave('another reason', 5);
    await clock.advance(999);
    expect(connection.reason).toBeUndefined();
    await clock.advance(1);
    expect(user.ended.mock.calls).toEqual([[new LinkError(WHY), [request]]]);
    // That of the deadline, which outlives the connection.
    expect(clock.timers).toBe(1);
  });

  it('goes on where that is taken back', async () => {
    sendExists();
    channel.leave(WHY, 1_000);
    channel.stay();
    expect(channel.isLeaving).toBe(false);
    connection.reply(missing(1));
    await clock.advance(1_000);
    expect(connection.reason).toBeUndefined();
  });
});

describe('room on the wire', () => {
  /** The server answers the first so many requests. */
  function answer(from: number, to: number): void {
    for (let xid = from; xid <= to; xid++) connection.reply(replyHeader(xid, 5, -101));
  }

  it('is there below the bound of operations, which is four here', () => {
    for (let count = 0; count < 3; count++) sendExists();
    expect(channel.hasRoom).toBe(true);
    sendExists();
    expect(channel.hasRoom).toBe(false);
    answer(1, 1);
    expect(channel.hasRoom).toBe(true);
  });

  it('is there below the bound of bytes', () => {
    channel.send(ask(setData, { path: '/a', data: 'x'.repeat(900), version: -1 }).request);
    expect(channel.hasRoom).toBe(true);
    channel.send(ask(setData, { path: '/a', data: 'x'.repeat(200), version: -1 }).request);
    expect(channel.hasRoom).toBe(false);
  });

  it('is told once to who asked for it, when a quarter of it is free', () => {
    for (let count = 0; count < 4; count++) sendExists();
    answer(1, 1);
    expect(user.roomy).not.toHaveBeenCalled();
    sendExists();
    channel.awaitRoom();
    expect(user.roomy).not.toHaveBeenCalled();
    answer(2, 2);
    expect(user.roomy).toHaveBeenCalledTimes(1);
    answer(3, 5);
    expect(user.roomy).toHaveBeenCalledTimes(1);
  });

  it('is not told while more bytes than three quarters are on the wire', () => {
    sendExists();
    channel.send(ask(setData, { path: '/a', data: 'x'.repeat(900), version: -1 }).request);
    channel.awaitRoom();
    answer(1, 1);
    expect(user.roomy).not.toHaveBeenCalled();
    answer(2, 2);
    expect(user.roomy).toHaveBeenCalledTimes(1);
  });
});

it('tells how late the timers of the heartbeat come', async () => {
  await clock.advance(T / 6);
  clock.freeze(500);
  await clock.advance(T / 6);
  expect(user.late.mock.calls).toEqual([[500]]);
});
