/** The pool when connections are lost, sessions expire, servers restart, and processes sleep. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import {
  admin,
  ConnectError,
  createPool,
  OperationTimeoutError,
  type Pool,
  SessionExpiredError,
  ZooKeeper,
} from 'zookit';
import { type Proxy, startProxy } from '../support/proxy.js';
import { sharedServer, useChroot } from '../support/shared.js';
import { until } from '../support/until.js';
import { startServer } from '../support/zookeeper.js';
import { failureOf, SHORT } from './rig.js';

const chroot = useChroot();
let observer: ZooKeeper;

beforeAll(async () => {
  observer = await ZooKeeper.connect(sharedServer().connectString + chroot);
  await observer.ensurePath('/');
});

afterAll(async () => {
  await observer.unrooted().deleteTree(chroot);
  await observer.close();
});

const idOf = (zk: ZooKeeper): string => zk.session.toString();

/** Cuts the link until the server has ended the session that owns the znode. */
async function outlive(proxy: Proxy, path: string): Promise<void> {
  proxy.cut();
  proxy.resetAll();
  await until(async () => !(await observer.has(path)), { what: 'the server to end the session', timeout: 30_000 });
  proxy.heal({ deliver: false });
}

test('a session that expires while it is lent: the borrower is told, and the next one gets another session', async () => {
  await using proxy = await startProxy(sharedServer());
  await using pool = createPool(proxy.connectString + chroot, { sessionTimeout: SHORT, max: 1 });
  const lent = await pool.acquire();
  const id = idOf(lent.zk);
  const told: string[] = [];
  lent.zk.on('session', ({ type }) => told.push(type));
  const lease = lent.zk.lease();
  const { path } = await lent.zk.create('/lent-', null, { mode: 'ephemeralSequential' });
  await outlive(proxy, path);

  // The loan is of this session: nothing passes over to the next one.
  expect(await failureOf(lent.zk.has('/'))).toBeInstanceOf(SessionExpiredError);
  expect(await failureOf(lent.zk.ready())).toBeInstanceOf(SessionExpiredError);
  expect(lease.held).toBe(false);
  expect(idOf(lent.zk)).toBe(id);
  expect(lent.zk.state).toBe('expired');
  expect(told.at(-1)).toBe('expired');
  expect(told.filter((type) => type === 'connected')).toEqual([]);
  await lent.release();

  await pool.use(async (zk) => {
    expect(idOf(zk)).not.toBe(id);
    expect(await zk.has('/')).toBe(true);
  });
  expect(pool.size).toBe(1);
});

test('a session that expires unused is replaced in the background', async () => {
  await using proxy = await startProxy(sharedServer());
  await using pool = createPool(proxy.connectString + chroot, { sessionTimeout: SHORT });
  const { path } = await pool.use((zk) => zk.create('/marker-', null, { mode: 'ephemeralSequential' }));
  expect(await observer.has(path)).toBe(false);
  const id = await pool.use(idOf);
  const opened = proxy.requests.length;
  proxy.cut();
  proxy.resetAll();
  await until(async () => !(await isAlive(id)), { what: 'the server to end the session', timeout: 30_000 });
  proxy.heal({ deliver: false });
  await until(() => proxy.requests.length > opened, { what: 'a connection that nobody has asked for' });
  expect(await pool.use(idOf)).not.toBe(id);
});

/** Whether the shared server knows the session. */
async function isAlive(id: string): Promise<boolean> {
  const { sessions } = await admin(sharedServer().connectString).dump();
  return sessions.some((session) => `0x${session.id.toUnsigned().toString(16)}` === id);
}

test('a server that restarts: those who wait get a client when it is back', async () => {
  await using server = await startServer();
  await using pool = createPool(server.connectString, { max: 2, sessionTimeout: 60_000 });
  const ids = await bothIds(pool);
  await server.kill();
  const waiting = [pool.acquire(), pool.acquire(), pool.acquire()];
  await server.start();
  const lent = await Promise.all(waiting.slice(0, 2));
  for (const { zk } of lent) expect(await zk.has('/')).toBe(true);
  await Promise.all(lent.map((each) => each.release()));
  await (await waiting[2])?.release();
  expect(pool.size).toBe(2);
  // The sessions have outlived the restart; they were not thrown away for having lost a connection.
  expect(await bothIds(pool)).toEqual(ids);
});

async function bothIds(pool: Pool): Promise<string[]> {
  const lent = await Promise.all([pool.acquire(), pool.acquire()]);
  const ids = lent.map(({ zk }) => idOf(zk)).sort();
  await Promise.all(lent.map((each) => each.release()));
  return ids;
}

test('while one client has lost its connection, another is lent', async () => {
  await using proxy = await startProxy(sharedServer());
  await using pool = createPool(`${proxy.connectString}${chroot}`, { max: 2, sessionTimeout: 20_000 });
  const [first, second] = await Promise.all([pool.acquire(), pool.acquire()]);
  // Only the first one's connection is lost: no new one gets an answer.
  const id = idOf(second.zk);
  const { zk } = first;
  proxy.refuse();
  const lost = until(() => zk.state === 'suspended', { what: 'the connection to be lost' });
  const swallowed = proxy.swallowNextRequest(({ opCode }) => opCode === 3);
  void zk.has('/').catch(() => undefined);
  await swallowed;
  await lost;
  await second.release();
  await first.release();
  // The first one was given back last, and would be lent first.
  const lent = await pool.acquire({ timeout: 20_000 });
  expect(idOf(lent.zk)).toBe(id);
  await lent.release();
  await proxy.accept();
});

test('when nothing can be reached, those who wait are told what each server said', async () => {
  await using proxy = await startProxy(sharedServer());
  await using pool = createPool(proxy.connectString + chroot, { max: 2, sessionTimeout: 20_000, connectTimeout: 300 });
  const lent = await until(() => pool.acquire(), { what: 'a client' });
  const { zk } = lent;
  proxy.refuse();
  proxy.resetAll();
  await until(() => zk.state === 'suspended', { what: 'the connection to be lost' });
  await lent.release();
  const error = await failureOf(pool.acquire());
  expect(error).toBeInstanceOf(ConnectError);
  expect((error as ConnectError).attempts.map(({ server }) => server)).toEqual([proxy.connectString]);
  await proxy.accept();
  expect(await until(() => pool.use((zk) => zk.has('/')), { what: 'a client' })).toBe(true);
});

test('a wait that times out names the last failure to open a session', async () => {
  await using proxy = await startProxy(sharedServer());
  await using pool = createPool(proxy.connectString + chroot, { max: 2, sessionTimeout: 20_000, connectTimeout: 50 });
  // A loaded machine may need longer for a session, once.
  await using _lent = await until(() => pool.acquire(), { what: 'a client' });
  proxy.refuse();
  const error = await failureOf<OperationTimeoutError>(pool.acquire({ timeout: 1_000 }));
  expect(error).toBeInstanceOf(OperationTimeoutError);
  expect(error.cause).toBeInstanceOf(ConnectError);
  await proxy.accept();
});

test('closing is bounded when servers do not answer', async () => {
  await using proxy = await startProxy(sharedServer());
  const pool = createPool(proxy.connectString + chroot, { min: 2, max: 2, sessionTimeout: 20_000 });
  await using lent = await pool.acquire();
  await until(() => pool.available === 1, { what: 'the second session' });
  proxy.cut();
  await pool.close({ timeout: 50 });
  expect([pool.size, pool.borrowed]).toEqual([0, 0]);
  expect(lent.zk.toString).toThrow();
});
