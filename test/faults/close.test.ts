import { describe, expect, it, test } from '@jest/globals';
import { ClosedError, InvalidArgumentError, ZooKeeper } from 'zookit';
import { frame, int, long, startWireServer } from '../support/wire-server.js';
import { until } from '../support/until.js';
import { connectTo, EventLog, failureOf, fence, op, openTo, startRig, SHORT } from './rig.js';

/** A busy machine may run a timer so much later, ms. Without its own time, `close()` would take longer than that. */
const SLACK = 1_000;

const closeFrames = (requests: readonly { opCode: number }[]): number =>
  requests.filter(({ opCode }) => opCode === op.close).length;

describe('close()', () => {
  it('P9: removes ephemeral znodes before it resolves', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    await rig.zk.create('/mine', null, { mode: 'ephemeral' });
    await rig.zk.close({ timeout: 20_000 });
    expect(await rig.observer.has('/mine')).toBe(false);
    await until(() => rig.proxy.connections === 0, { what: 'the connection to end' });
    expect(rig.events.types).toEqual(['closed']);
  });

  it('comes after what was asked for before: that is answered', async () => {
    await using rig = await startRig();
    const { zk, observer } = rig;
    const before = Array.from({ length: 100 }, (_, index) => zk.create(`/n${index}`));
    const closed = zk.close({ timeout: 20_000 });
    const after = failureOf(zk.create('/late'));
    await closed;
    expect((await Promise.all(before)).length).toBe(100);
    expect(await after).toMatchObject({ code: 'CLOSED', mayHaveBeenApplied: false });
    expect(await observer.getChildren('/')).toHaveLength(100);
  });

  it('twice is once: the second call waits for the same end', async () => {
    await using rig = await startRig();
    const { zk, proxy } = rig;
    await Promise.all([zk.close(), zk.close()]);
    await zk.close();
    expect(closeFrames(proxy.requests)).toBe(1);
    expect(rig.events.types).toEqual(['closed']);
    expect(await failureOf(zk.ready())).toBeInstanceOf(ClosedError);
    expect(await failureOf(zk.exists('/'))).toBeInstanceOf(ClosedError);
  });

  it('of a view is refused, and a view that is disposed leaves the client alone', async () => {
    await using rig = await startRig();
    const view = rig.zk.chroot('/part');
    expect(await failureOf(view.close())).toBeInstanceOf(InvalidArgumentError);
    await view[Symbol.asyncDispose]();
    expect(rig.zk.state).toBe('connected');
  });

  it('settles what waits for a connection, and what waits for ready()', async () => {
    await using rig = await startRig();
    const { zk } = rig;
    await rig.unlink();
    const failures = [zk.create('/a'), zk.getData('/'), zk.ready(), zk.addAuth('digest', 'a:b')].map(
      failureOf<ClosedError>,
    );
    const closed = zk.close({ timeout: 50 });
    for (const failure of await Promise.all(failures)) {
      expect(failure).toBeInstanceOf(ClosedError);
      expect(failure.mayHaveBeenApplied).toBe(false);
    }
    await closed;
  });
});

describe('close() while no server answers', () => {
  it('gives up after its time, and what is on the wire fails with an unknown outcome', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    const { zk, proxy } = rig;
    proxy.cut();
    const write = failureOf(zk.create('/a'));
    const read = failureOf(zk.exists('/'));
    const begin = performance.now();
    await zk.close({ timeout: 300 });
    const took = performance.now() - begin;
    expect(took).toBeGreaterThanOrEqual(299);
    expect(took).toBeLessThanOrEqual(300 + SLACK);
    expect(await write).toMatchObject({ code: 'CLOSED', mayHaveBeenApplied: true });
    expect(await read).toMatchObject({ code: 'CLOSED', mayHaveBeenApplied: false });
    proxy.heal({ deliver: false });
    await until(() => proxy.connections === 0, { what: 'the connection to end' });
  });

  it('takes no more than 1.5 s by default', async () => {
    await using server = await startWireServer();
    const zk = await ZooKeeper.connect(server.connectString);
    const begin = performance.now();
    await zk.close();
    expect(performance.now() - begin).toBeLessThanOrEqual(1_500 + SLACK);
    await until(() => server.openConnections === 0, { what: 'the connection to end' });
  });

  it('ends the session as soon as a server can be told, within its time', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    const { zk, proxy, observer } = rig;
    await zk.create('/mine', null, { mode: 'ephemeral' });
    await rig.unlink();
    const closed = zk.close({ timeout: 15_000 });
    expect(zk.state).toBe('closed');
    await proxy.accept();
    await closed;
    expect(await observer.has('/mine')).toBe(false);
    expect(rig.newestOpCodes).toEqual([op.connect, op.close]);
    expect(rig.events.types).toEqual(['suspended', 'closed']);
  });

  it('says goodbye again when the connection is lost over it', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    const { zk, proxy, observer } = rig;
    await zk.create('/mine', null, { mode: 'ephemeral' });
    const lost = proxy.swallowNextRequest(({ opCode }) => opCode === op.close);
    const closed = zk.close({ timeout: 15_000 });
    await lost;
    await closed;
    expect(await observer.has('/mine')).toBe(false);
    expect(closeFrames(proxy.requests)).toBe(2);
  });

  it('is done when the next server says that there is no such session', async () => {
    await using rig = await startRig({ sessionTimeout: 30_000 });
    const { zk, proxy } = rig;
    const lost = proxy.swallowNextReply(({ opCode }) => opCode === op.close);
    const closed = zk.close({ timeout: 15_000 });
    await lost;
    await closed;
    expect(closeFrames(proxy.requests)).toBe(1);
    expect(rig.events.types).toEqual(['closed']);
  });
});

test('close() while credentials are on their way ends the session on the same connection', async () => {
  await using server = await startWireServer();
  await using zk = openTo(server.connectString, { auth: [{ scheme: 'digest', auth: 'a:b' }] });
  const auth = await server.frame();
  const closed = zk.close();
  const farewell = await server.frame();
  expect([auth.opCode, farewell.opCode]).toEqual([op.auth, op.close]);
  auth.connection.send(frame(int(-4), long(0), int(0)), frame(int(farewell.xid), long(1), int(0)));
  await closed;
  expect(server.totalConnections).toBe(1);
});

describe('close({ keepSession: true })', () => {
  it('A8: leaves the session to a client that takes it over', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    const { zk, observer, connectString } = rig;
    await zk.create('/mine', null, { mode: 'ephemeral' });
    const session = zk.session.export();
    await zk.close({ keepSession: true });
    expect(closeFrames(rig.proxy.requests)).toBe(0);
    const heir = rig.add(await connectTo(connectString, { session, sessionTimeout: 10_000 }));
    expect(heir.session.toString()).toBe(session.id);
    expect((await observer.exists('/mine'))?.ephemeralOwner).toEqual(heir.session.id);
    await heir.close({ timeout: 20_000 });
    expect(await observer.has('/mine')).toBe(false);
  });

  it('resolves at once while there is no connection', async () => {
    await using rig = await startRig({ sessionTimeout: 10_000 });
    await rig.unlink();
    const begin = performance.now();
    await rig.zk.close({ keepSession: true, timeout: 20_000 });
    expect(performance.now() - begin).toBeLessThan(10_000);
  });
});

describe('P7: close() inside', () => {
  it('a watch callback, of which the other ones are told all the same', async () => {
    await using rig = await startRig();
    const { zk, observer } = rig;
    const told: string[] = [];
    let closed: Promise<void> | undefined;
    await zk.exists('/node', { watch: () => void (closed = zk.close()) });
    await zk.exists('/node', { watch: ({ type }) => told.push(type) });
    await observer.create('/node');
    await rig.events.first('closed');
    await closed;
    expect(told).toEqual(['created']);
    expect(zk.state).toBe('closed');
  });

  it.each(['suspended', 'connected', 'lost', 'expired'] as const)('a listener of %s', async (type) => {
    await using rig = await startRig({ sessionTimeout: SHORT });
    const { zk } = rig;
    let closed: Promise<void> | undefined;
    zk.on(type, () => void (closed = zk.close({ timeout: 300 })));
    if (type === 'suspended' || type === 'connected') rig.proxy.resetAll();
    else await rig.outlive();
    await rig.restore();
    await rig.events.first('closed');
    await closed;
    expect(rig.events.types.indexOf('closed')).toBeGreaterThanOrEqual(rig.events.types.indexOf(type));
    expect(rig.events.types.at(-1)).toBe('closed');
    expect(zk.state).toBe('closed');
    await until(() => rig.proxy.connections === 0, { what: 'the connection to end' });
  });

  it('the continuation of an operation', async () => {
    await using rig = await startRig();
    const { zk } = rig;
    const others = [zk.exists('/'), zk.exists('/').then(() => zk.close()), zk.exists('/')];
    await Promise.all(others);
    expect(await failureOf(fence(zk))).toBeInstanceOf(ClosedError);
  });
});

test('a wait for ready() that close() ends is told so, also while connecting', async () => {
  await using server = await startWireServer({ handshake: 'silence' });
  await using zk = openTo(server.connectString);
  const events = new EventLog(zk);
  const waiting = failureOf(zk.ready());
  await server.connection();
  await zk.close();
  expect(await waiting).toBeInstanceOf(ClosedError);
  expect(events.types).toEqual(['closed']);
});
