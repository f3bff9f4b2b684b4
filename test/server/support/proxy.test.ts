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

test('resets all connections, and looks like a dead server if it cannot reach its own', async () => {
  const client = await handshake(proxy);
  const reset = nextEvent<[NodeJS.ErrnoException]>(client.raw, 'error');
  proxy.resetAll();
  expect((await reset)[0].code).toBe('ECONNRESET');
  proxy.setTarget('127.0.0.1', 1);
  const [error] = await nextEvent<[NodeJS.ErrnoException]>(connect(proxy.port, proxy.host), 'error');
  expect(error.code).toBe('ECONNRESET');
});
