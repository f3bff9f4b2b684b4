import { describe, expect, it, test } from '@jest/globals';
import { SessionExpiredError } from 'zookit';
import { until } from '../support/until.js';
import { expiredResponse, reply, startWireServer } from '../support/wire-server.js';
import { EventLog, failureOf, startRig, openTo, connectTo, SHORT } from './rig.js';

describe('A3: a session whose client was held back past the timeout', () => {
  it('is told of in order: suspended, lost, expired, connected with a new id', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const { zk, events } = rig;
    const { id } = zk.session;
    await rig.outlive();
    expect(events.types).toEqual(['suspended', 'lost']);
    expect(zk.state).toBe('suspended');
    await rig.relink();
    expect(events.types).toEqual(['suspended', 'lost', 'expired', 'connected']);
    const [suspended, lost, expired, connected] = events.all;
    expect([suspended, lost, expired].map((event) => event?.sessionId)).toEqual([id, id, id]);
    expect(connected).toMatchObject({ resumed: false, previousSessionId: id, sessionId: zk.session.id });
    expect(zk.session.id).not.toEqual(id);
    expect(await zk.exists('/')).not.toBeNull();
  });

  it('takes its leases, and a lease of the new session is a new one', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const lease = rig.zk.lease();
    await rig.outlive();
    expect([lease.held, lease.signal.aborted]).toEqual([false, true]);
    await rig.relink();
    expect([lease.held, rig.zk.lease().held]).toEqual([false, true]);
  });

  it('ends the client with renewSession: false', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT, renewSession: false });
    const { zk, events } = rig;
    await rig.outlive();
    const waiting = zk.ready();
    await rig.restore();
    await events.first('expired');
    expect(events.types).toEqual(['suspended', 'lost', 'expired']);
    expect(zk.state).toBe('expired');
    for (const promise of [waiting, zk.ready(), zk.exists('/'), zk.create('/x'), zk.addAuth('digest', 'a:b')])
      expect(await failureOf(promise)).toBeInstanceOf(SessionExpiredError);
    await until(() => rig.proxy.connections === 0, { what: 'the last connection to end' });
    expect([zk.lease().held, zk.session.remaining <= 0]).toEqual([false, true]);
  });
});

test('A4: a server that hands out another session id than the one asked for has let the session expire', async () => {
  await using server = await startWireServer();
  await using zk = await connectTo(server.connectString);
  const events = new EventLog(zk);
  const lease = zk.lease();
  const first = await server.connection();
  const { id } = zk.session;
  server.handshake = ({ sessionId }) => ({ sessionId: sessionId === 0n ? 77n : 66n });
  first.reset();
  await events.first('connected');
  const [, second, third] = [first, await server.connection(), await server.connection()];
  expect(events.types).toEqual(['suspended', 'expired', 'connected']);
  expect(second.connectRequest.sessionId).toBe(BigInt(id.toString()));
  expect(third.connectRequest).toMatchObject({ sessionId: 0n, password: Buffer.alloc(16) });
  expect([zk.session.id.toString(), lease.held]).toEqual(['77', false]);
  await second.closed;
});

test('A6: the answer "expired" does not change what is asked of the next server', async () => {
  await using server = await startWireServer();
  await using zk = await connectTo(server.connectString, { sessionTimeout: 2_345 });
  const events = new EventLog(zk);
  const first = await server.connection();
  server.handshake = ({ sessionId }) => (sessionId === 0n ? {} : expiredResponse());
  first.reset();
  await events.first('connected');
  await server.connection();
  const { connectRequest } = await server.connection();
  expect(connectRequest).toMatchObject({ sessionId: 0n, timeout: 2_345 });
  expect(events.types).toEqual(['suspended', 'expired', 'connected']);
  expect(zk.session.timeout).toBe(2_345);
});

test('a server that has no session for a new client is one more failed attempt, and nothing expires', async () => {
  await using server = await startWireServer({
    handshake: (_, connection) => (connection <= 2 ? expiredResponse() : {}),
  });
  await using zk = openTo(server.connectString, { renewSession: false });
  const events = new EventLog(zk);
  await zk.ready({ timeout: 5_000 });
  expect(events.types).toEqual(['connected']);
});

test('an answer "session expired" to a request ends the session and all that waits for it', async () => {
  await using server = await startWireServer();
  await using zk = await connectTo(server.connectString);
  const events = new EventLog(zk);
  const outcomes = [zk.getData('/a'), zk.create('/b'), zk.getData('/c')].map(failureOf<SessionExpiredError>);
  const request = await server.frame();
  request.connection.send(reply(request, { err: -112 }));
  const failures = await Promise.all(outcomes);
  expect(failures.map(({ code, mayHaveBeenApplied }) => [code, mayHaveBeenApplied])).toEqual([
    ['SESSION_EXPIRED', false],
    ['SESSION_EXPIRED', true],
    ['SESSION_EXPIRED', false],
  ]);
  await events.first('connected');
  expect(events.types).toEqual(['expired', 'connected']);
});

test('a session that expired while its server was starting has expired, and the server has lost no data', async () => {
  await using server = await startWireServer();
  await using zk = await connectTo(server.connectString);
  const events = new EventLog(zk);
  const read = zk.exists('/node');
  const request = await server.frame();
  request.connection.send(reply(request, { zxid: 100n, err: -101 }));
  await read;
  const first = await server.connection();
  // At first it does not serve, which looks like a refusal; then it knows no session, whatever zxid it is told.
  const asked: bigint[] = [];
  server.handshake = ({ sessionId, lastZxidSeen }) => {
    asked.push(lastZxidSeen);
    return asked.length <= 2 ? 'close' : sessionId === 0n ? {} : expiredResponse();
  };
  first.reset();
  await events.first('connected');
  expect(events.types).toEqual(['suspended', 'expired', 'connected']);
  expect(asked.at(-1)).toBe(100n);
});
