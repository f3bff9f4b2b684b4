import { connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { connectOpCode, startProxy, type Proxy } from '../../support/proxy.js';
import { sharedServer } from '../../support/shared.js';
import { nextEvent, until } from '../../support/until.js';
import { handshake, request } from './raw-client.js';

const exists = 3;
const getData = 4;
let proxy: Proxy;

beforeEach(async () => {
  proxy = await startProxy(sharedServer());
});

afterEach(async () => {
  await proxy.close();
});

test('passes frames on and records the requests', async () => {
  const client = await handshake(proxy);
  client.write(request(1, exists, '/zookeeper'), request(2, getData, '/zookeeper'));
  expect((await client.frame()).readInt32BE(4)).toBe(1);
  expect((await client.frame()).readInt32BE(4)).toBe(2);
  expect(proxy.requests).toMatchObject([
    { connection: 1, opCode: connectOpCode, xid: 0, length: 45 },
    { connection: 1, opCode: exists, xid: 1 },
    { connection: 1, opCode: getData, xid: 2 },
  ]);
  expect(proxy.requests[1]?.body).toEqual(request(1, exists, '/zookeeper').subarray(12));
  expect(await proxy.seen(({ xid }) => xid === 2)).toBe(proxy.requests[2]);
  client.close();
  await until(() => proxy.connections === 0, { what: 'the end of the connection' });
});

test('listens where it is told', async () => {
  await using elsewhere = await startProxy(sharedServer(), { host: '127.0.0.2', port: proxy.port });
  expect(elsewhere.connectString).toBe(`127.0.0.2:${proxy.port}`);
  const client = await handshake(elsewhere);
  expect([elsewhere.connections, proxy.connections]).toEqual([1, 0]);
  client.close();
});

test('passes on what are no frames', async () => {
  const client = connect(proxy.port, proxy.host);
  client.write('ruok');
  const [answer] = await nextEvent<[Buffer]>(client, 'data');
  expect(answer.toString()).toBe('imok');
  client.destroy();
});

test('refuses and accepts connections', async () => {
  const open = await handshake(proxy);
  proxy.refuse();
  const refused = nextEvent<[NodeJS.ErrnoException]>(connect(proxy.port, proxy.host), 'error');
  expect((await refused)[0].code).toBe('ECONNREFUSED');
  open.write(request(1, exists, '/'));
  expect((await open.frame()).readInt32BE(4)).toBe(1);
  await proxy.accept();
  const next = await handshake(proxy);
  expect(proxy.connections).toBe(2);
  expect(proxy.totalConnections).toBe(2);
  open.close();
  next.close();
});

test('holds back what is sent during a cut, and delivers it when that heals', async () => {
  const client = await handshake(proxy);
  proxy.cut();
  client.write(request(1, exists, '/'));
  await expect(client.frame(100)).rejects.toThrow('in vain');
  proxy.heal();
  expect((await client.frame()).readInt32BE(4)).toBe(1);

  proxy.cutToServer();
  client.write(request(2, exists, '/'));
  await proxy.seen(({ xid }) => xid === 2);
  proxy.heal({ deliver: false });
  const [error] = await nextEvent<[NodeJS.ErrnoException]>(client.raw, 'error');
  expect(error.code).toBe('ECONNRESET');
});

test('hides from a server that the client is gone, until a cut heals', async () => {
  const client = await handshake(proxy);
  proxy.cut();
  client.close();
  await until(() => proxy.connections === 0, { what: 'the end of the connection' });
  const successor = await handshake(sharedServer(), client.session);
  expect(successor.session.id).toBe(client.session.id);
  proxy.heal();
  successor.close();
});

test('holds back replies alone', async () => {
  const client = await handshake(proxy);
  proxy.holdReplies();
  client.write(request(1, exists, '/'), request(2, exists, '/'));
  await expect(client.frame(100)).rejects.toThrow('in vain');
  const chunk = nextEvent<[Buffer]>(client.raw, 'data');
  proxy.releaseReplies();
  await chunk;
  expect((await client.frame()).readInt32BE(4)).toBe(1);
  expect((await client.frame()).readInt32BE(4)).toBe(2);
});

test.each(['request', 'reply'] as const)(
  'loses one certain %s with the connection, not those before it',
  async (what) => {
    const client = await handshake(proxy);
    const matches = ({ opCode }: { opCode: number }): boolean => opCode === getData;
    const lost = what === 'reply' ? proxy.swallowNextReply(matches) : proxy.swallowNextRequest(matches);
    const ended = nextEvent(client.raw, 'close');
    if (what === 'request') {
      client.write(request(1, exists, '/'));
      await client.frame();
      client.write(request(2, getData, '/'));
    } else {
      client.write(request(1, exists, '/'), request(2, getData, '/'));
      expect((await client.frame()).readInt32BE(4)).toBe(1);
    }
    expect((await lost).xid).toBe(2);
    await ended;
    const again = await handshake(proxy, client.session);
    again.write(request(1, getData, '/'));
    expect((await again.frame()).readInt32BE(4)).toBe(1);
    again.close();
  },
);

test.each(['request', 'reply'] as const)('ends the connection in the middle of one certain %s', async (what) => {
  const client = await handshake(proxy);
  const matches = ({ opCode }: { opCode: number }): boolean => opCode === getData;
  const cut = what === 'reply' ? proxy.cutNextReply(matches) : proxy.cutNextRequest(matches);
  let received = 0;
  client.raw.on('data', (chunk: Buffer) => (received += chunk.length));
  const ended = nextEvent(client.raw, 'close');
  client.write(request(1, exists, '/'));
  await client.frame();
  const before = received;
  client.write(request(2, getData, '/'));
  expect((await cut).xid).toBe(2);
  await ended;
  // Header, data that are empty and a stat: 92 bytes with their lengths.
  expect(received - before).toBe(what === 'reply' ? 46 : 0);
  const again = await handshake(proxy, client.session);
  again.write(request(1, getData, '/'));
  expect((await again.frame()).readInt32BE(4)).toBe(1);
  again.close();
});

test('lets all bytes pass late, in order, on a slow link', async () => {
  const client = await handshake(proxy);
  proxy.slow({ latency: 50 });
  let begin = performance.now();
  client.write(request(1, exists, '/'), request(2, getData, '/'));
  expect((await client.frame()).readInt32BE(4)).toBe(1);
  expect(performance.now() - begin).toBeGreaterThanOrEqual(99);
  expect((await client.frame()).readInt32BE(4)).toBe(2);

  proxy.slow({ bytesPerSecond: 2_000 });
  begin = performance.now();
  // 4,000 bytes take a second and a half at least, as the lane may save up for a moment.
  client.write(...Array.from({ length: 10 }, (_, index) => request(3 + index, exists, `/${'x'.repeat(382)}`)));
  for (let xid = 3; xid <= 12; xid++) expect((await client.frame()).readInt32BE(4)).toBe(xid);
  expect(performance.now() - begin).toBeGreaterThanOrEqual(1_500);

  client.close();
});

test('makes who sends wait while nothing passes, rather than to take all of it', async () => {
  const client = await handshake(proxy);
  proxy.cutToServer();
  const piece = request(1, exists, `/${'x'.repeat(100_000)}`);
  for (let count = 0; count < 200; count++) client.write(piece);
  await proxy.seen(({ opCode }) => opCode === exists);
  await until(() => proxy.connections === 1 && client.raw.writableLength > 1_000_000, { what: 'the sender to wait' });
  client.close();
});

test('resets all connections, and looks like a dead server if it cannot reach its own', async () => {
  const client = await handshake(proxy);
  const reset = nextEvent<[NodeJS.ErrnoException]>(client.raw, 'error');
  proxy.resetAll();
  expect((await reset)[0].code).toBe('ECONNRESET');
  proxy.setTarget('127.0.0.1', 1);
  const [error] = await nextEvent<[NodeJS.ErrnoException]>(connect(proxy.port, proxy.host), 'error');
  expect(error.code).toBe('ECONNRESET');
});
