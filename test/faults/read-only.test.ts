/** Servers that are cut off from their quorum and answer reads all the same. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ConnectError, ConnectionLossError, NotReadOnlyError, type SessionEvent, ZooKeeper } from 'zookit';
import { Mutex } from 'zookit/recipes';
import { gate, until } from '../support/until.js';
import { type Ensemble, startEnsemble, type ZooKeeperServer } from '../support/zookeeper.js';

let ensemble: Ensemble;
/** The one that stays when the others go. */
let last: ZooKeeperServer;
let others: readonly ZooKeeperServer[];

beforeAll(async () => {
  ensemble = await startEnsemble(3, {
    systemProperties: { 'readonlymode.enabled': true },
    // Without local sessions a read-only server opens none.
    config: { localSessionsEnabled: true, localSessionsUpgradingEnabled: true },
  });
  const [one, two, three] = ensemble.servers;
  if (one === undefined || two === undefined || three === undefined) throw new Error('there are not three servers');
  [last, others] = [three, [one, two]];
}, 60_000);
afterAll(() => ensemble.close());

const options = { readOnly: true, sessionTimeout: 30_000 } as const;

/** A client of all servers, and what it tells. */
async function connect(more: object = {}): Promise<{ zk: ZooKeeper; events: SessionEvent[] }> {
  const zk = await ZooKeeper.connect(ensemble.connectString, { ...options, ...more });
  const events: SessionEvent[] = [];
  zk.on('session', (event) => {
    // A busy machine holds up this process at times, which is no event of the test.
    if (event.type !== 'stalled') events.push(event);
  });
  return { zk, events };
}

function inState(zk: ZooKeeper, state: string): Promise<unknown> {
  return until(() => zk.state === state, { what: `the state ${state}`, timeout: 25_000 });
}

async function loseQuorum(): Promise<void> {
  await Promise.all(others.map((server) => server.stop()));
}

test('a session lives on beside a read-only server, and moves to a writable one', async () => {
  const { zk, events } = await connect();
  await using _ = zk;
  await zk.create('/kept', 'first');
  // With an ephemeral znode all servers know the session.
  await zk.create('/kept-ephemeral', null, { mode: 'ephemeral' });
  const id = zk.session.toString();
  const changed = gate<string>();
  const lease = zk.lease();

  await loseQuorum();
  await inState(zk, 'readonly');
  expect(zk.session.server).toBe(last.connectString);
  expect(zk.session.toString()).toBe(id);
  expect((await zk.getData('/kept', { watch: ({ type }) => changed.open(type) })).text()).toBe('first');
  expect(await zk.getChildren('/')).toContain('kept-ephemeral');
  const refused = await zk.setData('/kept', 'second').catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(NotReadOnlyError);
  expect(refused).toMatchObject({ path: '/kept', operation: 'setData' });
  await expect(zk.transaction().delete('/kept').commit()).rejects.toBeInstanceOf(NotReadOnlyError);
  // Answers of such a server do not keep the session alive.
  const before = zk.session.remaining;
  await zk.exists('/kept');
  expect(zk.session.remaining).toBeLessThan(before);
  expect(lease.held).toBe(true);

  const mutex = new Mutex(zk, '/lock');
  const acquired = mutex.acquire();
  await ensemble.start();
  await inState(zk, 'connected');
  expect(zk.session.toString()).toBe(id);
  await zk.setData('/kept', 'second');
  expect(await changed.promise).toBe('dataChanged');
  await using lock = await acquired;
  expect(lock.held).toBe(true);
  expect((await zk.exists('/kept-ephemeral'))?.ephemeralOwner.equals(zk.session.id)).toBe(true);
  const told = events.map(({ type }) => type);
  expect(told.filter((type, index) => type !== told[index - 1])).toEqual(
    expect.arrayContaining(['suspended', 'readonly', 'connected']),
  );
  expect(told).not.toContain('expired');
  expect(events.at(-1)).toMatchObject({ type: 'connected', resumed: true });
}, 90_000);

describe('without a quorum', () => {
  beforeAll(loseQuorum, 30_000);

  test('a new client is read-only, and gets a session when a quorum is back', async () => {
    await until(async () => (await last.fourLetter('srvr')).includes('Mode: read-only'), {
      what: 'a read-only server',
    });
    await expect(ZooKeeper.connect(last.connectString, { connectTimeout: 1_000 })).rejects.toBeInstanceOf(ConnectError);
    const { zk, events } = await connect();
    await using _ = zk;
    expect(zk.state).toBe('readonly');
    const madeUp = zk.session.toString();
    expect((await zk.getData('/kept')).text()).toBe('second');
    expect(zk.session.remaining).toBe(-Infinity);
    expect(zk.lease().held).toBe(false);
    await expect(zk.create('/a', null)).rejects.toBeInstanceOf(NotReadOnlyError);
    const changed = gate<string>();
    await using watcher = await zk.addWatch('/kept', { onEvent: ({ type }) => changed.open(type) });
    expect(watcher.path).toBe('/kept');

    // Two that close while there is nobody who could end their sessions.
    const closing = await connect();
    await closing.zk.close({ timeout: 60_000 });
    const waiting = await connect({ sessionTimeout: 4_000 });
    await using _waiting = waiting.zk;

    await ensemble.start();
    await inState(zk, 'connected');
    await inState(waiting.zk, 'connected');
    expect(zk.session.toString()).not.toBe(madeUp);
    expect(zk.session.remaining).toBeGreaterThan(0);
    expect(events.at(-1)).toMatchObject({ type: 'connected', resumed: false, previousSessionId: undefined });
    expect(events.map(({ type }) => type)).not.toContain('expired');
    // Its session is short, and the servers are busy with their start.
    await waiting.zk.setData('/kept', 'third', -1, { retry: true });
    expect(['dataChanged', 'resync']).toContain(await changed.promise);
  }, 90_000);
});

test('what is held is lost when its time is over, read-only servers or not', async () => {
  const { zk, events } = await connect({ sessionTimeout: 4_000 });
  await using _ = zk;
  await zk.create('/held', null, { mode: 'ephemeral' });
  const lease = zk.lease();

  await loseQuorum();
  await until(() => zk.state !== 'connected', { what: 'the last server to notice' });
  // What waited rejects, too; the last server may be found once more before it has noticed.
  const isRetryable = (error: unknown): boolean => error instanceof ConnectionLossError;
  await expect(zk.retry(() => zk.create('/queued'), { isRetryable })).rejects.toBeInstanceOf(NotReadOnlyError);
  await inState(zk, 'readonly');
  await until(() => events.some(({ type }) => type === 'lost'), { what: 'the session to be lost' });
  expect(lease.held).toBe(false);
  expect(lease.signal.aborted).toBe(true);
  expect(zk.state).toBe('readonly');
  expect(await zk.has('/held')).toBe(true);
  const id = zk.session.toString();

  await ensemble.start();
  await inState(zk, 'connected');
  // The servers counted anew from their election on: the session may have survived, the lease has not.
  expect(lease.held).toBe(false);
  const expired = events.some(({ type }) => type === 'expired');
  expect(zk.session.toString() === id).toBe(!expired);
}, 90_000);
