import { describe, expect, it, test } from '@jest/globals';
import { ConnectionLossError, LinkError, ProtocolError, ReplyTooLargeError, UnknownServerError } from 'zookit';
import {
  bytes,
  connectResponse,
  frame,
  int,
  long,
  notification,
  reply,
  startWireServer,
  stat,
  type WireFrame,
} from '../support/wire-server.js';
import { connectTo, EventLog, failureOf, openTo, Seen } from './rig.js';

/** What is wrong, and the bytes that come in place of the reply to `request`. */
const nonsense: readonly [string, (request: WireFrame) => Buffer][] = [
  ['a frame without bytes', () => int(0)],
  ['a frame of 3 bytes', () => frame(Buffer.alloc(3))],
  ['a frame that ends inside of its header', () => frame(Buffer.alloc(15))],
  ['a frame of 2 GiB', () => Buffer.concat([int(2 ** 31 - 1), Buffer.alloc(64, 0x55)])],
  ['a frame of negative length', () => Buffer.concat([int(-(2 ** 31)), Buffer.alloc(64)])],
  ['a frame of random bytes', () => frame(Buffer.from('a0c43b7f55aa'.repeat(10), 'hex'))],
  ['a reply with an xid that nobody used', ({ xid }) => reply({ xid: xid + 7 }, { err: -101 })],
  ['a reply with the xid 0', () => reply({ xid: 0 })],
  ['a reply with a reserved xid', () => reply({ xid: -8 })],
  ['a reply that ends inside of its body', (request) => reply(request, { body: Buffer.alloc(5) })],
  ['a reply whose data are longer than it', (request) => reply(request, { body: int(1_000_000) })],
  ['a notification of an unknown type', () => notification('/node', 99)],
  ['a notification that ends too early', () => frame(int(-1), long(-1), int(0), int(3))],
  ['an answer to credentials that were not sent', () => frame(int(-4), long(0), int(0))],
  ['an answer to a ping that was not sent', () => frame(int(-2), long(0), int(0))],
  ['the answer of a web server', () => Buffer.from('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n')],
  ['a TLS alert', () => Buffer.from('15030300020228150303000202', 'hex')],
];

describe('C3: a server that sends', () => {
  it.each(nonsense)('%s: what waits fails with the cause, and the client connects again', async (_, bytesFor) => {
    await using server = await startWireServer();
    await using zk = await connectTo(server.connectString);
    const events = new EventLog(zk);
    const failures = [zk.getData('/node'), zk.setData('/node', 'x')].map(failureOf<ConnectionLossError>);
    const request = await server.frame();
    request.connection.send(bytesFor(request));
    const [read, write] = (await Promise.all(failures)) as [ConnectionLossError, ConnectionLossError];
    for (const failure of [read, write]) {
      expect(failure).toBeInstanceOf(ConnectionLossError);
      expect(failure.cause).toBeInstanceOf(ProtocolError);
    }
    expect([read.mayHaveBeenApplied, write.mayHaveBeenApplied]).toEqual([false, true]);
    await events.first('connected');
    expect(events.types).toEqual(['suspended', 'connected']);
    await request.connection.closed;

    await server.frame();
    const next = zk.exists('/node');
    const last = await server.frame();
    last.connection.send(reply(last, { err: -101 }));
    expect(await next).toBeNull();
  });
});

test('a connection that ends in the middle of a frame is a lost connection: the read is sent again', async () => {
  await using server = await startWireServer();
  await using zk = await connectTo(server.connectString);
  const read = zk.getData('/node');
  const write = failureOf<ConnectionLossError>(zk.setData('/node', 'x'));
  const request = await server.frame();
  const whole = reply(request, { body: Buffer.concat([bytes('x'), stat()]) });
  request.connection.send(whole.subarray(0, 30));
  request.connection.end();
  const failure = await write;
  expect(failure).toMatchObject({ code: 'CONNECTION_LOSS', mayHaveBeenApplied: true });
  expect(failure.cause).toBeInstanceOf(LinkError);
  await server.frame();
  const again = await server.frame();
  again.connection.send(reply(again, { body: Buffer.concat([bytes('x'), stat()]) }));
  expect((await read).text()).toBe('x');
});

test('a reply above maxReplyBytes fails the request that it answers, and no other', async () => {
  await using server = await startWireServer();
  await using zk = await connectTo(server.connectString, { maxReplyBytes: 4_096 });
  const tooLarge = failureOf<ReplyTooLargeError>(zk.getData('/large'));
  const others = [zk.exists('/a'), zk.exists('/b')];
  const request = await server.frame();
  request.connection.send(reply(request, { body: Buffer.alloc(5_000) }));
  const failure = await tooLarge;
  expect(failure).toBeInstanceOf(ReplyTooLargeError);
  expect(failure).toMatchObject({ path: '/large', mayHaveBeenApplied: false });
  await server.frame();
  await server.frame();
  for (const [index, other] of others.entries()) {
    const again = await server.frame();
    expect(again.body.includes(index === 0 ? '/a' : '/b')).toBe(true);
    again.connection.send(reply(again, { err: -101 }));
    expect(await other).toBeNull();
  }
});

test('C4: a code that nobody knows is the error of its request, with its number, and of nothing else', async () => {
  await using server = await startWireServer();
  await using zk = await connectTo(server.connectString);
  const events = new EventLog(zk);
  const failing = failureOf(zk.getData('/node'));
  const next = zk.exists('/node');
  const request = await server.frame();
  request.connection.send(reply(request, { err: -9999 }), reply(await server.frame(), { err: -101 }));
  const failure = await failing;
  expect(failure).toBeInstanceOf(UnknownServerError);
  expect(failure).toMatchObject({ serverCode: -9999, path: '/node', operation: 'getData' });
  expect(await next).toBeNull();
  expect(events.types).toEqual([]);
});

describe('C7: frames', () => {
  it('are read right wherever they are split', async () => {
    await using server = await startWireServer();
    await using zk = await connectTo(server.connectString);
    const length = reply({ xid: 1 }, { body: Buffer.concat([bytes('data'), stat()]) }).length + 33 + 20;
    for (let at = 1; at < length; at++) {
      const seen = new Seen();
      const read = zk.getData('/node', { watch: seen.tell });
      const request = await server.frame();
      const exists = zk.exists('/node');
      const stream = Buffer.concat([
        reply(request, { body: Buffer.concat([bytes('data'), stat()]) }),
        notification('/node', 3),
        reply(await server.frame(), { err: -101 }),
      ]);
      request.connection.send(stream.subarray(0, at));
      await new Promise(setImmediate);
      request.connection.send(stream.subarray(at));
      expect([(await read).text(), await exists, seen.all]).toEqual(['data', null, ['dataChanged /node']]);
    }
  });

  it('of a handshake may come byte by byte', async () => {
    await using server = await startWireServer({ handshake: 'silence' });
    await using zk = openTo(server.connectString);
    const connection = await server.connection();
    for (const byte of connectResponse(connection.connectRequest)) {
      connection.send(Uint8Array.of(byte));
      await new Promise(setImmediate);
    }
    await zk.ready({ timeout: 5_000 });
  });

  it('may follow the handshake in the same segment', async () => {
    await using server = await startWireServer({ handshake: 'silence' });
    await using zk = openTo(server.connectString);
    const events = new EventLog(zk);
    const connection = await server.connection();
    connection.send(connectResponse(connection.connectRequest), notification('/node', 3), int(-5));
    await events.first('suspended');
    expect(events.types).toEqual(['connected', 'suspended']);
    expect(events.all[1]).toMatchObject({ cause: { code: 'PROTOCOL_ERROR' } });
  });

  it('by the thousand in one chunk settle their requests in order', async () => {
    await using server = await startWireServer();
    await using zk = await connectTo(server.connectString);
    const order: number[] = [];
    const reads = Array.from({ length: 5_000 }, (_, index) => zk.exists('/node').then(() => order.push(index)));
    const replies: Buffer[] = [];
    let last = await server.frame();
    for (; replies.length < 4_999; last = await server.frame()) replies.push(reply(last, { err: -101 }));
    last.connection.send(...replies, reply(last, { err: -101 }));
    await Promise.all(reads);
    expect(order).toEqual(reads.map((_, index) => index));
  });
});
