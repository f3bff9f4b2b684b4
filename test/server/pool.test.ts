/** The pool on a real server: lending, giving back, waiting, what a borrower leaves behind, closing. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  AbortedError,
  AuthFailedError,
  ClosedError,
  ConnectError,
  createPool,
  InvalidArgumentError,
  InvalidConnectStringError,
  OperationTimeoutError,
  type PoolOptions,
  QueueFullError,
  ZooKeeper,
} from 'zookit';
import { sharedServer, useChroot } from '../support/shared.js';
import { gate, until } from '../support/until.js';
import { superAuth } from '../support/zookeeper.js';
import { failureOf } from './clients.js';

const chroot = useChroot();
let observer: ZooKeeper;
let connectString: string;

beforeAll(async () => {
  connectString = sharedServer().connectString + chroot;
  observer = await ZooKeeper.connect(connectString);
  await observer.ensurePath('/');
});

afterAll(async () => {
  const root = observer.unrooted();
  await root.deleteTree(chroot);
  await observer.close();
});

/** A port of this machine on which nobody listens: the lowest one, which is not given to clients. */
const deadServer = '127.0.0.1:1';

const pool = (options: PoolOptions = {}) => createPool(connectString, { sessionTimeout: 20_000, ...options });

const idOf = (zk: ZooKeeper): string => zk.session.toString();

/** How long a pool waits for a server to confirm the end of a session, ms. */
const FAREWELL = 1_500;

/** Checks that the ephemeral znode is gone when `end` resolves, or when a busy server has confirmed it at last. */
async function isGoneAfter<T>(path: string, end: () => Promise<T>): Promise<T> {
  const begin = performance.now();
  const result = await end();
  const isConfirmed = performance.now() - begin < FAREWELL;
  const isGone = async (): Promise<boolean> => !(await observer.has(path));
  if (isConfirmed) expect(await isGone()).toBe(true);
  else await until(isGone, { what: `${path} to be gone` });
  return result;
}

describe('lending', () => {
  test('opens a session when one is needed, and lends it again', async () => {
    await using clients = pool();
    expect([clients.size, clients.available, clients.borrowed, clients.pending]).toEqual([0, 0, 0, 0]);
    const lent = await clients.acquire();
    const id = idOf(lent.zk);
    expect(lent.zk.state).toBe('connected');
    expect([clients.size, clients.available, clients.borrowed]).toEqual([1, 0, 1]);
    await lent.zk.upsert('/a', 'x');
    await lent.release();
    expect([clients.size, clients.available, clients.borrowed]).toEqual([1, 1, 0]);
    await using again = await clients.acquire();
    expect(idOf(again.zk)).toBe(id);
  });

  test('asks a host provider for the servers', async () => {
    const { connectString: server } = sharedServer();
    const [host = '', port] = server.split(':');
    const provider = { chroot, servers: () => [{ host, port: Number(port) }] };
    await using clients = createPool(provider, { sessionTimeout: 20_000 });
    expect(await clients.use((zk) => zk.root)).toBe(chroot);
    expect(await clients.use((zk) => zk.session.server)).toBe(server);
  });

  test('opens `min` sessions at once', async () => {
    await using clients = pool({ min: 2 });
    await until(() => clients.available === 2, { what: 'two sessions' });
    expect(clients.size).toBe(2);
  });

  test('lends a client to one at a time, up to `max`, and serves those who wait in order', async () => {
    await using clients = pool({ max: 2 });
    const [first, second] = await Promise.all([clients.acquire(), clients.acquire()]);
    expect(idOf(first.zk)).not.toBe(idOf(second.zk));
    const order: number[] = [];
    const third = clients.acquire().then((lent) => (order.push(3), lent));
    const fourth = clients.acquire().then((lent) => (order.push(4), lent));
    expect(clients.pending).toBe(2);
    await first.release();
    await (await third).release();
    await (await fourth).release();
    await second.release();
    expect(order).toEqual([3, 4]);
    expect(clients.size).toBe(2);
  });

  test('one hundred borrowers of five clients', async () => {
    await using clients = pool({ max: 5 });
    let most = 0;
    const results = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        clients.use(async (zk) => {
          most = Math.max(most, clients.borrowed);
          await zk.has('/');
          return index;
        }),
      ),
    );
    expect(results).toEqual(Array.from({ length: 100 }, (_, index) => index));
    expect(most).toBe(5);
    expect([clients.size, clients.borrowed, clients.pending]).toEqual([5, 0, 0]);
  });

  test('the clients have the options of clients', async () => {
    await using clients = pool({ auth: [superAuth], sessionTimeout: 15_000 });
    await clients.use(async (zk) => {
      expect(zk.session.timeout).toBe(15_000);
      expect((await zk.whoAmI()).map(({ scheme }) => scheme)).toContain('super');
    });
  });

  test('closes what nobody has needed for `idleTimeout`, down to `min`', async () => {
    await using clients = pool({ min: 1, max: 3, idleTimeout: 50 });
    const lent = await Promise.all([clients.acquire(), clients.acquire(), clients.acquire()]);
    await Promise.all(lent.map((each) => each.release()));
    await until(() => clients.size === 1, { what: 'idle sessions to be closed' });
    expect(clients.available).toBe(1);
  });
});

describe('use', () => {
  test('passes the result on, and gives the client back', async () => {
    await using clients = pool();
    expect(await clients.use((zk) => zk.state)).toBe('connected');
    expect([clients.borrowed, clients.available]).toEqual([0, 1]);
  });

  test('passes the error on, and gives the client back', async () => {
    await using clients = pool();
    const error = new Error('of the user');
    expect(await failureOf(clients.use(() => Promise.reject(error)))).toBe(error);
    const thrown = clients.use(() => {
      throw error;
    });
    expect(await failureOf(thrown)).toBe(error);
    expect([clients.borrowed, clients.available]).toEqual([0, 1]);
  });
});

describe('giving back', () => {
  test('`await using` gives back, also what was given back already', async () => {
    await using clients = pool();
    {
      await using lent = await clients.acquire();
      await lent.release();
    }
    {
      await using _lent = await clients.acquire();
    }
    expect([clients.borrowed, clients.available]).toEqual([0, 1]);
  });

  test('a second time is refused, and so is another pool', async () => {
    await using clients = pool();
    await using others = pool();
    const lent = await clients.acquire();
    expect(await failureOf(others.release(lent))).toBeInstanceOf(InvalidArgumentError);
    await clients.release(lent);
    expect(await failureOf(clients.release(lent))).toBeInstanceOf(InvalidArgumentError);
    expect(await failureOf(lent.release())).toBeInstanceOf(InvalidArgumentError);
    expect([clients.size, clients.available]).toEqual([1, 1]);
  });

  test('afterwards every use of the client is refused', async () => {
    await using clients = pool();
    const lent = await clients.acquire();
    const { zk } = lent;
    const below = zk.chroot('/below');
    await lent.release();
    for (const attempt of [
      () => zk.has('/'),
      () => below.has('/'),
      () => zk.addAuth('digest', 'a:b'),
      () => zk.ready(),
    ])
      expect(await failureOf(attempt())).toBeInstanceOf(ClosedError);
    expect(() => zk.state).toThrow(ClosedError);
    expect(() => zk.lease()).toThrow(ClosedError);
    zk.off('lost', () => undefined);
  });

  test('the borrower cannot close the client', async () => {
    await using clients = pool();
    await using lent = await clients.acquire();
    expect(await failureOf(lent.zk.close())).toBeInstanceOf(InvalidArgumentError);
    expect(await lent.zk.has('/')).toBe(true);
  });

  test('discard() closes the session', async () => {
    await using clients = pool();
    const lent = await clients.acquire();
    const id = idOf(lent.zk);
    await lent.discard();
    expect(clients.size).toBe(0);
    expect(await clients.use(idOf)).not.toBe(id);
  });
});

describe('what a borrower leaves on the session ends with the session:', () => {
  /** Whether the next borrower gets the same session. */
  async function isLentAgain(leave: (zk: ZooKeeper) => unknown): Promise<boolean> {
    await using clients = pool({ max: 1 });
    const id = await clients.use(async (zk) => {
      await leave(zk);
      return idOf(zk);
    });
    return (await clients.use(idOf)) === id;
  }

  test('nothing', async () => {
    const leaves = async (zk: ZooKeeper): Promise<void> => {
      await zk.upsert('/plain', 'x');
      await zk.transaction().create('/in-multi').delete('/in-multi').commit();
      await zk.getChildren('/');
      zk.lease().release();
      await using _watcher = await zk.addWatch('/plain');
    };
    expect(await isLentAgain(leaves)).toBe(true);
  });

  test('a one-shot watch', async () => {
    expect(await isLentAgain((zk) => zk.getData('/', { watch: () => undefined }))).toBe(false);
  });

  test('a watch that stays', async () => {
    expect(await isLentAgain((zk) => zk.addWatch('/', { recursive: true }))).toBe(false);
  });

  test('a watch on its way', async () => {
    expect(await isLentAgain((zk) => void zk.addWatch('/').catch(() => undefined))).toBe(false);
  });

  test('an ephemeral znode, which is gone when the client is back', async () => {
    const leave = (zk: ZooKeeper): Promise<unknown> => zk.create('/ephemeral', null, { mode: 'ephemeral' });
    expect(await isGoneAfter('/ephemeral', () => isLentAgain(leave))).toBe(false);
  });

  test('an ephemeral znode of a transaction', async () => {
    const create = (zk: ZooKeeper) =>
      zk.transaction().create('/of-multi-', null, { mode: 'ephemeralSequential' }).commit();
    expect(await isLentAgain(create)).toBe(false);
  });

  test('a lease', async () => {
    expect(await isLentAgain((zk) => zk.lease().held)).toBe(false);
  });

  test('credentials', async () => {
    await using clients = pool({ max: 1 });
    await clients.use((zk) => zk.addAuth(superAuth.scheme, superAuth.auth));
    const schemes = await clients.use(async (zk) => (await zk.whoAmI()).map(({ scheme }) => scheme));
    expect(schemes).not.toContain('super');
  });

  test('credentials that are refused end the session; the next borrower gets another one', async () => {
    await using clients = pool({ max: 1 });
    expect(await failureOf(clients.use((zk) => zk.addAuth('no-such-scheme', 'x')))).toBeInstanceOf(AuthFailedError);
    expect(await clients.use((zk) => zk.state)).toBe('connected');
  });

  test('listeners go, and the session stays', async () => {
    await using clients = pool({ max: 1 });
    const told: string[] = [];
    const lent = await clients.acquire();
    lent.zk.on('session', ({ type }) => type === 'stalled' || told.push(type));
    await lent.release();
    await clients.close();
    expect(told).toEqual([]);
  });
});

describe('waiting', () => {
  test('ends with the timeout, and takes no client with it', async () => {
    await using clients = pool({ max: 1 });
    const lent = await clients.acquire();
    const error = await failureOf(clients.acquire({ timeout: 30 }));
    expect(error).toBeInstanceOf(OperationTimeoutError);
    expect(String(error)).toContain('1 of 1 are lent');
    const next = clients.acquire();
    await lent.release();
    await (await next).release();
    expect([clients.size, clients.borrowed, clients.pending]).toEqual([1, 0, 0]);
  });

  test('the pool has a timeout of its own', async () => {
    await using clients = pool({ max: 1, acquireTimeout: 30 });
    await using _lent = await clients.acquire({ timeout: 20_000 });
    expect(await failureOf(clients.acquire())).toBeInstanceOf(OperationTimeoutError);
  });

  test('ends with the signal; the one behind is served', async () => {
    await using clients = pool({ max: 1 });
    const lent = await clients.acquire();
    const abort = new AbortController();
    const waiting = failureOf(clients.acquire({ signal: abort.signal }));
    const behind = clients.acquire();
    abort.abort('why');
    const error = await waiting;
    expect(error).toBeInstanceOf(AbortedError);
    expect((error as AbortedError).cause).toBe('why');
    await lent.release();
    await (await behind).release();
    expect(await failureOf(clients.acquire({ signal: AbortSignal.abort() }))).toBeInstanceOf(AbortedError);
    expect([clients.borrowed, clients.pending]).toEqual([0, 0]);
  });

  test('ends while a session is being opened for it: the client is there for the next one', async () => {
    await using clients = pool({ max: 1 });
    const abort = new AbortController();
    const waiting = failureOf(clients.acquire({ signal: abort.signal }));
    abort.abort();
    await waiting;
    await until(() => clients.available === 1, { what: 'the session' });
    expect([clients.size, clients.borrowed]).toEqual([1, 0]);
    await clients.use((zk) => zk.has('/'));
  });

  test('is bounded in number', async () => {
    await using clients = pool({ max: 1, maxPending: 1 });
    const first = clients.acquire();
    const second = clients.acquire();
    expect(await failureOf(clients.acquire())).toBeInstanceOf(QueueFullError);
    await (await first).release();
    await (await second).release();
  });

  test('with maxPending 0 only what is free is lent', async () => {
    await using clients = pool({ max: 1, maxPending: 0 });
    await using _lent = await clients.acquire();
    expect(await failureOf(clients.acquire())).toBeInstanceOf(QueueFullError);
  });
});

describe('sessions that cannot be opened', () => {
  test('reject all who wait with ConnectError, and are tried again with pauses', async () => {
    await using clients = createPool(deadServer, { connectTimeout: 50, max: 3 });
    const errors = await Promise.all([clients.acquire(), clients.acquire()].map((each) => failureOf(each)));
    for (const error of errors) expect(error).toBeInstanceOf(ConnectError);
    expect((errors[0] as ConnectError).attempts.map(({ server }) => server)).toEqual([deadServer]);
    expect(clients.pending).toBe(0);
    expect(await failureOf(clients.acquire())).toBeInstanceOf(ConnectError);
  });

  test('with failFast, give up when every server was tried, long before connectTimeout', async () => {
    await using clients = createPool(deadServer, { connectTimeout: 3_600_000, failFast: true });
    expect(await failureOf(clients.acquire())).toBeInstanceOf(ConnectError);
  });

  test('reject with AuthFailedError when the credentials are refused', async () => {
    await using clients = pool({ auth: [{ scheme: 'no-such-scheme', auth: 'x' }] });
    expect(await failureOf(clients.acquire())).toBeInstanceOf(AuthFailedError);
  });

  test('do not keep the pool from being closed', async () => {
    const clients = createPool(deadServer, { min: 2 });
    const waiting = failureOf(clients.acquire());
    await clients.close();
    expect(await waiting).toBeInstanceOf(ClosedError);
    expect(clients.size).toBe(0);
  });
});

describe('closing', () => {
  test('waits for what is lent, and closes all sessions', async () => {
    const clients = pool({ min: 1, max: 2 });
    const lent = await clients.acquire();
    const { path } = await lent.zk.create('/held-', null, { mode: 'ephemeralSequential' });
    const closed = gate();
    const closing = clients.close({ timeout: 20_000 }).then(() => closed.open());
    expect(await failureOf(clients.acquire())).toBeInstanceOf(ClosedError);
    expect(await lent.zk.has(path)).toBe(true);
    await isGoneAfter(path, async () => {
      await lent.release();
      await closing;
    });
    await closed.promise;
    expect([clients.size, clients.available, clients.borrowed]).toEqual([0, 0, 0]);
  });

  test('sends away those who wait', async () => {
    const clients = pool({ max: 1 });
    const lent = await clients.acquire();
    const waiting = failureOf(clients.acquire());
    const closing = clients.close();
    expect(await waiting).toBeInstanceOf(ClosedError);
    await lent.release();
    await closing;
  });

  test('takes away, at the end of its timeout, what is not given back', async () => {
    const clients = pool();
    const lent = await clients.acquire();
    await lent.zk.create('/kept', null, { mode: 'ephemeral' });
    await isGoneAfter('/kept', () => clients.close({ timeout: 0 }));
    expect(await failureOf(lent.zk.has('/'))).toBeInstanceOf(ClosedError);
    await lent.release();
    await lent[Symbol.asyncDispose]();
    await clients.close();
  });

  test('while sessions are being opened', async () => {
    const clients = pool({ min: 3, max: 3 });
    const waiting = failureOf(clients.acquire());
    await clients.close();
    expect(await waiting).toBeInstanceOf(ClosedError);
    expect([clients.size, clients.available]).toEqual([0, 0]);
  });
});

describe('bad input is refused at once:', () => {
  const bad = { noSuchOption: 1 } as PoolOptions;
  test.each<[string, PoolOptions, string]>([
    ['min above max', { min: 3, max: 2 }, 'min is 3, more than max (2)'],
    ['no whole number', { max: 1.5 }, 'the option max is 1.5'],
    ['none at all', { max: 0 }, 'a whole number from 1'],
    ['an unknown name', bad, 'noSuchOption'],
    ['an option of clients out of range', { sessionTimeout: -1 }, 'sessionTimeout'],
    ['a session to attach to', { session: { id: '0x1', password: '' } } as PoolOptions, 'session'],
    ['keepSession', { keepSession: true } as PoolOptions, 'keepSession'],
    ['renewSession', { renewSession: false } as PoolOptions, 'renewSession'],
  ])('%s', (_, options, message) => {
    expect(() => pool(options)).toThrow(InvalidArgumentError);
    expect(() => pool(options)).toThrow(message);
  });

  test('the connection string', () => {
    expect(() => createPool('')).toThrow(InvalidConnectStringError);
    expect(() => createPool('zk', { failFast: 1 } as unknown as PoolOptions)).toThrow('failFast');
    // What connect() would refuse is refused at once, and not tried for ever.
    expect(() => createPool('dns-srv://zk', { followReconfig: true })).toThrow(InvalidArgumentError);
  });

  test('limits of a wait', async () => {
    await using clients = pool();
    expect(await failureOf(clients.acquire({ timeout: -1 }))).toBeInstanceOf(InvalidArgumentError);
    expect(await failureOf(clients.acquire({ timout: 1 } as object))).toBeInstanceOf(InvalidArgumentError);
    expect(await failureOf(clients.close({ timeout: NaN }))).toBeInstanceOf(InvalidArgumentError);
  });
});
