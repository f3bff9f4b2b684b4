import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import Long from 'long';
import { Rounds } from '../../../src/connection/rounds.js';
import { type ClientOptions, resolveOptions } from '../../../src/options.js';
import type { Failure } from '../../../src/errors.js';
import type { SessionEvent } from '../../../src/events.js';
import { ClientMetrics } from '../../../src/metrics/client-metrics.js';
import { deleteNode, exists, getData } from '../../../src/operations/index.js';
import { Delivery } from '../../../src/session/delivery.js';
import type { SessionKey } from '../../../src/session/handshake.js';
import { Identities } from '../../../src/session/identities.js';
import { LastZxid } from '../../../src/session/last-zxid.js';
import { Session } from '../../../src/session/session.js';
import { type TestClock, useRealClock, useTestClock } from '../support/clock.js';
import { type FakeNetwork, type FakeSocket, turn, useFakeNetwork } from '../support/fake-network.js';
import { replyHeader, watcherEvent } from '../support/reference.js';
import { codesOf } from '../support/requests.js';

const T = 9_000;
/** Op codes. */
const [DELETE, EXISTS, PING, AUTH, SET_WATCHES, SET_WATCHES_2, CLOSE] = [2, 3, 11, 100, 101, 105, -11] as const;

let clock: TestClock;
let network: FakeNetwork;
let events: SessionEvent[];
let ended: string[];
let lastZxid: LastZxid;
let identities: Identities;
let session: Session;

/** Begins a session. */
function begin(options: ClientOptions = {}, key?: SessionKey): void {
  const resolved = resolveOptions(options);
  const told: SessionEvent[] = [];
  events = told;
  identities = new Identities(resolved.auth);
  session = new Session(
    {
      options: resolved,
      hosts: new Rounds({ servers: () => [{ host: 'zk', port: 2181 }] }, false, () => 0.5),
      identities,
      lastZxid,
      delivery: new Delivery(),
      hold: undefined,
      metrics: new ClientMetrics(0),
      onMoved: () => undefined,
      onEvent: (event) => told.push(event),
      onEnded: (_, state) => ended.push(state),
      onAttempt: () => undefined,
      onAttemptFailed: () => undefined,
      onHostsFailed: () => undefined,
      onRoundFailed: () => undefined,
      onLeaving: () => undefined,
    },
    key,
  );
  session.start();
}

/** Begins another session in place of the one that each test starts with. */
function beginAgain(options: ClientOptions, key?: SessionKey): void {
  void session.close(0, true);
  begin(options, key);
}

beforeEach(() => {
  clock = useTestClock();
  network = useFakeNetwork();
  ended = [];
  lastZxid = new LastZxid();
  begin();
});
afterEach(async () => {
  const closing = session.close(0, true);
  await clock.advance(1);
  await closing;
  useRealClock();
});

/** The next socket that is dialled. */
async function dialled(): Promise<FakeSocket> {
  const before = network.sockets.length;
  for (let waited = 0; network.sockets.length === before; waited += 50) {
    if (waited > 20_000) throw new Error('nothing is dialled');
    await clock.advance(50);
  }
  return network.newest;
}

/** A server takes the session on. */
async function attached(sessionId = 77): Promise<FakeSocket> {
  const socket = await dialled();
  await socket.accept();
  await socket.welcome({ sessionId, timeout: T });
  return socket;
}

/** Asks whether there is a znode; the outcomes are gathered. */
function askExists(limits = {}): unknown[] {
  const outcomes: unknown[] = [];
  void session.submit(exists, { path: '/a', watch: false }, 2, limits).then((outcome) => outcomes.push(outcome));
  return outcomes;
}

function askDelete(): unknown[] {
  const outcomes: unknown[] = [];
  void session.submit(deleteNode, { path: '/a', version: -1 }, 2).then((outcome) => outcomes.push(outcome));
  return outcomes;
}

/** Leaves a one-shot watch on `/a`; what it is told is gathered. */
async function watched(socket: FakeSocket, kind: 'data' | 'exists' | 'children' = 'data'): Promise<string[]> {
  const told: string[] = [];
  session.watches.addOneShot(kind, '/a', { key: told, tell: (event) => told.push(event.type) });
  await socket.frames();
  return told;
}

function types(): string[] {
  return events.map(({ type }) => type);
}

describe('connecting', () => {
  it('asks for a new session with the wanted timeout', async () => {
    beginAgain({ sessionTimeout: 12_345 });
    const socket = await dialled();
    expect(await socket.accept()).toEqual({
      lastZxidSeen: 0n,
      timeout: 12_345,
      sessionId: 0n,
      password: Buffer.alloc(16),
    });
  });

  it('tells the session, the server and the timeout that was granted', async () => {
    expect(session.state).toBe('connecting');
    await attached(5);
    expect(session).toMatchObject({ state: 'connected', timeout: T, id: Long.fromNumber(5) });
    expect(session.server).toEqual({ host: 'zk', port: 2181 });
    expect(events).toEqual([
      {
        type: 'connected',
        sessionId: Long.fromNumber(5),
        server: 'zk:2181',
        sessionTimeout: T,
        resumed: false,
        previousSessionId: undefined,
      },
    ]);
  });

  it('sends what was asked for before, in order', async () => {
    const outcomes = [askExists(), askDelete(), askExists()];
    const socket = await attached();
    const sent = await socket.requests();
    expect(sent.map(({ xid, type }) => [xid, type])).toEqual([
      [1, EXISTS],
      [2, DELETE],
      [3, EXISTS],
    ]);
    expect(outcomes.flat()).toEqual([]);
    for (const { xid } of sent) await socket.reply(xid, { error: -101 });
    expect(outcomes.map((each) => codesOf(each))).toEqual([[null], ['NO_NODE'], [null]]);
  });

  it('proves who the client is before anything else is sent', async () => {
    beginAgain({ auth: [{ scheme: 'digest', auth: 'u:p' }] });
    askExists();
    const socket = await attached();
    expect(await socket.types()).toEqual([AUTH]);
    expect(session.state).toBe('connecting');
    await socket.reply(-4, { zxid: 0 });
    expect(session.state).toBe('connected');
    expect(await socket.types()).toEqual([EXISTS]);
  });

  it('proves also what is added while it does', async () => {
    beginAgain({ auth: [{ scheme: 'digest', auth: 'u:p' }] });
    const socket = await attached();
    const claim = session.claim(identities.add({ scheme: 'digest', auth: 'u:q' }));
    await socket.reply(-4, { zxid: 0 });
    expect(session.state).toBe('connecting');
    expect(await socket.types()).toEqual([AUTH, AUTH]);
    await socket.reply(-4, { zxid: 0 });
    expect(session.state).toBe('connected');
    expect(await claim).toBeUndefined();
  });

  it('attaches to the session of another process', async () => {
    beginAgain({}, { id: Long.fromNumber(99), password: Buffer.alloc(16, 3) });
    const socket = await dialled();
    expect(await socket.accept()).toMatchObject({ sessionId: 99n, password: Buffer.alloc(16, 3) });
    await socket.welcome({ sessionId: 99 });
    expect(events).toMatchObject([{ type: 'connected', resumed: true }]);
  });
});

describe('a connection that is lost', () => {
  it('suspends the session, which goes on with the same id, the wanted timeout and the last zxid', async () => {
    const first = await attached();
    askExists();
    await first.frames();
    await first.reply(1, { zxid: 500, error: -101 });
    await first.fail();
    expect(session.state).toBe('suspended');
    const second = await dialled();
    expect(await second.accept()).toEqual({
      lastZxidSeen: 500n,
      timeout: 10_000,
      sessionId: 77n,
      password: Buffer.alloc(16, 5),
    });
    await second.welcome();
    expect(session.state).toBe('connected');
    expect(types()).toEqual(['connected', 'suspended', 'connected']);
    expect(events[1]).toMatchObject({ cause: { message: 'reset' } });
    expect(events[2]).toMatchObject({ resumed: true });
  });

  it('has reads sent again and writes fail: they may have been applied', async () => {
    const first = await attached();
    const [read, write] = [askExists(), askDelete()];
    await first.frames();
    await first.fail();
    expect(read).toEqual([]);
    expect(codesOf(write)).toEqual(['CONNECTION_LOSS']);
    expect((write[0] as Failure).toError({})).toMatchObject({ mayHaveBeenApplied: true, cause: { message: 'reset' } });
    const second = await attached();
    expect(await second.types()).toEqual([EXISTS]);
    await second.reply(1, { error: -101 });
    expect(read).toEqual([null]);
  });

  it('has reads come before what was asked for later', async () => {
    const first = await attached();
    askExists();
    await first.frames();
    await first.fail();
    askDelete();
    const second = await attached();
    expect(await second.types()).toEqual([EXISTS, DELETE]);
  });

  it('has a read fail after the fifth time', async () => {
    const outcomes = askExists();
    for (let time = 1; time <= 5; time++) {
      expect(outcomes).toEqual([]);
      const socket = await attached();
      expect(await socket.types()).toEqual([EXISTS]);
      await socket.fail();
    }
    expect(codesOf(outcomes)).toEqual(['CONNECTION_LOSS']);
  });

  it('over bytes that are no protocol has reads fail, too', async () => {
    const socket = await attached();
    const outcomes = askExists();
    await socket.frames();
    await socket.reply(99);
    expect(codesOf(outcomes)).toEqual(['CONNECTION_LOSS']);
    expect(socket.destroyed).toBe(true);
  });

  it('has everything fail where offlineQueue is false', async () => {
    beginAgain({ offlineQueue: false });
    const socket = await attached();
    const sent = askExists();
    await socket.frames();
    await socket.fail();
    const later = askExists();
    await turn();
    expect([codesOf(sent), codesOf(later)]).toEqual([['CONNECTION_LOSS'], ['QUEUE_FULL']]);
  });

  it('has leases lost that were to end with it, and no others', async () => {
    const socket = await attached();
    const [atOnce, late] = [session.deadline.lease({ loseOn: 'suspended' }), session.deadline.lease({})];
    await socket.fail();
    expect([atOnce.held, late.held]).toEqual([false, true]);
    expect(session.deadline.lease({ loseOn: 'suspended' }).held).toBe(false);
    await attached();
    expect(session.deadline.lease({ loseOn: 'suspended' }).held).toBe(true);
  });

  it('for as long as the session timeout has the session lost, once, while it is tried on', async () => {
    const socket = await attached();
    await socket.fail();
    await clock.advance(T);
    await turn();
    await clock.advance(5 * T);
    await turn();
    expect(types()).toEqual(['connected', 'suspended', 'lost']);
    expect(session.state).toBe('suspended');
  });
});

describe('watches after a reconnect', () => {
  it('are set again before anything else is sent, with the last zxid', async () => {
    const first = await attached();
    await watched(first);
    lastZxid.see(0, 500);
    await first.fail();
    askExists();
    const second = await attached();
    const [setWatches, next] = await second.requests();
    expect([setWatches?.type, next?.type]).toEqual([SET_WATCHES, EXISTS]);
    expect(setWatches?.record.long()).toBe(500n);
    expect(setWatches?.record.vector((each) => each.string())).toEqual(['/a']);
  });

  it('are not set in a new session', async () => {
    const first = await attached();
    await watched(first);
    await first.fail();
    const second = await dialled();
    await second.accept();
    await second.refuse();
    expect(session.state).toBe('expired');
  });

  it('that stay are told once, after all were set, that changes may have been missed', async () => {
    const first = await attached();
    const told: string[] = [];
    const listener = {
      path: '/a',
      recursive: false,
      armed: true,
      tell: ({ type }: { type: string }) => told.push(type),
    };
    session.watches.addPersistent(listener);
    await first.fail();
    const second = await attached();
    const [request] = await second.requests();
    expect(request?.type).toBe(SET_WATCHES_2);
    expect(told).toEqual([]);
    await second.reply(request?.xid ?? 0);
    expect(told).toEqual(['resync']);
  });

  it('end the connection where the server refuses them', async () => {
    const first = await attached();
    await watched(first);
    await first.fail();
    const second = await attached();
    await second.frames();
    await second.reply(1, { error: -5 });
    expect(second.destroyed).toBe(true);
    expect(session.state).toBe('suspended');
  });

  it('are told what happens, by the connection in use', async () => {
    const socket = await attached();
    const told = await watched(socket);
    await socket.notify(3, '/a');
    expect(told).toEqual(['dataChanged']);
  });
});

describe('a one-shot watch that nobody wants any more', () => {
  const REMOVE_WATCHES = 18;
  const noNode = -101;

  /** The server is asked whether it has the znode that every server has from 3.5 on, and answers. */
  async function tellRelease(socket: FakeSocket, isNew: boolean): Promise<void> {
    const [probe, ...more] = await socket.requests();
    expect([probe?.type, probe?.record.string(), more]).toEqual([EXISTS, '/zookeeper/config', []]);
    const header = replyHeader(probe?.xid ?? 0, 5, isNew ? 0 : noNode);
    socket.say(isNew ? Buffer.concat([header, Buffer.alloc(68)]) : header);
    await turn();
  }

  it('is taken from the server where nothing else is watched at the path', async () => {
    const socket = await attached();
    const key = await watched(socket);
    session.unwatch('/a', key);
    expect(session.watches.has('/a')).toBe(false);
    await tellRelease(socket, true);
    expect(await socket.types()).toEqual([REMOVE_WATCHES]);
    // From now on it is known that the server can.
    session.unwatch('/a', await watched(socket));
    expect(await socket.types()).toEqual([REMOVE_WATCHES]);
  });

  it('stays where the server is too old to take it, which would close the connection', async () => {
    const socket = await attached();
    session.unwatch('/a', await watched(socket));
    await tellRelease(socket, false);
    session.unwatch('/a', await watched(socket));
    expect(await socket.types()).toEqual([]);
    expect([session.state, socket.destroyed]).toEqual(['connected', false]);
  });

  it('stays where somebody has watched the path again before the release of the server was known', async () => {
    const socket = await attached();
    session.unwatch('/a', await watched(socket));
    session.watches.addOneShot('data', '/a', { key: {}, tell: () => undefined });
    await tellRelease(socket, true);
    expect(await socket.types()).toEqual([]);
  });

  it('is asked about again after a reconnect: the next server may be of another release', async () => {
    const first = await attached();
    session.unwatch('/a', await watched(first));
    await tellRelease(first, false);
    await first.fail();
    const second = await attached();
    session.unwatch('/a', await watched(second));
    await tellRelease(second, true);
    expect(await second.types()).toEqual([REMOVE_WATCHES]);
  });

  it('stays at the server where somebody else watches the path, or is about to', async () => {
    const socket = await attached();
    const key = await watched(socket);
    session.watches.expect('/a', { disturbed: false });
    session.unwatch('/a', key);
    const [first, second] = [await watched(socket), await watched(socket, 'children')];
    session.unwatch('/a', first);
    expect(await socket.types()).toEqual([]);
    expect(session.watches.paths('/a')).toMatchObject({ data: [], children: ['/a'] });
    expect(second).toEqual([]);
  });

  it('is only forgotten here while there is no connection', async () => {
    const first = await attached();
    const key = await watched(first);
    await first.fail();
    session.unwatch('/a', key);
    const second = await attached();
    expect(await second.types()).toEqual([]);
  });

  it('was none the second time', async () => {
    const socket = await attached();
    const key = await watched(socket);
    session.unwatch('/a', key);
    session.unwatch('/a', key);
    await tellRelease(socket, true);
    expect(await socket.types()).toEqual([REMOVE_WATCHES]);
  });
});

it('when the server forgets the watches of a path, those that are left there are set again behind it', async () => {
  const socket = await attached();
  await watched(socket);
  lastZxid.see(0, 500);
  void session.removeWatches('/a');
  const [remove, set] = await socket.requests();
  expect([remove?.type, set?.type]).toEqual([18, SET_WATCHES]);
  expect(set?.record.long()).toBe(500n);
  expect(set?.record.vector((each) => each.string())).toEqual(['/a']);
});

it('a one-shot watch that comes after the end is told of it', async () => {
  await attached();
  const told: unknown[] = [];
  const closing = session.close(10, false);
  session.addOneShot('data', '/a', { key: 1, tell: (event) => told.push(event) });
  await clock.advance(10);
  await closing;
  expect(told).toEqual([{ type: 'ended', reason: 'closed' }]);
  expect(session.watches.has('/a')).toBe(false);
});

describe('a session that has expired', () => {
  it('fails all that waits, ends all watches, and tells it', async () => {
    const first = await attached();
    const told = await watched(first);
    await first.fail();
    const outcomes = askExists();
    const lease = session.deadline.lease({});
    const second = await dialled();
    await second.accept();
    await second.refuse();
    expect(codesOf(outcomes)).toEqual(['SESSION_EXPIRED']);
    expect(told).toEqual(['ended']);
    expect(lease.held).toBe(false);
    expect(ended).toEqual(['expired']);
    expect(types()).toEqual(['connected', 'suspended', 'expired']);
    expect(session.state).toBe('expired');
  });

  it('is told also by a server that hands out another session', async () => {
    await (await attached()).fail();
    const second = await dialled();
    await second.accept();
    await second.welcome({ sessionId: 78 });
    expect(session).toMatchObject({ state: 'expired', id: Long.fromNumber(77) });
  });

  it('is told also by the answer to a request; writes on the wire may have been applied', async () => {
    const socket = await attached();
    askExists();
    const write = askDelete();
    await socket.frames();
    await socket.reply(1, { zxid: 0, error: -112 });
    expect(session.state).toBe('expired');
    expect(codesOf(write)).toEqual(['SESSION_EXPIRED']);
    expect((write[0] as Failure).toError({})).toMatchObject({ mayHaveBeenApplied: true });
    expect(socket.destroyed).toBe(true);
  });

  it('takes nothing on any more', async () => {
    await (await attached()).fail();
    const second = await dialled();
    await second.accept();
    await second.refuse();
    const outcomes = askExists();
    await turn();
    expect(codesOf(outcomes)).toEqual(['SESSION_EXPIRED']);
    await clock.advance(60_000);
    expect(network.sockets).toHaveLength(2);
    expect(clock.timers).toBe(0);
  });
});

describe('credentials that are refused', () => {
  it('end the session for good', async () => {
    beginAgain({ auth: [{ scheme: 'digest', auth: 'u:p' }] });
    const outcomes = askExists();
    const socket = await attached();
    await socket.frames();
    await socket.reply(-4, { zxid: 0, error: -115 });
    expect(session.state).toBe('authFailed');
    expect(codesOf(outcomes)).toEqual(['AUTH_FAILED']);
    expect(types()).toEqual(['authFailed']);
    await clock.advance(60_000);
    expect(network.sockets).toHaveLength(1);
  });

  it('fail those who added them', async () => {
    const socket = await attached();
    const claim = session.claim(identities.add({ scheme: 'digest', auth: 'u:p' }));
    await socket.frames();
    await socket.reply(-4, { zxid: 0, error: -115 });
    expect(codesOf([await claim])).toEqual(['AUTH_FAILED']);
  });

  it('are told from a connection that is lost, after which they are claimed again', async () => {
    const first = await attached();
    const claim = session.claim(identities.add({ scheme: 'digest', auth: 'u:p' }));
    await first.frames();
    await first.fail();
    const second = await attached();
    expect(await second.types()).toEqual([AUTH]);
    await second.reply(-4, { zxid: 0 });
    expect(await claim).toBeUndefined();
  });
});

describe('close()', () => {
  it('has what was sent before answered first, then ends the session at the server', async () => {
    const socket = await attached();
    const outcomes = askExists();
    const closing = session.close(1_000, false);
    const sent = await socket.requests();
    expect(sent.map(({ type }) => type)).toEqual([EXISTS, CLOSE]);
    await socket.reply(1, { error: -101 });
    expect(outcomes).toEqual([null]);
    expect(socket.destroyed).toBe(false);
    await socket.reply(2);
    expect(await closing).toBe(true);
    expect(socket.destroyed).toBe(true);
    expect(types()).toEqual(['connected', 'closed']);
  });

  it('takes no longer than its time, and leaves no timer and no connection', async () => {
    const socket = await attached();
    const closing = session.close(1_000, false);
    await clock.advance(1_000);
    expect(await closing).toBe(false);
    expect(socket.destroyed).toBe(true);
    expect(clock.timers).toBe(0);
  });

  it('is done at once where there is no session yet', async () => {
    await dialled();
    expect(await session.close(1_000, false)).toBe(false);
    expect(network.newest.destroyed).toBe(true);
    expect(clock.timers).toBe(0);
  });

  it('ends leases and watches at once, and fails what waits', async () => {
    const socket = await attached();
    const told = await watched(socket);
    const lease = session.deadline.lease({});
    await socket.fail();
    const outcomes = askExists();
    const closing = session.close(100, false);
    expect(lease.held).toBe(false);
    await turn();
    expect(codesOf(outcomes)).toEqual(['CLOSED']);
    expect(told).toEqual(['ended']);
    await clock.advance(100);
    await closing;
  });

  it('while suspended goes on to look for a server that ends the session', async () => {
    await (await attached()).fail();
    const closing = session.close(5_000, false);
    const second = await attached();
    expect(await second.types()).toEqual([CLOSE]);
    await second.reply(1);
    expect(await closing).toBe(true);
  });

  it('while suspended is done when the session turns out to have expired', async () => {
    await (await attached()).fail();
    const closing = session.close(5_000, false);
    const second = await dialled();
    await second.accept();
    await second.refuse();
    expect(await closing).toBe(true);
    expect(ended).toEqual([]);
  });

  it('can leave the session to another process', async () => {
    const socket = await attached();
    const closing = session.close(1_000, true);
    const sent = await socket.requests();
    expect(sent.map(({ type }) => type)).toEqual([EXISTS]);
    await socket.reply(1, { error: -101 });
    expect(await closing).toBe(true);
    expect(socket.destroyed).toBe(true);
  });

  it('takes nothing on afterwards', async () => {
    await attached();
    const closing = session.close(10, false);
    const outcomes = askExists();
    await clock.advance(10);
    await closing;
    expect(codesOf(outcomes)).toEqual(['CLOSED']);
  });
});

it('pings when nothing else is sent for a third of the session timeout', async () => {
  const socket = await attached();
  await clock.advance(T / 3);
  expect(await socket.types()).toEqual([PING]);
});

describe('servers that lack what the client has seen', () => {
  /** Closes two connections without a byte, answers the question what is going on, and closes the next one, too. */
  async function refuseAgainAndAgain(): Promise<void> {
    for (let time = 0; time < 2; time++) {
      const socket = await dialled();
      await socket.accept();
      await socket.close();
    }
    const probe = network.newest;
    expect(await probe.accept()).toMatchObject({ lastZxidSeen: 0n, sessionId: 77n });
    await probe.refuse();
    const confirmation = network.newest;
    expect(await confirmation.accept()).toMatchObject({ lastZxidSeen: 500n });
    await confirmation.close();
  }

  it('have the session taken for expired, once that is certain', async () => {
    const first = await attached();
    lastZxid.see(0, 500);
    await first.fail();
    await refuseAgainAndAgain();
    expect(types()).toEqual(['connected', 'suspended', 'aheadOfServers', 'expired']);
    expect(lastZxid.value).toEqual(Long.ZERO);
  });

  it('are waited for where that was asked, and told of once', async () => {
    beginAgain({ whenAhead: 'wait' });
    const first = await attached();
    lastZxid.see(0, 500);
    await first.fail();
    await refuseAgainAndAgain();
    await refuseAgainAndAgain();
    expect(types()).toEqual(['connected', 'suspended', 'aheadOfServers']);
    expect(session.state).toBe('suspended');
    expect(lastZxid.value).toEqual(Long.fromNumber(500));
  });
});

it('an event is told before the result of a read that came after it, in one chunk', async () => {
  const socket = await attached();
  const order: string[] = [];
  session.watches.addOneShot('data', '/a', { key: 1, tell: () => order.push('event') });
  const read = (name: string): void => {
    void session.submit(getData, { path: '/a', watch: false }, 2).then(() => order.push(name));
  };
  read('before');
  read('after');
  await socket.frames();
  const missing = (xid: number): Buffer => replyHeader(xid, 5, -101);
  socket.say(missing(1), Buffer.concat([replyHeader(-1, -1, 0), watcherEvent(3, '/a')]), missing(2));
  await turn();
  expect(order).toEqual(['before', 'event', 'after']);
});

describe('when the servers have changed', () => {
  it('and this one is to be left, it is once it has answered; what is asked for meanwhile waits', async () => {
    const first = await attached();
    const [read, written] = [askExists(), askDelete()];
    await first.frames();
    session.serversChanged(true);
    const [later, last] = [askDelete(), askExists()];
    expect(session.state).toBe('connected');
    expect(await first.types()).toEqual([]);
    await first.reply(1, { error: -101 });
    expect(first.destroyed).toBe(false);
    await first.reply(2);
    expect(first.destroyed).toBe(true);
    expect([read, written]).toEqual([[null], [undefined]]);
    expect([later, last]).toEqual([[], []]);
    const second = await attached();
    expect(await second.types()).toEqual([DELETE, EXISTS]);
    await second.reply(1);
    await second.reply(2, { error: -101 });
    expect([later, last]).toEqual([[undefined], [null]]);
    expect(types()).toEqual(['connected', 'suspended', 'connected']);
    expect(events[2]).toMatchObject({ resumed: true });
  });

  it('what waits for room on the wire goes to the next server, in order', async () => {
    beginAgain({ inFlight: { maxOperations: 1 } });
    const first = await attached();
    const asked = [askExists(), askDelete()];
    expect(await first.types()).toEqual([EXISTS]);
    session.serversChanged(true);
    asked.push(askExists());
    await first.reply(1, { error: -101 });
    expect(first.destroyed).toBe(true);
    expect(await first.types()).toEqual([]);
    const second = await attached();
    expect(await second.types()).toEqual([DELETE]);
    await second.reply(1);
    expect(await second.types()).toEqual([EXISTS]);
    await second.reply(2, { error: -101 });
    expect(asked).toEqual([[null], [undefined], [null]]);
  });

  it('a first answer of the server that is left does not change who comes next', async () => {
    const confirmed = jest.spyOn(Rounds.prototype, 'confirmed');
    const first = await attached();
    askExists();
    await first.frames();
    session.serversChanged(true);
    await first.reply(1, { error: -101 });
    expect(first.destroyed).toBe(true);
    expect(confirmed).not.toHaveBeenCalled();
  });

  it('a server that does not answer is left after a third of the session timeout', async () => {
    const first = await attached();
    const [read, written] = [askExists(), askDelete()];
    await first.frames();
    session.serversChanged(true);
    await clock.advance(T / 3 - 1);
    expect(first.destroyed).toBe(false);
    await clock.advance(1);
    expect(first.destroyed).toBe(true);
    await turn();
    expect([codesOf(written), read]).toEqual([['CONNECTION_LOSS'], []]);
  });

  it('and this one is still among them, it is not left', async () => {
    const socket = await attached();
    session.serversChanged(false);
    const outcomes = askExists();
    expect(await socket.types()).toEqual([EXISTS]);
    await socket.reply(1, { error: -101 });
    expect([outcomes, types()]).toEqual([[null], ['connected']]);
  });

  it('a new session begins with the ones that are there now', async () => {
    const first = await dialled();
    session.serversChanged(true);
    const second = await dialled();
    expect([first.destroyed, second.destroyed]).toEqual([true, false]);
  });

  it('and credentials have no answer yet, the server is left at once', async () => {
    beginAgain({ auth: [{ scheme: 'digest', auth: 'u:p' }] });
    const first = await attached();
    expect(await first.types()).toEqual([AUTH]);
    session.serversChanged(true);
    expect(first.destroyed).toBe(true);
    const second = await attached();
    expect(await second.types()).toEqual([AUTH]);
  });

  it('credentials that are added while the server is left are claimed at the next one', async () => {
    const first = await attached();
    askExists();
    await first.frames();
    session.serversChanged(true);
    let settled = false;
    const request = identities.add({ scheme: 'digest', auth: 'u:p' });
    void session.claim(request).then(() => (settled = true));
    await first.reply(1, { error: -101 });
    const second = await attached();
    expect(await second.types()).toEqual([AUTH]);
    await second.reply(-4, { zxid: 0 });
    expect(settled).toBe(true);
  });

  it('watches are set again at the next one, those included that nobody needed only here', async () => {
    const first = await attached();
    await watched(first);
    askExists();
    await first.frames();
    session.serversChanged(true);
    session.watchAgain('/a');
    session.unwatch('/b', undefined);
    expect(await first.types()).toEqual([]);
    await first.reply(1, { error: -101 });
    expect(await (await attached()).types()).toEqual([SET_WATCHES]);
  });

  it('and the client is closed meanwhile, what was called before is answered, and the session ended', async () => {
    const socket = await attached();
    const sent = askExists();
    await socket.frames();
    session.serversChanged(true);
    const waiting = askDelete();
    const closing = session.close(5_000, false);
    expect(await socket.types()).toEqual([DELETE, CLOSE]);
    await socket.reply(1, { error: -101 });
    await socket.reply(2);
    await socket.reply(3);
    expect(await closing).toBe(true);
    expect([sent, waiting]).toEqual([[null], [undefined]]);
  });

  it('nothing happens to a session that is over', async () => {
    const socket = await attached();
    const closing = session.close(5_000, false);
    session.serversChanged(true);
    expect(await socket.types()).toEqual([CLOSE]);
    await socket.reply(1);
    expect(await closing).toBe(true);
  });
});

describe('a server that takes the session', () => {
  it('and drops it at once is asked at growing intervals, in spite of each success', async () => {
    const times: number[] = [];
    while (performance.now() < 20_000 || times.length === 0) {
      const socket = await dialled();
      times.push(performance.now());
      await socket.accept();
      await socket.welcome({ sessionId: 77, timeout: 10_000 });
      await socket.close();
      if (times.length > 100) break;
    }
    // The jitter is a factor of a half; while the session lives, pauses are at most a sixth of its timeout.
    expect(times.length).toBeLessThan(40);
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    expect(gaps.slice(0, 5).every((gap, index) => index === 0 || gap > (gaps[index - 1] ?? 0))).toBe(true);
  });

  it('and answers on it is asked again without a pause', async () => {
    for (let count = 0; count < 5; count++) {
      const socket = await attached();
      askExists();
      await socket.frames();
      await socket.reply(1, { error: -101 });
      const lostAt = performance.now();
      await socket.close();
      await dialled();
      expect(performance.now() - lostAt).toBeLessThanOrEqual(50);
      await network.newest.fail();
    }
  });
});

describe('a server without a quorum', () => {
  /** It takes the client on. */
  async function attachedReadOnly(sessionId = 77): Promise<FakeSocket> {
    const socket = await dialled();
    await socket.accept();
    await socket.welcome({ sessionId, timeout: T, readOnly: true });
    return socket;
  }

  /** A session that is at such a server after one that takes writes. */
  async function reattachedReadOnly(options: ClientOptions = {}): Promise<FakeSocket> {
    beginAgain({ readOnly: true, ...options });
    await (await attached()).fail();
    return attachedReadOnly();
  }

  it('takes no writes: those that waited fail at once, and reads are sent in order', async () => {
    beginAgain({ readOnly: true });
    await (await attached()).fail();
    const outcomes = [askExists(), askDelete(), askExists(), askDelete()];
    const socket = await attachedReadOnly();
    expect(session.state).toBe('readonly');
    expect(outcomes.map(codesOf)).toEqual([[], ['NOT_READ_ONLY'], [], ['NOT_READ_ONLY']]);
    expect(await socket.types()).toEqual([EXISTS, EXISTS]);
    expect(codesOf(await session.submit(deleteNode, { path: '/a', version: -1 }, 2).then((each) => [each]))).toEqual([
      'NOT_READ_ONLY',
    ]);
  });

  it('refuses nothing that was accepted once, whatever the bounds of the wire', async () => {
    beginAgain({ readOnly: true, inFlight: { maxOperations: 1, whenFull: 'reject' } });
    await (await attached()).fail();
    const outcomes = [askExists(), askExists(), askExists()];
    const socket = await attachedReadOnly();
    for (let xid = 1; xid <= 3; xid++) await socket.reply(xid, { error: -101 });
    expect(outcomes).toEqual([[null], [null], [null]]);
  });

  it('cannot tell that a session has expired', async () => {
    const socket = await reattachedReadOnly();
    askExists();
    await socket.frames();
    await socket.reply(1, { error: -112 });
    expect([session.state, ended, socket.destroyed]).toEqual(['suspended', [], true]);
  });

  it('is left for one that takes writes; reads go there again, and credentials that were under way', async () => {
    const socket = await reattachedReadOnly();
    const outcomes = askExists();
    identities.add({ scheme: 'digest', auth: 'a:b' });
    const claimed = session.claim({ scheme: 'digest', auth: Buffer.from('a:b') });
    expect(await socket.types()).toEqual([EXISTS, AUTH]);
    const second = await attached();
    expect(socket.destroyed).toBe(true);
    expect(session.state).toBe('suspended');
    expect(await second.types()).toEqual([AUTH]);
    await second.reply(-4);
    expect(await claimed).toBeUndefined();
    expect(session.state).toBe('connected');
    expect(await second.types()).toEqual([EXISTS]);
    await second.reply(1, { error: -101 });
    expect(outcomes).toEqual([null]);
    expect(types()).toEqual(['connected', 'suspended', 'readonly', 'suspended', 'connected']);
  });

  it('does not keep the session alive', async () => {
    const socket = await reattachedReadOnly();
    const { remaining } = session.deadline;
    await clock.advance(100);
    askExists();
    await socket.frames();
    await socket.reply(1, { error: -101 });
    expect(session.deadline.remaining).toBeLessThanOrEqual(remaining - 100);
  });

  it('cannot end the session: close() goes on until there is one that can', async () => {
    const socket = await reattachedReadOnly();
    const closing = session.close(60_000, false);
    expect(await socket.types()).toEqual([]);
    const second = await attached();
    expect(await second.types()).toEqual([CLOSE]);
    await second.reply(1);
    expect(await closing).toBe(true);
    expect(clock.timers).toBe(0);
  });

  it('cannot end it while credentials are being claimed there, either', async () => {
    beginAgain({ readOnly: true, auth: [{ scheme: 'digest', auth: 'a:b' }] });
    const first = await attached();
    await first.reply(-4);
    await first.fail();
    const socket = await attachedReadOnly();
    expect(await socket.types()).toEqual([AUTH]);
    const closing = session.close(60_000, false);
    expect(await socket.types()).toEqual([]);
    const second = await attached();
    expect(await second.types()).toEqual([CLOSE]);
    await second.reply(1);
    expect(await closing).toBe(true);
  });

  it('that takes the client on after close() is left: it cannot end the session', async () => {
    beginAgain({ readOnly: true });
    await (await attached()).fail();
    const attempt = await dialled();
    await attempt.accept();
    const closing = session.close(60_000, false);
    await attempt.welcome({ readOnly: true });
    expect(await attempt.types()).toEqual([]);
    expect(attempt.destroyed).toBe(true);
    const second = await attached();
    await second.reply(1);
    expect(await closing).toBe(true);
  });

  it.each([
    ['the session is made up', true, false],
    ['the session is kept', false, true],
  ])('answers what was called before close(), where %s', async (_, isMadeUp, keepSession) => {
    beginAgain({ readOnly: true });
    if (!isMadeUp) await (await attached()).fail();
    const socket = await attachedReadOnly();
    const outcomes = askExists();
    const closing = session.close(1_000, keepSession);
    expect(await socket.types()).toEqual([EXISTS, EXISTS]);
    await socket.reply(1, { error: -101 });
    await socket.reply(2, { error: -101 });
    expect(outcomes).toEqual([null]);
    expect(await closing).toBe(keepSession);
    expect([socket.destroyed, clock.timers]).toEqual([true, 0]);
  });

  it('makes up a session that nobody else is asked for', async () => {
    beginAgain({ readOnly: true });
    const socket = await attachedReadOnly(5);
    expect(session.id).toEqual(Long.fromNumber(5));
    expect(session.deadline.remaining).toBe(-Infinity);
    const second = await dialled();
    expect(await second.accept()).toMatchObject({ sessionId: 0n });
    await second.welcome({ sessionId: 6 });
    expect(session.id).toEqual(Long.fromNumber(6));
    expect(socket.destroyed).toBe(true);
    expect(types()).toEqual(['readonly', 'suspended', 'connected']);
  });
});

describe('what waits for room on the wire', () => {
  it('keeps its time when the connection is lost', async () => {
    beginAgain({ inFlight: { maxOperations: 1 }, offlineQueue: { maxWait: 10_000 } });
    const socket = await attached();
    const read = askExists();
    await clock.advance(1_000);
    const waiting = askDelete();
    await clock.advance(4_000);
    await socket.fail();
    for (let second = 0; second < 5; second++) {
      while (network.newest.destroyed) await clock.advance(1);
      await network.newest.fail();
      await clock.advance(1_000);
    }
    await clock.advance(2_000);
    expect(codesOf(waiting)).toEqual(['OPERATION_TIMEOUT']);
    expect(read).toEqual([]);
  });

  it('goes before what is asked for later, also where that would be refused', async () => {
    beginAgain({ inFlight: { maxOperations: 2, whenFull: 'reject' } });
    await (await attached()).fail();
    const outcomes = [askExists(), askExists(), askExists()];
    const socket = await attached();
    expect(await socket.types()).toEqual([EXISTS, EXISTS]);
    const refused = askDelete();
    await turn();
    expect(codesOf(refused)).toEqual(['QUEUE_FULL']);
    await socket.reply(1, { error: -101 });
    await socket.reply(2, { error: -101 });
    await socket.reply(3, { error: -101 });
    expect(outcomes).toEqual([[null], [null], [null]]);
  });
});
