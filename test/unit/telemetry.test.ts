/** What a client tells of itself: its metrics, the channels of Node, its log. */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { ZooKeeperError } from '../../src/errors.js';
import type { LogFields, Logger } from '../../src/log.js';
import type { ClientOptions } from '../../src/options.js';
import { ZooKeeper } from '../../src/zookeeper.js';
import { type TestClock, useRealClock, useTestClock } from './support/clock.js';
import { type FakeNetwork, type FakeSocket, turn, useFakeNetwork } from './support/fake-network.js';
import { uncaughtDuring } from './support/uncaught.js';

const NO_NODE = { error: -101 };

let clock: TestClock;
let network: FakeNetwork;
let opened: ZooKeeper[];
let subscriptions: (() => void)[];

beforeEach(() => {
  clock = useTestClock();
  network = useFakeNetwork();
  opened = [];
  subscriptions = [];
});
afterEach(async () => {
  for (const end of subscriptions) end();
  const closings = opened.map((zk) => zk.close({ timeout: 0 }));
  await clock.advance(1);
  await Promise.all(closings);
  useRealClock();
});

function open(options: ClientOptions = {}, servers = 'zk/app'): ZooKeeper {
  const zk = ZooKeeper.open(servers, options);
  opened.push(zk);
  return zk;
}

/** The next socket that is dialled. */
async function dialled(): Promise<FakeSocket> {
  const before = network.sockets.length;
  for (let waited = 0; network.sockets.length === before; waited += 50) {
    if (waited > 20_000) throw new Error('nothing is dialled');
    await clock.advance(50);
  }
  return network.newest;
}

async function attached(socket?: FakeSocket): Promise<FakeSocket> {
  const dialling = socket ?? (await dialled());
  await dialling.accept();
  await dialling.welcome({ sessionId: 0xff });
  return dialling;
}

async function close(zk: ZooKeeper): Promise<void> {
  const closing = zk.close({ timeout: 0 });
  await clock.advance(1);
  await closing;
}

/** What is published on a channel from now on. */
function published<Message extends object>(channel: string): Message[] {
  const messages: Message[] = [];
  const listen = (message: unknown): void => void messages.push(message as Message);
  listenTo(channel, listen);
  return messages;
}

function listenTo(channel: string, listen: (message: unknown) => void): void {
  subscribe(channel, listen);
  subscriptions.push(() => unsubscribe(channel, listen));
}

/** Begins an operation that may fail. */
function ask(operation: Promise<unknown>): void {
  operation.catch(() => undefined);
}

describe('metrics()', () => {
  it('counts operations by name and outcome', async () => {
    const zk = open();
    const socket = await attached();
    ask(zk.getData('/a'));
    ask(zk.exists('/a'));
    ask(zk.delete('/a', 1));
    ask(zk.delete('/b', 1));
    ask(zk.transaction().check('/a').commit());
    await socket.reply(1, NO_NODE);
    await socket.reply(2, NO_NODE);
    await socket.reply(3, { error: -103 });
    await socket.reply(4);
    const { byName, total, inFlight } = zk.metrics().operations;
    expect(Object.keys(byName).sort()).toEqual(['delete', 'exists', 'getData']);
    expect(byName.getData).toMatchObject({ count: 1, outcomes: { NO_NODE: 1 }, latency: { count: 1 } });
    // "There is none" is an answer to exists.
    expect(byName.exists?.outcomes).toEqual({ ok: 1 });
    expect(byName.delete?.outcomes).toEqual({ ok: 1, BAD_VERSION: 1 });
    expect(total).toMatchObject({ count: 4, outcomes: { ok: 2, NO_NODE: 1, BAD_VERSION: 1 } });
    expect(inFlight).toBe(1);
  });

  it('counts what got no answer by the code of its error, each once, and without a latency', async () => {
    const zk = open({ maxRequestBytes: 1_024, offlineQueue: { maxOperations: 2 } });
    const controller = new AbortController();
    ask(zk.getData('/queued', { signal: controller.signal }));
    ask(zk.getData('/queued', { timeout: 10 }));
    ask(zk.getData('/too-many'));
    controller.abort();
    await clock.advance(10);
    const socket = await attached();
    ask(zk.setData('/a', 'x'.repeat(2_000)));
    ask(zk.setData('/a', 'x'));
    ask(zk.getData('/late', { timeout: 10 }));
    await clock.advance(10);
    await socket.frames();
    // The answer to what was given up counts no more.
    await socket.reply(2, { error: -103 });
    await socket.reply(3, NO_NODE);
    ask(zk.setData('/b', 'x'));
    ask(zk.setData('/given-up', 'x', -1, { timeout: 10 }));
    await clock.advance(10);
    await socket.close();
    await close(zk);
    ask(zk.setData('/c', 'x'));
    await turn();
    const { getData, setData } = zk.metrics().operations.byName;
    expect(getData?.outcomes).toEqual({ ABORTED: 1, OPERATION_TIMEOUT: 2, QUEUE_FULL: 1 });
    expect(getData?.latency.count).toBe(0);
    expect(setData?.outcomes).toEqual({
      ...{ BAD_VERSION: 1, REQUEST_TOO_LARGE: 1, CONNECTION_LOSS: 1, OPERATION_TIMEOUT: 1, CLOSED: 1 },
    });
    expect(setData).toMatchObject({ count: 5, latency: { count: 1 } });
  });

  it('measures from the call to the reply, the wait for a connection and lost connections included', async () => {
    const zk = open();
    ask(zk.exists('/waits'));
    const socket = await attached();
    const waited = performance.now();
    ask(zk.getChildren('/sent-at-once'));
    await socket.frames();
    await clock.advance(100);
    await socket.close();
    const next = await attached();
    await clock.advance(1_000);
    await next.reply(1, NO_NODE);
    await next.reply(2, NO_NODE);
    const { exists, getChildren } = zk.metrics().operations.byName;
    expect(exists?.latency).toMatchObject({ count: 1, max: performance.now() });
    expect(getChildren?.latency).toMatchObject({ count: 1, max: performance.now() - waited });
  });

  it('measures exactly what a request took that was sent at once', async () => {
    const zk = open();
    const socket = await attached();
    ask(zk.exists('/a'));
    ask(zk.exists('/b'));
    await socket.frames();
    await clock.advance(20);
    await socket.reply(1, NO_NODE);
    await clock.advance(20);
    await socket.reply(2, NO_NODE);
    const { sum, max, p50, buckets } = zk.metrics().operations.byName.exists!.latency;
    expect([sum, max]).toEqual([60, 40]);
    expect(p50).toBeCloseTo(20, 0);
    expect(buckets.map(({ count }) => count).slice(6, 9)).toEqual([1, 2, 2]);
  });

  it('counts a transaction that failed as failed, by the error that made it fail', async () => {
    const zk = open();
    const socket = await attached();
    ask(zk.transaction().check('/a').commit());
    await socket.frames();
    // A MultiResponse: not tried (-2), then NO_NODE, then the end.
    const results = [-2, -101].map((code) => [header(-1, false), int32(code)]).flat();
    socket.say(Buffer.concat([int32(1), Buffer.alloc(8, 0), int32(0), ...results, header(-1, true)]));
    await turn();
    expect(zk.metrics().operations.byName.multi?.outcomes).toEqual({ NO_NODE: 1 });
  });

  it('knows traffic, pings, and how the session stands', async () => {
    const zk = open();
    const socket = await attached();
    await clock.advance(3_000);
    expect(await socket.types()).toEqual([11]);
    await clock.advance(7);
    await socket.reply(-2);
    const { traffic, ping, session, state } = zk.metrics();
    // Connect request and response: 4 + 45 and 4 + 37 bytes; ping and answer: 4 + 8 and 4 + 16.
    expect(traffic).toEqual({ bytesSent: 61, bytesReceived: 61, framesSent: 2, framesReceived: 2 });
    expect(ping).toMatchObject({ last: 7, latency: { count: 1, max: 7 } });
    expect({ state, session }).toEqual({
      state: 'connected',
      session: { id: '0xff', timeout: 9_000, remaining: 8_993, server: 'zk:2181' },
    });
  });

  it('counts attempts, connections, expirations, and time connected against time wanted', async () => {
    const zk = open();
    const first = await dialled();
    await first.fail('ECONNREFUSED');
    const second = await attached();
    const since = performance.now();
    await clock.advance(1_000);
    await second.close();
    const third = await attached();
    await third.close();
    const fourth = await dialled();
    await fourth.accept();
    await fourth.refuse();
    await attached();
    const { connections, sessions, availability } = zk.metrics();
    expect(connections).toEqual({
      attempts: 5,
      failedAttempts: 1,
      connected: 3,
      reconnected: 1,
      readOnly: 0,
      moved: 0,
      lost: 2,
    });
    expect(sessions).toEqual({ opened: 2, expired: 1, lost: 0, stalled: 0 });
    expect(availability.connected).toBeGreaterThanOrEqual(1_000);
    expect(availability.wanted).toBe(performance.now());
    expect(availability.wanted).toBeGreaterThan(since);
    expect(availability.ratio).toBe(availability.connected / availability.wanted);
    await close(zk);
    const atEnd = zk.metrics().availability;
    await clock.advance(1_000);
    expect(zk.metrics().availability).toEqual(atEnd);
  });

  it('counts a session that is lost by our own clock', async () => {
    const zk = open();
    const socket = await attached();
    await socket.close();
    await clock.advance(10_000);
    expect(zk.metrics().sessions).toMatchObject({ lost: 1, expired: 0 });
    expect(zk.metrics().session.remaining).toBe(0);
  });

  it('counts a read-only server that has to do, which is no time connected', async () => {
    const connections = published<{ type: string }>('zookit:connection');
    const logger = new KeptLog();
    const zk = open({ readOnly: true, logger });
    const socket = await dialled();
    await socket.accept();
    await socket.welcome({ sessionId: 0xff, readOnly: true });
    await clock.advance(1_000);
    expect(zk.state).toBe('readonly');
    expect(zk.metrics().connections).toMatchObject({ connected: 0, readOnly: 1, lost: 0 });
    expect(zk.metrics().availability.connected).toBe(0);
    expect(connections).toContainEqual({ type: 'readonly', session: '0xff', server: 'zk:2181' });
    expect(logger.texts).toContain(
      'warn zookit session 0xff, server zk:2181: connecting -> readonly: at zk:2181, session timeout 9000 ms',
    );
    // One that takes writes is found beside it, and no connection was lost.
    await attached();
    expect(zk.state).toBe('connected');
    expect(zk.metrics().connections).toMatchObject({ connected: 1, readOnly: 1, moved: 1, lost: 0 });
    expect(logger.texts).toContain(
      'info zookit session 0xff, server zk:2181: readonly -> suspended: a server was found that takes writes',
    );
    expect(connections).toContainEqual(expect.objectContaining({ type: 'disconnected', server: 'zk:2181' }));
  });

  it('counts a move to another server as that, and logs it without alarm', async () => {
    const logger = new KeptLog();
    const zk = open({ logger });
    await attached();
    expect(zk.updateServers('other')).toBe(true);
    await attached();
    expect(zk.metrics().connections).toMatchObject({ connected: 2, reconnected: 1, moved: 1, lost: 0 });
    expect(logger.lines.filter(({ level }) => level === 'warn')).toEqual([]);
    expect(logger.texts).toContain(
      'info zookit session 0xff, server zk:2181: connected -> suspended: the servers have changed, and this one is left for another',
    );
    // The next loss is one.
    await network.newest.close();
    expect(zk.metrics().connections).toMatchObject({ moved: 1, lost: 1 });
    expect(logger.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  it('counts how often this process was held up', async () => {
    const logger = new KeptLog();
    const zk = open({ logger });
    await attached();
    clock.freeze(6_000);
    await clock.advance(3_000);
    expect(zk.metrics().sessions.stalled).toBe(1);
    expect(logger.texts.filter((text) => text.includes('this process was held up for'))).toHaveLength(1);
  });

  it('is plain data, before the first connection and after the end', async () => {
    const zk = open();
    const checkPlain = (): void => {
      const metrics = zk.metrics();
      expect(JSON.parse(JSON.stringify(metrics))).toEqual(metrics);
    };
    ask(zk.getData('/a'));
    checkPlain();
    expect(zk.metrics().operations).toMatchObject({ queued: 1, queuedBytes: 2 });
    await attached();
    checkPlain();
    await close(zk);
    checkPlain();
  });

  it('is that of the client for its views', async () => {
    const zk = open();
    await attached();
    expect(zk.chroot('/x').metrics()).toEqual(zk.metrics());
  });
});

describe('the channel zookit:operation', () => {
  it('tells each outcome once, with all that is known of it', async () => {
    const messages = published('zookit:operation');
    const zk = open();
    const socket = await attached();
    ask(zk.getData('/a'));
    await socket.frames();
    await clock.advance(5);
    await socket.reply(1, { zxid: 0x1234, error: -101 });
    const common = { session: '0xff', server: 'zk:2181', timesSent: 1 };
    expect(messages).toEqual([
      {
        ...common,
        ...{ operation: 'getData', path: '/app/a', outcome: 'NO_NODE', duration: 5 },
        ...{ bytesSent: 4 + 8 + 4 + 6 + 1, bytesReceived: 4 + 16, zxid: expect.objectContaining({ low: 0x1234 }) },
      },
    ]);
    ask(zk.setData('/b', 'x'));
    await turn();
    await socket.close();
    expect(messages[1]).toMatchObject({
      operation: 'setData',
      path: '/app/b',
      outcome: 'CONNECTION_LOSS',
      duration: 0,
    });
    expect(messages[1]).toMatchObject({ ...common, bytesReceived: 0, zxid: undefined });
  });

  it('tells the start on the stack of the caller, with the object that tells the end', async () => {
    const starts = published('zookit:operation:start');
    const ends = published('zookit:operation');
    const zk = open();
    ask(zk.getData('/a'));
    expect(starts).toEqual([{ operation: 'getData', path: '/app/a', session: '0x0' }]);
    await (await attached()).reply(1, NO_NODE);
    expect(ends[0]).toBe(starts[0]);
    expect(ends[0]).toMatchObject({ session: '0xff', outcome: 'NO_NODE' });
  });

  it('has the root for a transaction, and no path where there is none', async () => {
    const messages = published<{ operation: string; path: string }>('zookit:operation');
    const zk = open();
    const socket = await attached();
    ask(zk.transaction().delete('/a').delete('/b').commit());
    await socket.reply(1, { error: -6 });
    await close(zk);
    await turn();
    expect(messages.map(({ operation, path }) => [operation, path])).toEqual([
      ['multi', '/app'],
      ['close', undefined],
    ]);
  });

  it('comes when the reply is done with: what a subscriber asks of the client is right', async () => {
    const zk = open();
    const inFlight: number[] = [];
    listenTo('zookit:operation', () => void inFlight.push(zk.metrics().operations.inFlight));
    const socket = await attached();
    ask(zk.exists('/a'));
    await socket.reply(1, NO_NODE);
    expect(inFlight).toEqual([0]);
  });

  it('can have a subscriber that closes the client', async () => {
    const zk = open();
    listenTo('zookit:operation', () => void zk.close({ timeout: 0 }));
    const socket = await attached();
    const outcomes: unknown[] = [];
    for (const path of ['/a', '/b'])
      void zk.getData(path).catch((error: unknown) => outcomes.push((error as ZooKeeperError).code));
    await socket.frames();
    await socket.reply(1, NO_NODE);
    await clock.advance(1);
    await turn();
    expect(outcomes).toEqual(['NO_NODE', 'CLOSED']);
  });
});

describe('the channels zookit:connection and zookit:session', () => {
  it('tell of attempts, connections and the events of the session', async () => {
    const connections = published('zookit:connection');
    const events = published<{ type: string }>('zookit:session');
    const zk = open();
    const first = await dialled();
    await first.fail('ECONNREFUSED');
    const second = await attached();
    await second.close();
    await close(zk);
    await turn();
    const common = { server: 'zk:2181', session: '0x0' };
    expect(connections).toEqual([
      { ...common, type: 'attempt', attempt: 1 },
      { ...common, type: 'attemptFailed', attempt: 1, cause: expect.objectContaining({ message: 'ECONNREFUSED' }) },
      { ...common, type: 'attempt', attempt: 2 },
      { ...common, session: '0xff', type: 'connected', sessionTimeout: 9_000, resumed: false },
      { ...common, session: '0xff', type: 'disconnected', cause: expect.any(Error) },
    ]);
    expect(events.map(({ type }) => type)).toEqual(['connected', 'suspended', 'closed']);
  });

  it('can have a subscriber that closes the client at the first attempt', async () => {
    const zk = open();
    listenTo('zookit:connection', () => void zk.close({ timeout: 0 }));
    await clock.advance(0);
    await turn();
    expect(zk.state).toBe('closed');
    expect(network.sockets.map(({ destroyed }) => destroyed)).toEqual([true]);
    expect(clock.timers).toBe(0);
  });
});

/** A logger that keeps its lines. */
class KeptLog implements Logger {
  readonly lines: { readonly level: string; readonly message: string; readonly fields: LogFields }[] = [];
  readonly debug = this.#keep('debug');
  readonly info = this.#keep('info');
  readonly warn = this.#keep('warn');
  readonly error = this.#keep('error');

  #keep(level: string) {
    return (message: string, fields: LogFields): void => void this.lines.push({ level, message, fields });
  }

  /** Levels and messages. */
  get texts(): string[] {
    return this.lines.map(({ level, message }) => `${level} ${message}`);
  }
}

describe('the logger', () => {
  it('is told each step of a session, with session and server in every line', async () => {
    const logger = new KeptLog();
    const zk = open({ logger });
    await (await dialled()).fail('ECONNREFUSED');
    const socket = await attached();
    await socket.close();
    await attached();
    await close(zk);
    await turn();
    expect(logger.texts).toEqual([
      'debug zookit session 0x0, server zk:2181: is tried',
      'warn zookit session 0x0, server zk:2181: the attempt failed: ECONNREFUSED',
      'debug zookit session 0x0, server zk:2181: is tried',
      'info zookit session 0xff, server zk:2181: connecting -> connected: at zk:2181, session timeout 9000 ms',
      'warn zookit session 0xff, server zk:2181: connected -> suspended: the server closed the connection',
      'debug zookit session 0xff, server zk:2181: is tried',
      'info zookit session 0xff, server zk:2181: suspended -> connected: at zk:2181, session timeout 9000 ms',
      'info zookit session 0xff, server zk:2181: connected -> closed: by the user',
    ]);
    expect(logger.lines[1]?.fields).toMatchObject({
      session: '0x0',
      server: 'zk:2181',
      attempt: 1,
      lastZxid: '0x0',
      queued: 0,
    });
    expect(logger.lines[1]?.fields.cause?.message).toBe('ECONNREFUSED');
    expect(logger.lines[3]?.fields).toMatchObject({ session: '0xff', sessionTimeout: 9_000 });
  });

  it('is told of an outage once for each server as a warning, the rest is for debugging', async () => {
    const logger = new KeptLog();
    open({ logger }, 'a,b');
    for (let round = 0; round < 6; round++) await (await dialled()).fail('ECONNREFUSED');
    const failures = logger.lines.filter(({ fields }) => fields.cause !== undefined);
    expect(failures.map(({ level }) => level)).toEqual(['warn', 'warn', 'debug', 'debug', 'debug', 'debug']);
    expect(new Set(failures.slice(0, 2).map(({ fields }) => fields.server))).toEqual(new Set(['a:2181', 'b:2181']));
    // After a connection, the next outage is news again.
    await (await attached()).close();
    await (await dialled()).fail('ECONNREFUSED');
    await turn();
    expect(logger.lines.filter(({ level }) => level === 'warn')).toHaveLength(4);
  });

  it('gets the lines of info by debug where it has no info', async () => {
    const { debug, warn, error, lines } = new KeptLog();
    open({ logger: { debug, warn, error } });
    await attached();
    expect(lines.map(({ level }) => level)).toEqual(['debug', 'debug']);
  });

  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('of the logger');
      },
    ],
    ['rejects', () => Promise.reject(new Error('of the logger'))],
  ])('disturbs nothing when it %s', async (_, fail) => {
    const errors = await uncaughtDuring(async () => {
      const zk = open({ logger: { debug: fail, info: fail, warn: fail, error: fail } });
      const socket = await attached();
      expect(zk.state).toBe('connected');
      await socket.close();
      await attached();
      expect(zk.state).toBe('connected');
    });
    expect(errors).toEqual([]);
  });

  it('can close the client at any line', async () => {
    for (let lines = 1; lines <= 4; lines++) {
      let left = lines;
      const close = (): void => {
        if (--left === 0) void zk.close({ timeout: 0 });
      };
      const zk = open({ logger: { debug: close, warn: close, error: close } });
      const socket = await dialled();
      // At the first line, which is that of the attempt.
      expect(socket.destroyed).toBe(lines === 1);
      if (!socket.destroyed) await socket.accept();
      if (!socket.destroyed) await socket.welcome();
      await socket.close();
      await clock.advance(10_000);
      expect([lines, zk.state]).toEqual([lines, 'closed']);
      expect(clock.timers).toBe(0);
    }
  });

  it('keeps its own this', async () => {
    const logger = {
      count: 0,
      debug(): void {
        this.count++;
      },
      warn: jest.fn(),
      error: jest.fn(),
    };
    open({ logger });
    await attached();
    expect(logger.count).toBe(2);
  });
});

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

/** MultiHeader { int type; boolean done; int err; } */
function header(type: number, done: boolean): Buffer {
  return Buffer.concat([int32(type), Buffer.from([Number(done)]), int32(-1)]);
}
