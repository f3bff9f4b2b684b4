import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { until } from '../support/until.js';
import { startServer, type ZooKeeperServer } from '../support/zookeeper.js';
import { notification, reply, startWireServer } from '../support/wire-server.js';
import { connectTo, EventLog, op, startRig, SHORT } from './rig.js';

let server: ZooKeeperServer;

beforeAll(async () => {
  server = await startServer();
});

afterAll(() => server.close());

test('C1: the first request of each connection has xid 1, and the following ones count up', async () => {
  await using rig = await startRig();
  await Promise.all([rig.zk.exists('/a'), rig.zk.exists('/b')]);
  await rig.reconnect();
  await Promise.all([rig.zk.exists('/a'), rig.zk.exists('/b')]);
  const xids = rig.proxy.requests.filter(({ opCode }) => opCode === op.exists).map(({ xid }) => xid);
  expect(xids).toEqual([1, 2, 1, 2]);
});

test('C1: the server is left with no request outstanding, neither while idle nor after the close', async () => {
  await using rig = await startRig({ server });
  await Promise.all(Array.from({ length: 50 }, () => rig.zk.exists('/')));
  await rig.reconnect();
  await rig.zk.close();
  await until(async () => /^zk_outstanding_requests\t0$/m.test(await server.fourLetter('mntr')), { what: 'none' });
  // What is left are the observer and the connection that asks.
  await until(async () => (await server.fourLetter('cons')).match(/sid=0x/g)?.length === 1, { what: 'one session' });
});

test('B9, C5: the next handshake says the highest zxid of any reply; events, pings and failures do not count', async () => {
  await using wire = await startWireServer();
  await using zk = await connectTo(wire.connectString, { sessionTimeout: 900 });
  const events = new EventLog(zk);
  const answer = async (zxid: bigint, err = -101): Promise<void> => {
    const read = zk.exists('/node').catch(() => null);
    const request = await wire.frame();
    request.connection.send(reply(request, { zxid, err }));
    await read;
  };
  const connection = await wire.connection();
  expect(connection.connectRequest.lastZxidSeen).toBe(0n);
  await answer(0x7_0000_0000n + 3n);
  await answer(0x7_0000_0000n + 0xf000_0000n);
  await answer(-1n, -5);
  await answer(0n, -5);
  await answer(5n);
  connection.send(notification('/node', 3, { zxid: 0x8_0000_0000n }));
  connection.reset();
  await events.first('connected');
  expect((await wire.connection()).connectRequest.lastZxidSeen).toBe(0x7_f000_0000n);
});

test('B9: a server that knows the session but is late is not read from, and is no loss of data', async () => {
  await using one = await startWireServer();
  await using other = await startWireServer();
  await using zk = await connectTo(`${one.connectString},${other.connectString}`, { sessionTimeout: 5_000 });
  const events = new EventLog(zk);
  const [fresh, late] = zk.session.server === one.connectString ? [one, other] : [other, one];
  const first = zk.exists('/node');
  const request = await fresh.frame();
  request.connection.send(reply(request, { zxid: 100n, err: -101 }));
  await first;
  // For a while there is only the late one. It refuses as a real server does: by closing the connection.
  late.handshake = ({ lastZxidSeen }) => (lastZxidSeen > 50n ? 'close' : {});
  fresh.handshake = 'close';
  request.connection.reset();
  await until(() => late.totalConnections >= 6, { what: 'attempts at the late server' });
  const waiting = zk.exists('/node');
  fresh.handshake = {};
  const next = await fresh.frame();
  next.connection.send(reply(next, { zxid: 101n, err: -101 }));
  await waiting;
  expect(events.types).toEqual(['suspended', 'connected']);
  expect(zk.session.server).toBe(fresh.connectString);
});

test('B9: the session after an expiry still says the last zxid of the one before', async () => {
  await using rig = await startRig({ sessionTimeout: SHORT });
  const { zxid } = await rig.zk.create('/node');
  await rig.outlive();
  await rig.relink();
  const connects = rig.proxy.requests.filter(({ opCode }) => opCode === op.connect);
  const sent = connects.map(({ body }) => ({ zxid: body.readBigInt64BE(4), session: body.readBigInt64BE(16) }));
  expect(sent.at(-1)?.session).toBe(0n);
  expect(sent.at(-1)?.zxid).toBeGreaterThanOrEqual(BigInt(zxid.toString()));
});
