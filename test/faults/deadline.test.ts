import { afterAll, beforeAll, describe, expect, it, test } from '@jest/globals';
import { HoldUps } from '../support/hold-ups.js';
import { until } from '../support/until.js';
import { startWireServer } from '../support/wire-server.js';
import { startServer, type ZooKeeperServer } from '../support/zookeeper.js';
import { EventLog, op, startRig, connectTo } from './rig.js';

/** How much later a timer may run, ms, beside the time for which this process was held up. */
const SLACK = 250;

describe('A2: a server that is cut off for good', () => {
  it('suspends within 2/3 of the timeout, and loses no later than the timeout after the last answered request', async () => {
    await using rig = await startRig({ sessionTimeout: 1_500 });
    const { zk, events, proxy } = rig;
    using heldUp = new HoldUps();
    const { timeout } = zk.session;
    const sent = performance.now();
    await zk.exists('/');
    proxy.cut();
    const cut = performance.now();
    await events.first('lost');
    expect(events.types).toEqual(['suspended', 'lost']);
    expect(events.timeOf('suspended')).toBeLessThanOrEqual(cut + (2 / 3) * timeout + 200 + SLACK + heldUp.total);
    expect(events.timeOf('lost')).toBeLessThanOrEqual(sent + timeout + (cut - sent) + SLACK + heldUp.total);
    expect(events.timeOf('lost')).toBeGreaterThanOrEqual(sent + timeout);
    expect(zk.session.remaining).toBeLessThanOrEqual(0);
    expect(zk.state).toBe('suspended');
  });

  it('takes a lease before the deadline, by its margin, and never gives it back', async () => {
    await using rig = await startRig({ sessionTimeout: 4_500 });
    const { zk, proxy, events } = rig;
    const standard = zk.lease();
    const early = zk.lease({ margin: 3_000 });
    const strict = zk.lease({ loseOn: 'suspended' });
    const remainingAt = new Map<string, number>();
    for (const [name, { signal }] of Object.entries({ standard, early, strict }))
      signal.addEventListener('abort', () => remainingAt.set(name, zk.session.remaining));
    proxy.cutToClient();
    await events.first('suspended');
    expect([early.held, strict.held, standard.held]).toEqual([false, false, true]);
    await until(() => !standard.held, { what: 'the lease to be lost' });
    expect(zk.session.remaining).toBeGreaterThan(0);
    // Requests went on to the server all the time: the session lives, and the leases are lost for good.
    proxy.heal({ deliver: false });
    await events.first('connected');
    expect(events.types).not.toContain('expired');
    expect([early.held, strict.held, standard.held]).toEqual([false, false, false]);
    expect(zk.lease().held).toBe(true);
    expect([...remainingAt.keys()]).toEqual(['early', 'strict', 'standard']);
    expect(remainingAt.get('standard')).toBeGreaterThan(0);
    expect(standard.signal.reason).toMatchObject({ code: 'LEASE_LOST' });
  });
});

test('the deadline counts from the sending of the request, not from its answer', async () => {
  await using rig = await startRig({ sessionTimeout: 4_000 });
  const { zk, proxy } = rig;
  proxy.holdReplies();
  const sent = performance.now();
  const answered = zk.exists('/');
  await until(() => performance.now() - sent > 300, { what: 'the answer to be late' });
  proxy.releaseReplies();
  await answered;
  expect(zk.session.remaining).toBeLessThanOrEqual(zk.session.timeout - 300);
});

describe('A5: a server that grants less than was asked for', () => {
  let server: ZooKeeperServer;

  beforeAll(async () => {
    server = await startServer({ maxSessionTimeout: 2_000 });
  });

  afterAll(() => server.close());

  it('sets the pace of pings and of the deadline', async () => {
    await using rig = await startRig({ server, sessionTimeout: 30_000 });
    const { zk, proxy, events } = rig;
    expect(zk.session.timeout).toBe(2_000);
    using heldUp = new HoldUps();
    const pings: number[] = [performance.now()];
    proxy.onRequest(({ opCode }) => opCode === op.ping && pings.push(performance.now()));
    await until(() => pings.length > 3, { what: 'three pings' });
    const gaps = pings.slice(1).map((time, index) => time - (pings[index] ?? 0));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(2_000 / 3 + SLACK + heldUp.total);
    proxy.cut();
    const cut = performance.now();
    await events.first('lost');
    expect(performance.now() - cut).toBeLessThanOrEqual(2_000 + SLACK + heldUp.total);
  });
});

test('a shorter timeout that is granted at a reconnect moves the deadline at once', async () => {
  await using server = await startWireServer({ handshake: { timeout: 30_000 } });
  await using zk = await connectTo(server.connectString, { sessionTimeout: 30_000 });
  const events = new EventLog(zk);
  const first = await server.connection();
  server.handshake = (_, connection) => (connection === 2 ? { timeout: 900 } : 'silence');
  first.reset();
  await events.first('connected');
  const granted = performance.now();
  using heldUp = new HoldUps();
  (await server.connection()).reset();
  await events.first('lost', 5_000);
  expect(performance.now() - granted).toBeLessThanOrEqual(900 + SLACK + heldUp.total);
});

test('a server that does not answer is given up in time for the session to be saved by another', async () => {
  // Asked for is far more than is granted, and what is granted counts.
  await using one = await startWireServer({ handshake: { timeout: 6_000 } });
  await using other = await startWireServer({ handshake: { timeout: 6_000 } });
  await using zk = await connectTo(`${one.connectString},${other.connectString}`, { sessionTimeout: 30_000 });
  const events = new EventLog(zk);
  const [used, unused] = zk.session.server === one.connectString ? [one, other] : [other, one];
  unused.handshake = 'silence';
  (await used.connection()).reset();
  await events.first('connected');
  expect(events.types).toEqual(['suspended', 'connected']);
  expect([used.totalConnections, unused.totalConnections]).toEqual([2, 1]);
});

test('a single server that does not answer at once is asked again before the session is over', async () => {
  await using server = await startWireServer({
    handshake: (_, connection) => (connection === 2 ? 'silence' : { timeout: 6_000 }),
  });
  await using zk = await connectTo(server.connectString, { sessionTimeout: 6_000 });
  const events = new EventLog(zk);
  (await server.connection()).reset();
  await events.first('connected');
  expect(events.types).toEqual(['suspended', 'connected']);
});
