import { describe, expect, it, test } from '@jest/globals';
import { acl, AuthFailedError, ZooKeeper } from 'zookit';
import { frame, int, long, reply, startWireServer, type WireServer } from '../support/wire-server.js';
import { until } from '../support/until.js';
import { EventLog, failureOf, op, Seen, startRig, openTo, SHORT } from './rig.js';

const alice = { scheme: 'digest', auth: 'alice:secret' };
const bob = { scheme: 'digest', auth: 'bob:secret' };

const accepted = frame(int(-4), long(0), int(0));
const refused = frame(int(-4), long(0), int(-115));

describe('R3: credentials', () => {
  it('are sent on every connection before anything else: watches, waiting operations, repeated reads', async () => {
    await using rig = await startRig({ auth: [alice] });
    const { zk, proxy } = rig;
    await zk.addAuth(bob.scheme, bob.auth);
    await zk.create('/private', 'x', { acl: acl.creatorAll });
    await zk.getData('/private', { watch: new Seen().tell });
    await rig.unlink();
    const waiting = [zk.getData('/private'), zk.setData('/private', 'y')];
    await rig.relink();
    await Promise.all(waiting);
    expect(rig.newestOpCodes).toEqual([op.connect, op.auth, op.auth, op.setWatches, op.getData, op.setData]);
    const sent = proxy.requests.filter(({ opCode }) => opCode === op.auth).map(({ body }) => body.toString());
    expect(sent.map((text) => /alice|bob/.exec(text)?.[0])).toEqual(['alice', 'bob', 'alice', 'bob']);
  });

  it('are kept for the session after an expiry', async () => {
    await using rig = await startRig({ sessionTimeout: SHORT, auth: [alice] });
    await rig.zk.create('/private', 'x', { acl: acl.creatorAll });
    await rig.outlive();
    await rig.relink();
    expect((await rig.zk.getData('/private')).text()).toBe('x');
    expect(rig.newestOpCodes.slice(0, 2)).toEqual([op.connect, op.auth]);
  });

  it('that are added twice are sent once', async () => {
    await using rig = await startRig();
    await rig.zk.addAuth(alice.scheme, alice.auth);
    await rig.zk.addAuth(alice.scheme, alice.auth);
    await rig.reconnect();
    expect(rig.newestOpCodes).toEqual([op.connect, op.auth]);
  });

  it('that are added while suspended are accepted after the reconnect', async () => {
    await using rig = await startRig();
    await rig.unlink();
    const added = rig.zk.addAuth(alice.scheme, alice.auth);
    await rig.relink();
    await added;
    await rig.zk.create('/private', 'x', { acl: acl.creatorAll });
  });
});

/** The op code of the next frame; an auth packet is answered with `answer`. */
async function answerAuth(server: WireServer, answer: Buffer): Promise<string> {
  const { connection, opCode, body } = await server.frame();
  if (opCode !== op.auth) return `op code ${opCode}`;
  connection.send(answer);
  return /alice|bob/.exec(body.toString())?.[0] ?? 'nobody';
}

describe('while the credentials of a connection are on their way', () => {
  it('nothing else is sent', async () => {
    await using server = await startWireServer();
    await using zk = openTo(server.connectString, { auth: [alice, bob] });
    const waiting = zk.exists('/node');
    const first = await server.frame();
    const second = await server.frame();
    expect([first.opCode, second.opCode, zk.state]).toEqual([op.auth, op.auth, 'connecting']);
    first.connection.send(accepted);
    expect(zk.state).toBe('connecting');
    first.connection.send(accepted);
    const third = await server.frame();
    expect(third.opCode).toBe(op.exists);
    third.connection.send(reply(third, { err: -101 }));
    expect(await waiting).toBeNull();
  });

  it('others that are added are sent, too, before they count as accepted', async () => {
    await using server = await startWireServer();
    await using zk = openTo(server.connectString, { auth: [alice] });
    const first = await server.frame();
    const added = zk.addAuth(bob.scheme, bob.auth);
    first.connection.send(accepted);
    expect(await answerAuth(server, accepted)).toBe('bob');
    await added;
  });

  it('a connection that drops is a connection that dropped, no refusal: the next one is tried', async () => {
    await using server = await startWireServer();
    await using zk = openTo(server.connectString, { auth: [alice] });
    (await server.frame()).connection.reset();
    expect(await answerAuth(server, accepted)).toBe('alice');
    await zk.ready();
    expect(zk.state).toBe('connected');
  });

  it('a refusal is the end', async () => {
    await using server = await startWireServer();
    const connecting = ZooKeeper.connect(server.connectString, { auth: [alice] });
    const failure = failureOf(connecting);
    expect(await answerAuth(server, refused)).toBe('alice');
    expect(await failure).toBeInstanceOf(AuthFailedError);
    await until(() => server.openConnections === 0, { what: 'the connection to end' });
    expect(server.totalConnections).toBe(1);
  });
});

test('a real server refuses a scheme that it does not know: the client ends, and says so to everybody', async () => {
  await using rig = await startRig();
  const { zk, events, proxy } = rig;
  const seen = new Seen();
  await zk.exists('/other', { watch: seen.tell });
  expect(await failureOf(zk.addAuth('no-such-scheme', 'x'))).toBeInstanceOf(AuthFailedError);
  await events.first('authFailed');
  expect([zk.state, events.types]).toEqual(['authFailed', ['authFailed']]);
  expect(seen.all).toEqual(['ended authFailed']);
  expect(await failureOf(zk.exists('/'))).toMatchObject({ code: 'AUTH_FAILED', mayHaveBeenApplied: false });
  expect(await failureOf(zk.ready())).toBeInstanceOf(AuthFailedError);
  await until(() => proxy.connections === 0, { what: 'the connection to end' });
  expect(proxy.totalConnections).toBe(1);
});

test('credentials that a server refuses at a reconnect end the client', async () => {
  await using server = await startWireServer();
  const opening = ZooKeeper.connect(server.connectString, { auth: [alice] });
  await answerAuth(server, accepted);
  await using zk = await opening;
  const events = new EventLog(zk);
  (await server.connection()).reset();
  await events.first('suspended');
  const waiting = failureOf(zk.create('/node'));
  await answerAuth(server, refused);
  expect(await waiting).toMatchObject({ code: 'AUTH_FAILED', mayHaveBeenApplied: false });
  await events.first('authFailed');
  expect(events.types).toEqual(['suspended', 'authFailed']);
});
