import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import Long from 'long';
import { AbortedError, AuthFailedError, ClosedError, ConnectError, SessionExpiredError } from '../../src/errors.js';
import type { SessionEvent } from '../../src/events.js';
import { exists } from '../../src/operations/index.js';
import { type ClientOptions, resolveOptions } from '../../src/options.js';
import { Succession } from '../../src/succession.js';
import { type TestClock, useRealClock, useTestClock } from './support/clock.js';
import { type FakeNetwork, type FakeSocket, turn, useFakeNetwork } from './support/fake-network.js';
import { codesOf } from './support/requests.js';

let clock: TestClock;
let network: FakeNetwork;
let sessions: Succession;
let events: SessionEvent[];

function begin(options: ClientOptions = {}): void {
  sessions = new Succession([{ host: 'zk', port: 2181 }], resolveOptions(options));
  events = [];
  sessions.events.on('session', (event: SessionEvent) => events.push(event));
}

beforeEach(() => {
  clock = useTestClock();
  network = useFakeNetwork();
});
afterEach(async () => {
  void sessions.close(0, true);
  await clock.advance(1);
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

async function attached(sessionId: number): Promise<FakeSocket> {
  const socket = await dialled();
  await socket.accept();
  await socket.welcome({ sessionId });
  return socket;
}

/** The server of the socket closes it, and says at the next attempt that the session has expired. */
async function expire(socket: FakeSocket): Promise<void> {
  await socket.close();
  const next = await dialled();
  await next.accept();
  await next.refuse();
}

/** What a promise came to so far. */
function outcomeOf(promise: Promise<void>): { value: unknown } {
  const outcome: { value: unknown } = { value: 'pending' };
  promise.then(
    () => (outcome.value = 'resolved'),
    (error: unknown) => (outcome.value = error),
  );
  return outcome;
}

describe('ready()', () => {
  it('resolves once there is a session', async () => {
    begin();
    const outcome = outcomeOf(sessions.ready(undefined, undefined));
    const socket = await dialled();
    await socket.accept();
    expect(outcome.value).toBe('pending');
    await socket.welcome();
    expect(outcome.value).toBe('resolved');
  });

  it('resolves at once where there is one', async () => {
    begin();
    await attached(77);
    await expect(sessions.ready(undefined, undefined)).resolves.toBeUndefined();
  });

  it('rejects when its time is over, with what each server said last; the client goes on', async () => {
    begin();
    const outcome = outcomeOf(sessions.ready(1_000, undefined));
    await (await dialled()).fail('connection refused');
    await clock.advance(1_000);
    expect(outcome.value).toBeInstanceOf(ConnectError);
    expect(outcome.value).toMatchObject({
      attempts: [{ server: 'zk:2181', reason: { message: 'connection refused' } }],
      cause: { message: 'connection refused' },
    });
    await network.newest.accept();
    await network.newest.welcome();
    expect(sessions.session.state).toBe('connected');
  });

  it('names also a server that has not answered yet', async () => {
    begin();
    const outcome = outcomeOf(sessions.ready(200, undefined));
    await dialled();
    await clock.advance(200);
    expect(outcome.value).toMatchObject({ attempts: [{ server: 'zk:2181', reason: { code: 'LINK_DOWN' } }] });
  });

  it('rejects when its signal fires', async () => {
    begin();
    const controller = new AbortController();
    const outcome = outcomeOf(sessions.ready(undefined, controller.signal));
    controller.abort(new Error('enough'));
    await turn();
    expect(outcome.value).toBeInstanceOf(AbortedError);
    expect(outcome.value).toMatchObject({ cause: { message: 'enough' } });
  });

  it('rejects at once when its signal has fired', async () => {
    begin();
    await expect(sessions.ready(undefined, AbortSignal.abort())).rejects.toThrow(AbortedError);
  });

  it('leaves no listener and no timer behind', async () => {
    begin();
    const { signal } = new AbortController();
    const remove = jest.spyOn(signal, 'removeEventListener');
    const listeners = sessions.events.listenerCount('session');
    const ready = sessions.ready(5_000_000, signal);
    await attached(77);
    await ready;
    expect(sessions.events.listenerCount('session')).toBe(listeners);
    expect(remove).toHaveBeenCalledTimes(1);
  });

  it('rejects once the client is closed', async () => {
    begin();
    const outcome = outcomeOf(sessions.ready(undefined, undefined));
    await sessions.close(0, false);
    await turn();
    expect(outcome.value).toBeInstanceOf(ClosedError);
    await expect(sessions.ready(undefined, undefined)).rejects.toThrow(ClosedError);
  });

  it('rejects once the credentials were refused', async () => {
    begin({ auth: [{ scheme: 'digest', auth: 'u:p' }] });
    const outcome = outcomeOf(sessions.ready(undefined, undefined));
    const socket = await attached(77);
    await socket.reply(-4, { zxid: 0, error: -115 });
    expect(outcome.value).toBeInstanceOf(AuthFailedError);
  });

  it('rejects once the session has expired, where no other is opened', async () => {
    begin({ renewSession: false, session: { id: '0x4d', password: 'AAAA' } });
    const outcome = outcomeOf(sessions.ready(undefined, undefined));
    const socket = await dialled();
    await socket.accept();
    await socket.refuse();
    expect(outcome.value).toBeInstanceOf(SessionExpiredError);
  });
});

describe('ready() with failFast', () => {
  const servers = ['a', 'b'].map((host) => ({ host, port: 2181 }));

  function beginAt(hosts: ConstructorParameters<typeof Succession>[0]): { value: unknown } {
    sessions = new Succession(hosts, resolveOptions());
    return outcomeOf(sessions.ready(30_000, undefined, true));
  }

  it('rejects as soon as every server was tried once, with what each of them said', async () => {
    const outcome = beginAt(servers);
    const first = await dialled();
    await first.fail('no route');
    await clock.advance(0);
    expect(outcome.value).toBe('pending');
    await network.newest.fail('refused');
    expect(outcome.value).toBeInstanceOf(ConnectError);
    const { attempts, message } = outcome.value as ConnectError;
    expect(new Set(attempts.map(({ server }) => server))).toEqual(new Set(['a:2181', 'b:2181']));
    expect(attempts.map(({ reason }) => reason.message).sort()).toEqual(['no route', 'refused']);
    expect(message).toContain('no session at any server');
  });

  it('resolves if one of them takes the session', async () => {
    const outcome = beginAt(servers);
    await (await dialled()).fail();
    await clock.advance(0);
    await network.newest.accept();
    await network.newest.welcome();
    expect(outcome.value).toBe('resolved');
  });

  it('rejects where nobody knows a server, with the reason', async () => {
    const outcome = beginAt({ name: 'dns-srv://zk', servers: () => Promise.reject(new Error('ENOTFOUND zk')) });
    await clock.advance(0);
    await turn();
    expect(outcome.value).toMatchObject({
      attempts: [{ server: 'dns-srv://zk', reason: { message: 'ENOTFOUND zk' } }],
    });
  });

  it('tells also of a server that took the session and dropped it before the credentials were accepted', async () => {
    sessions = new Succession(servers.slice(0, 1), resolveOptions({ auth: [{ scheme: 'digest', auth: 'u:p' }] }));
    const outcome = outcomeOf(sessions.ready(30_000, undefined, true));
    const socket = await dialled();
    await socket.accept();
    await socket.welcome();
    await socket.fail('dropped');
    expect(outcome.value).toMatchObject({ attempts: [{ server: 'a:2181', reason: { message: 'dropped' } }] });
  });

  it('is for that call alone', async () => {
    begin();
    const patient = outcomeOf(sessions.ready(undefined, undefined));
    const hasty = outcomeOf(sessions.ready(undefined, undefined, true));
    await (await dialled()).fail();
    expect([patient.value, hasty.value]).toEqual(['pending', expect.any(ConnectError)]);
    await (await dialled()).fail();
    expect(patient.value).toBe('pending');
  });
});

describe('other servers', () => {
  const at = (host: string) => ({ host, port: 2181 });

  it('are tried in place of those before, with the same session', async () => {
    begin();
    const first = await attached(77);
    expect(sessions.updateServers([at('other')])).toBe(true);
    expect(first.destroyed).toBe(true);
    const second = await dialled();
    expect(second.host).toBe('other');
    expect(await second.accept()).toMatchObject({ sessionId: 77n });
  });

  it('leave the connection alone where its server is among them', async () => {
    jest.spyOn(Math, 'random').mockReturnValue(0.5);
    begin();
    const first = await attached(77);
    expect(sessions.updateServers([at('zk'), at('other')])).toBe(false);
    expect(first.destroyed).toBe(false);
    await first.close();
    expect((await dialled()).host).toBe('other');
  });

  it('are tried at once by a client that finds none', async () => {
    begin();
    await (await dialled()).fail();
    expect(sessions.updateServers([at('other')], [at('zk')])).toBe(false);
    await clock.advance(0);
    expect(network.newest.host).toBe('other');
    await network.newest.fail();
    await clock.advance(0);
    expect(network.newest.host).toBe('zk');
  });

  it('that come while the server is being left are those that the client goes to', async () => {
    begin();
    const first = await attached(77);
    void sessions.session.submit(exists, { path: '/a', watch: false }, 2);
    await first.frames();
    expect(sessions.updateServers([at('other')])).toBe(true);
    expect(sessions.updateServers([at('third')])).toBe(false);
    await first.reply(1, { error: -101 });
    expect((await dialled()).host).toBe('third');
  });

  it('are refused where a provider says which servers there are', () => {
    sessions = new Succession({ name: 'registry', servers: () => [at('zk')] }, resolveOptions());
    expect(() => sessions.updateServers([at('other')])).toThrow(
      'updateServers: the servers of this client come from registry, which is asked again at each round',
    );
  });

  it('mean nothing to a client that is closed', async () => {
    begin();
    await sessions.close(0, false);
    expect(sessions.updateServers([at('other')])).toBe(false);
    await clock.advance(1_000);
    expect(network.sockets).toEqual([]);
  });
});

describe('when a session has expired', () => {
  it('the next one is opened, and both ids are told', async () => {
    begin();
    await expire(await attached(77));
    const socket = await dialled();
    expect(await socket.accept()).toMatchObject({ sessionId: 0n, password: Buffer.alloc(16) });
    await socket.welcome({ sessionId: 78 });
    expect(events.map(({ type }) => type)).toEqual(['connected', 'suspended', 'expired', 'connected']);
    expect(events[3]).toMatchObject({
      sessionId: Long.fromNumber(78),
      previousSessionId: Long.fromNumber(77),
      resumed: false,
    });
  });

  it('what was asked for under it is not sent under the next one', async () => {
    begin();
    const first = await attached(77);
    const { session } = sessions;
    await first.close();
    const outcome = session.submit(exists, { path: '/a', watch: false }, 2);
    const second = await dialled();
    await second.accept();
    await second.refuse();
    expect(codesOf([await outcome])).toEqual(['SESSION_EXPIRED']);
    const third = await attached(78);
    expect(await third.types()).toEqual([]);
    expect(sessions.session).not.toBe(session);
  });

  it('the next one is in place when that is told', async () => {
    begin();
    const states: string[] = [];
    sessions.events.on('expired', () => states.push(sessions.session.state));
    await expire(await attached(77));
    expect(states).toEqual(['connecting']);
  });

  it('the last zxid and the credentials go over to the next one', async () => {
    begin({ auth: [{ scheme: 'digest', auth: 'u:p' }] });
    const first = await dialled();
    await first.accept();
    await first.welcome({ sessionId: 77 });
    await first.reply(-4, { zxid: 0 });
    void sessions.session.submit(exists, { path: '/a', watch: false }, 2);
    await first.frames();
    await first.reply(1, { zxid: 500, error: -101 });
    await expire(first);
    const next = await dialled();
    expect(await next.accept()).toMatchObject({ lastZxidSeen: 500n });
    await next.welcome({ sessionId: 78 });
    expect(await next.types()).toEqual([100]);
  });

  it('no other is opened where that was not wanted', async () => {
    begin({ renewSession: false });
    await expire(await attached(77));
    const { length } = network.sockets;
    await clock.advance(60_000);
    expect(network.sockets).toHaveLength(length);
    expect(sessions.session.state).toBe('expired');
  });

  it('no other is opened where the credentials were refused', async () => {
    begin({ auth: [{ scheme: 'digest', auth: 'u:p' }] });
    const socket = await attached(77);
    await socket.reply(-4, { zxid: 0, error: -115 });
    await clock.advance(60_000);
    expect(network.sockets).toHaveLength(1);
  });

  it('no other is opened while the client is being closed', async () => {
    begin();
    await (await attached(77)).close();
    const closing = sessions.close(5_000, false);
    const next = await dialled();
    await next.accept();
    await next.refuse();
    expect(await closing).toBe(true);
    await clock.advance(60_000);
    expect(network.newest).toBe(next);
  });
});

it('attaches to the session that the options name, also to one whose id is negative', async () => {
  const password = Buffer.alloc(16, 9);
  begin({ session: { id: '0xef00000000000001', password: password.toString('base64') } });
  expect(await (await dialled()).accept()).toMatchObject({
    sessionId: BigInt.asIntN(64, 0xef00000000000001n),
    password,
  });
});

it('is closed once: the second call waits for the first', async () => {
  begin();
  const socket = await attached(77);
  const closings = [sessions.close(1_000, false), sessions.close(1, true)];
  const sent = await socket.types();
  expect(sent).toEqual([-11]);
  await socket.reply(1);
  expect(await Promise.all(closings)).toEqual([true, true]);
});

it('warns of no leak, however many listen', () => {
  begin();
  expect(sessions.events.getMaxListeners()).toBe(0);
});
