import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { nextEvent } from '../../support/until.js';
import {
  bytes,
  expiredResponse,
  fromHex,
  newSessionId,
  notification,
  reply,
  startWireServer,
  stat,
  type WireServer,
} from '../../support/wire-server.js';
import { handshake, RawClient, request } from './raw-client.js';

// Captured from a real server of version 3.8.0.
const connectRequest = fromHex(`0000002d 00000000 0000000000000000 00002710 0000000000000000 00000010
  00000000000000000000000000000000 00`);
const expired = fromHex('00000025 00000000 00000000 0000000000000000 00000010 00000000000000000000000000000000 00');
const changed = fromHex('00000021 ffffffff ffffffffffffffff 00000000 00000003 00000003 00000005 2f65782f61');
const getDataReply = fromHex(`0000005a 00000002 0000000000056ad3 00000000 00000002 6869 0000000000056ad3
  0000000000056ad3 000001a1fbeb8190 000001a1fbeb8190 00000000 00000000 00000000 0100000c92d0004c 00000002 00000000
  0000000000056ad3`);

let server: WireServer;

beforeEach(async () => {
  server = await startWireServer();
});

afterEach(async () => {
  await server.close();
});

test('decodes the connect request, welcomes the client and answers its pings', async () => {
  const client = new RawClient(connect(server.port, server.host));
  client.write(connectRequest);
  expect((await client.frame()).readBigInt64BE(12)).toBe(newSessionId);
  const { connectRequest: decoded } = await server.connection();
  expect(decoded).toEqual({
    protocolVersion: 0,
    lastZxidSeen: 0n,
    timeout: 10_000,
    sessionId: 0n,
    password: Buffer.alloc(16),
    readOnly: false,
  });
  client.write(fromHex('00000008 fffffffe 0000000b'));
  expect((await client.frame()).readInt32BE(4)).toBe(-2);
  client.close();
});

test('builds the bytes of a real server', () => {
  const zxid = 0x56ad3n;
  const time = 0x1a1fbeb8190n;
  const fields = { czxid: zxid, mzxid: zxid, pzxid: zxid, ctime: time, mtime: time, dataLength: 2 };
  const body = Buffer.concat([bytes('hi'), stat({ ...fields, ephemeralOwner: 0x0100000c92d0004cn })]);
  expect(reply({ xid: 2 }, { zxid, body })).toEqual(getDataReply);
  expect(notification('/ex/a', 3)).toEqual(changed);
  expect(expiredResponse()).toEqual(expired);
});

test('hands frames to the test and sends what the test says, in one write', async () => {
  const client = await handshake(server);
  client.write(request(1, 3, '/a'), request(2, 4, '/b'));
  const first = await server.frame();
  expect(first).toMatchObject({ xid: 1, opCode: 3 });
  const second = await server.frame();
  expect(second.body).toEqual(request(2, 4, '/b').subarray(12));
  first.connection.send(reply(first, { err: -101 }), reply(second, { err: -101 }), changed);
  const [chunk] = await nextEvent<[Buffer]>(client.raw, 'data');
  expect(chunk).toEqual(Buffer.concat([reply({ xid: 1 }, { err: -101 }), reply({ xid: 2 }, { err: -101 }), changed]));
  client.close();
  await first.connection.closed;
  expect(server.openConnections).toBe(0);
});

test('answers the handshake with silence, an end, or any bytes', async () => {
  server.handshake = (_, connection) => (connection === 1 ? 'silence' : connection === 2 ? 'close' : expired);
  const silent = new RawClient(connect(server.port, server.host));
  silent.write(connectRequest);
  await server.connection();
  await expect(silent.frame(100)).rejects.toThrow('in vain');

  const ended = connect(server.port, server.host);
  ended.write(connectRequest);
  await nextEvent(ended.resume(), 'end');

  const client = await handshake(server);
  expect(client.session).toMatchObject({ id: 0n, timeout: 0 });
  for (const socket of [silent.raw, ended, client.raw]) socket.destroy();
});
