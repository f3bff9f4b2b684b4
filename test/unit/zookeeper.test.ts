import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import Long from 'long';
import { InvalidConnectStringError, type ServerAddress } from '../../src/connection/connect-string.js';
import { AbortedError, ConnectError, InvalidArgumentError } from '../../src/errors.js';
import type { ClientOptions } from '../../src/options.js';
import { ZooKeeper } from '../../src/zookeeper.js';
import { bytes } from '../support/frames.js';
import { type TestClock, useRealClock, useTestClock } from './support/clock.js';
import { replyHeader } from './support/reference.js';
import { type FakeNetwork, type FakeSocket, turn, useFakeNetwork } from './support/fake-network.js';

let clock: TestClock;
let network: FakeNetwork;
let opened: ZooKeeper[];

beforeEach(() => {
  clock = useTestClock();
  network = useFakeNetwork();
  opened = [];
});
afterEach(async () => {
  const closings = opened.map((zk) => zk.close({ timeout: 0 }));
  await clock.advance(1);
  await Promise.all(closings);
  useRealClock();
});

function open(connectString = 'zk/app', options: ClientOptions = {}): ZooKeeper {
  const zk = ZooKeeper.open(connectString, options);
  opened.push(zk);
  return zk;
}

async function attached(): Promise<FakeSocket> {
  await clock.advance(0);
  const socket = network.newest;
  await socket.accept();
  await socket.welcome({ sessionId: 0xff });
  return socket;
}

describe('opening a client', () => {
  it('throws at once where the connection string or an option is wrong', () => {
    expect(() => ZooKeeper.open('')).toThrow(InvalidConnectStringError);
    expect(() => ZooKeeper.open('zk', { sessionTimeout: 0 })).toThrow(InvalidArgumentError);
    expect(network.sockets).toEqual([]);
  });

  it('returns at once, and goes on trying for ever', async () => {
    const zk = open();
    expect(zk.state).toBe('connecting');
    await clock.advance(3_600_000);
    expect(network.sockets.length).toBeGreaterThan(100);
    while (network.newest.destroyed) await clock.advance(50);
    await network.newest.accept();
    await network.newest.welcome();
    expect(zk.state).toBe('connected');
  });
});

describe('connecting a client', () => {
  it('resolves once there is a session', async () => {
    const connecting = ZooKeeper.connect('zk');
    await attached();
    opened.push(await connecting);
    expect(opened[0]?.state).toBe('connected');
  });

  it('rejects when connectTimeout is over, and leaves nothing behind', async () => {
    const connecting = ZooKeeper.connect('zk', { connectTimeout: 1_000 });
    const outcome = connecting.catch((error: unknown) => error);
    await clock.advance(1_000);
    expect(await outcome).toBeInstanceOf(ConnectError);
    expect(network.sockets.every(({ destroyed }) => destroyed)).toBe(true);
    expect(clock.timers).toBe(0);
  });

  it('rejects when its signal fires, and leaves nothing behind', async () => {
    const controller = new AbortController();
    const connecting = ZooKeeper.connect('zk', { signal: controller.signal });
    const outcome = connecting.catch((error: unknown) => error);
    await clock.advance(0);
    controller.abort();
    expect(await outcome).toBeInstanceOf(AbortedError);
    expect(network.newest.destroyed).toBe(true);
    expect(clock.timers).toBe(0);
  });

  it('rejects with failFast when every server was tried once, and leaves nothing behind', async () => {
    const outcome = ZooKeeper.connect('zk', { failFast: true }).catch((error: unknown) => error);
    await clock.advance(0);
    await network.newest.fail('refused');
    expect(await outcome).toBeInstanceOf(ConnectError);
    expect(clock.timers).toBe(0);
  });

  it('rejects where failFast is neither true nor false', async () => {
    await expect(ZooKeeper.connect('zk', { failFast: 'yes' as never })).rejects.toThrow(
      new InvalidArgumentError('failFast is yes; it must be true or false'),
    );
    expect(network.sockets).toEqual([]);
  });

  it('rejects where the connection string is wrong', async () => {
    await expect(ZooKeeper.connect('zk:x')).rejects.toThrow(InvalidConnectStringError);
  });
});

describe('a client with a host provider', () => {
  it('finds its servers by it, and has its chroot', async () => {
    const connected = jest.fn();
    const servers = (): ServerAddress[] => [{ host: 'found', port: 2182 }];
    const zk = ZooKeeper.open({ servers, connected, chroot: '/app' });
    opened.push(zk);
    const socket = await attached();
    expect([socket.host, zk.root, zk.session.server]).toEqual(['found', '/app', 'found:2182']);
    expect(connected).not.toHaveBeenCalled();
    void zk.exists('/');
    await socket.frames();
    await socket.reply(1, { error: -101 });
    expect(connected.mock.calls).toEqual([[{ host: 'found', port: 2182 }]]);
  });
});

describe('updateServers()', () => {
  it('takes a connection string, with the chroot of the client or without one, or a list', async () => {
    const zk = open('zk/app');
    await attached();
    expect(zk.updateServers('zk:2181,zk:2182/app')).toEqual(expect.any(Boolean));
    expect(zk.updateServers('zk')).toEqual(expect.any(Boolean));
    expect(zk.updateServers([{ host: 'zk', port: 2181 }])).toEqual(expect.any(Boolean));
  });

  it('refuses anything else, and stays with what it has', async () => {
    const zk = open('zk/app');
    const socket = await attached();
    expect(() => zk.updateServers('')).toThrow(InvalidConnectStringError);
    for (const wrong of ['zk/other', 'dns-srv://zk', [], [{ host: 'zk' }], undefined]) {
      expect(() => zk.updateServers(wrong as string)).toThrow(InvalidArgumentError);
    }
    expect(socket.destroyed).toBe(false);
  });
});

describe('a view', () => {
  it('has its own root, and shares the session', async () => {
    const zk = open();
    const view = zk.chroot('/shop');
    await attached();
    expect([zk.root, view.root, view.chroot('/cart').root, view.unrooted().root]).toEqual([
      '/app',
      '/app/shop',
      '/app/shop/cart',
      '/',
    ]);
    expect(view.state).toBe('connected');
    expect(String(view.session)).toBe('0xff');
    expect(network.sockets).toHaveLength(1);
  });

  it('cannot be closed by itself, and the end of a block leaves the session alone', async () => {
    const zk = open();
    const view = zk.chroot('/shop');
    await attached();
    await expect(view.close()).rejects.toThrow(InvalidArgumentError);
    await view[Symbol.asyncDispose]();
    expect(zk.state).toBe('connected');
  });
});

describe('events', () => {
  it('are told to those who listen, until they do no more', async () => {
    const zk = open();
    const [always, once, never] = [jest.fn(), jest.fn(), jest.fn()];
    zk.on('connected', always).once('connected', once).on('connected', never).off('connected', never);
    const socket = await attached();
    await socket.close();
    await clock.advance(1_000);
    await network.newest.accept();
    await network.newest.welcome({ sessionId: 0xff });
    expect([always, once, never].map((mock) => mock.mock.calls.length)).toEqual([2, 1, 0]);
  });
});

describe('the session', () => {
  it('is one object as long as it lasts, and another one afterwards', async () => {
    const zk = open();
    const socket = await attached();
    const { session } = zk;
    expect(zk.session).toBe(session);
    await socket.close();
    await clock.advance(1_000);
    await network.newest.accept();
    await network.newest.refuse();
    expect(zk.session).not.toBe(session);
    expect(session.id.toNumber()).toBe(0xff);
  });

  it('can be held on to by a lease', async () => {
    const zk = open();
    expect(zk.lease().held).toBe(false);
    await attached();
    expect(zk.lease().held).toBe(true);
  });
});

describe('close()', () => {
  it('is done when the server has confirmed it', async () => {
    const zk = open();
    const socket = await attached();
    const closing = zk.close();
    expect(await socket.types()).toEqual([-11]);
    await socket.reply(1);
    await closing;
    expect(zk.state).toBe('closed');
    expect(clock.timers).toBe(0);
  });

  it('takes 1.5 seconds at most where no server answers', async () => {
    const zk = open();
    await attached();
    const done = jest.fn();
    void zk.close().then(done);
    await clock.advance(1_499);
    expect(done).not.toHaveBeenCalled();
    await clock.advance(1);
    await turn();
    expect(done).toHaveBeenCalledTimes(1);
    expect(network.newest.destroyed).toBe(true);
  });

  it('is what the end of a block does', async () => {
    const zk = open();
    const socket = await attached();
    const closing = zk[Symbol.asyncDispose]();
    await socket.frames();
    await socket.reply(1);
    await closing;
    expect(zk.state).toBe('closed');
  });
});

describe('a client that is printed', () => {
  async function printed(): Promise<ZooKeeper> {
    const zk = open('zk/app', { auth: [{ scheme: 'digest', auth: 'u:secret' }] });
    const socket = await attached();
    await socket.reply(-4, { zxid: 0 });
    void zk.exists('/a', { watch: () => undefined });
    void zk.getData('/b').catch(() => undefined);
    await socket.reply(1, { error: -101 });
    return zk;
  }

  it('shows its live state in one line', async () => {
    expect(String(await printed())).toBe(
      'ZooKeeper(connected, session 0xff of 9000 ms, 9000 ms remaining, server zk:2181, 1 in flight, 0 queued, 1 watches, root /app)',
    );
  });

  it('shows its live state and nothing else to console.log and JSON.stringify', async () => {
    const zk = await printed();
    const state = {
      ...{ state: 'connected', session: '0xff', timeout: 9_000, remaining: 9_000, server: 'zk:2181' },
      ...{ inFlight: 1, queued: 0, watches: 1, root: '/app' },
    };
    expect(JSON.parse(JSON.stringify(zk))).toEqual(state);
    expect(inspect(zk, { depth: 20 })).toBe(`ZooKeeper ${inspect(state)}`);
    expect(inspect({ deep: { in: zk } })).toContain("session: '0xff'");
  });

  it('shows no secret of its own or of its session, however deep one looks', async () => {
    const zk = await printed();
    const adding = zk.addWatch('/w');
    await network.newest.reply(2, { error: -101 });
    await network.newest.reply(3);
    const watcher = await adding;
    const password = Buffer.alloc(16, 5).toString('base64');
    const views = [
      zk,
      zk.chroot('/x'),
      zk.session,
      zk.lease(),
      zk.transaction(),
      zk.multiRead(),
      watcher,
      zk.metrics(),
    ];
    for (const each of views) {
      const text = inspect(each, { depth: Infinity, showHidden: true }) + (JSON.stringify(each) ?? '');
      expect(text).not.toMatch(/secret|05 05 05|"data":\[5,5,5/);
      expect(text).not.toContain(password);
    }
  });

  it('is shown before its first connection, and after its end', async () => {
    const zk = open();
    expect(String(zk)).toContain(
      'ZooKeeper(connecting, session 0x0 of 0 ms, 0 ms remaining, server none, 0 in flight,',
    );
    void zk.getData('/').catch(() => undefined);
    expect(String(zk)).toContain('1 queued');
    await zk.close({ timeout: 0 });
    expect(String(zk)).toContain('ZooKeeper(closed, session 0x0');
  });
});

describe('the watches of a client', () => {
  it('are listed by path and kind, as this client sees paths', async () => {
    const zk = open('zk/app');
    const socket = await attached();
    const [one, other] = [(): void => undefined, (): void => undefined];
    void zk.exists('/a', { watch: one });
    void zk.exists('/a', { watch: other });
    void zk.chroot('/b').addWatch('/c', { recursive: true });
    void zk.unrooted().exists('/outside', { watch: one });
    for (const [xid, error] of [-101, -101, 0, -101].entries()) await socket.reply(xid + 1, { error });
    expect(zk.watches()).toEqual([
      { path: '/a', kind: 'exists', listeners: 2 },
      { path: '/b/c', kind: 'recursive', listeners: 1 },
    ]);
    expect(zk.chroot('/b').watches()).toEqual([{ path: '/c', kind: 'recursive', listeners: 1 }]);
    expect(zk.unrooted().watches()).toHaveLength(3);
    expect(zk.metrics().watches).toEqual({ data: 0, exists: 2, children: 0, persistent: 0, recursive: 1, total: 3 });
  });
});

describe('promises settle in the order of the calls', () => {
  it('whatever options the calls have', async () => {
    const zk = open();
    const socket = await attached();
    const settled: string[] = [];
    const note = (name: string, promise: Promise<unknown>): void => {
      void promise.catch(() => undefined).then(() => settled.push(name));
    };
    note('fresh', zk.exists('/a', { sync: true }));
    note('plain', zk.exists('/a'));
    note('known', zk.exists('/a', { atLeast: Long.ZERO }));
    note('stale', zk.exists('/a', { atLeast: Long.fromNumber(9_999) }));
    note('delete', zk.delete('/a'));
    note('delete with options', zk.delete('/a', -1, { missing: 'ignore' }));
    note('delete with more', zk.delete('/a', -1, { timeout: 1_000, guaranteed: false, retry: false }));
    note('set', zk.setData('/a', '', -1, { retry: false }));
    note('create', zk.create('/a', null, { parents: false, protected: false, retry: false }));
    note('last', zk.exists('/a'));
    const sent = await socket.requests();
    expect(sent.map(({ type }) => type)).toEqual([9, 3, 3, 3, 9, 3, 2, 2, 2, 5, 1, 3]);
    socket.say(
      ...sent.map(({ xid, type }) =>
        type === 9 ? Buffer.concat([replyHeader(xid, 5, 0), bytes('/app/a')]) : replyHeader(xid, 5, -101),
      ),
    );
    await turn();
    expect(settled).toEqual([
      'fresh',
      'plain',
      'known',
      'stale',
      'delete',
      'delete with options',
      'delete with more',
      'set',
      'create',
      'last',
    ]);
  });
});

describe('options that make no sense are refused, by a rejection and before anything is sent', () => {
  const wrong = (value: unknown): never => value as never;

  it.each<[string, (zk: ZooKeeper) => Promise<unknown>]>([
    ['retry must be true, false or a function', (zk) => zk.delete('/a', -1, { retry: wrong('yes') })],
    ['retry must be true, false or a function', (zk) => zk.setData('/a', '', -1, { retry: wrong(3) })],
    ['retry must be true, false or a function', (zk) => zk.create('/a', '', { retry: wrong(null) })],
    ['retry must be', (zk) => zk.create('/a', '', { protected: true, retry: wrong('yes') })],
    ['retry must be', (zk) => zk.delete('/a', -1, { guaranteed: true, retry: wrong('yes') })],
    ['protected is yes; it must be true or false', (zk) => zk.create('/a', '', { protected: wrong('yes') })],
    ['guaranteed is no; it must be true or false', (zk) => zk.delete('/a', -1, { guaranteed: wrong('no') })],
    ['parents is "contaner"; it must be', (zk) => zk.create('/a', '', { parents: wrong('contaner') })],
    ['parents is "contaner"; it must be', (zk) => zk.ensurePath('/a', wrong('contaner'))],
    ['sync is yes; it must be true or false', (zk) => zk.getData('/a', { sync: wrong('yes') })],
    ['the signal is no AbortSignal', (zk) => zk.removeWatches('/a', 'any', { signal: wrong({}) })],
    ['watches is "all"; it must be', (zk) => zk.removeWatches('/a', wrong('all'))],
    ['the timeout is NaN', (zk) => zk.retry(() => zk.exists('/a'), { timeout: NaN })],
    ['policy is no function', (zk) => zk.retry(() => zk.exists('/a'), { policy: wrong('often') })],
    ['isRetryable is no function', (zk) => zk.retry(() => zk.exists('/a'), { isRetryable: wrong(true) })],
    ['step is no function', (zk) => zk.retry(wrong(undefined))],
    ['there is no option "attempts"', (zk) => zk.retry(() => zk.exists('/a'), wrong({ attempts: 3 }))],
  ])('%s', async (problem, call) => {
    const zk = open();
    const socket = await attached();
    const error: unknown = await call(zk).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect(String(error)).toContain(problem);
    expect(await socket.frames()).toEqual([]);
  });
});

it('parents that are to be containers are plain znodes at a server that does not know containers', async () => {
  const zk = open();
  const socket = await attached();
  const creating = zk.create('/locks/lock-', null, { mode: 'ephemeralSequential', parents: 'container' });
  const [CREATE, EXISTS, NO_NODE] = [1, 3, -101];
  const answers: readonly (readonly [type: number, path: string, error: number])[] = [
    [CREATE, '/app/locks/lock-', NO_NODE],
    // Where there is no configuration, the server is older than 3.5.
    [EXISTS, '/zookeeper/config', NO_NODE],
    [CREATE, '/app/locks', 0],
    [CREATE, '/app/locks/lock-', 0],
  ];
  for (const [type, path, error] of answers) {
    const [request, ...more] = await socket.requests();
    expect([request?.type, request?.record.buffer()?.toString(), more]).toEqual([type, path, []]);
    const { xid } = request!;
    if (error === 0) socket.say(Buffer.concat([replyHeader(xid, 5, 0), bytes(`${path}0000000000`)]));
    else socket.say(replyHeader(xid, 5, error));
  }
  expect((await creating).path).toBe('/locks/lock-0000000000');
});
