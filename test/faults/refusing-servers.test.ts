import { afterEach, describe, expect, it, jest, test } from '@jest/globals';
import { frame, int, reply, startWireServer } from '../support/wire-server.js';
import { until } from '../support/until.js';
import { connectTo, EventLog, openTo } from './rig.js';

afterEach(() => void jest.restoreAllMocks());

/** Resolves when this process has no socket and no more timers than so many. */
async function untilLeft(timers: number): Promise<void> {
  const count = (kind: string): number => process.getActiveResourcesInfo().filter((each) => each === kind).length;
  await until(() => count('TCPSocketWrap') === 0 && count('Timeout') <= timers, {
    what: 'sockets and timers to be gone',
  });
}

describe('E1: a server that accepts and closes at once', () => {
  it('is asked at growing intervals', async () => {
    // The jitter is a factor of a half.
    jest.spyOn(Math, 'random').mockReturnValue(0.5);
    await using server = await startWireServer({ handshake: 'close' });
    const times: number[] = [];
    server.handshake = () => {
      times.push(performance.now());
      return 'close';
    };
    await using zk = openTo(server.connectString);
    await until(() => times.length >= 6, { what: 'six attempts' });
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
    for (const [index, gap] of gaps.entries()) expect(gap).toBeGreaterThanOrEqual(50 * 2 ** index - 2);
    expect(zk.state).toBe('connecting');
  });

  it('is asked as rarely when it only ever accepts: an accepted connection is no success', async () => {
    jest.spyOn(Math, 'random').mockReturnValue(0.5);
    await using server = await startWireServer({ handshake: Buffer.from('nonsense that is no handshake') });
    await using zk = openTo(server.connectString);
    const begin = performance.now();
    await until(() => server.totalConnections >= 6, { what: 'six attempts' });
    expect(performance.now() - begin).toBeGreaterThanOrEqual(50 + 100 + 200 + 400 + 800 - 10);
    expect(zk.state).toBe('connecting');
  });

  it('is asked as rarely when it takes the session first: only an answer on it is a success', async () => {
    jest.spyOn(Math, 'random').mockReturnValue(0.5);
    await using server = await startWireServer();
    await using zk = openTo(server.connectString, { sessionTimeout: 30_000 });
    const begin = performance.now();
    for (let count = 1; count <= 6; count++) (await server.connection()).end();
    expect(performance.now() - begin).toBeGreaterThanOrEqual(50 + 100 + 200 + 400 + 800 - 10);
    expect(zk.session.id.isZero()).toBe(false);
  });

  it('is asked again at once when it had answered: then the link was good', async () => {
    jest.spyOn(Math, 'random').mockReturnValue(0.5);
    await using server = await startWireServer();
    await using zk = openTo(server.connectString, { sessionTimeout: 30_000 });
    for (let count = 1; count <= 20; count++) {
      const connection = await server.connection();
      const looked = zk.exists('/');
      connection.send(reply(await server.frame(), { err: -101 }));
      expect(await looked).toBeNull();
      connection.reset();
    }
    // With a pause that grows, twenty of them would take more than a minute.
  });

  it('leads nobody into the next round before all servers were tried', async () => {
    await using one = await startWireServer({ handshake: 'close' });
    await using two = await startWireServer({ handshake: 'close' });
    await using good = await startWireServer();
    const servers = [one, two, good].map(({ connectString }) => connectString).join(',');
    await using zk = await connectTo(servers, { sessionTimeout: 30_000 });
    expect(zk.session.server).toBe(good.connectString);
    expect(one.totalConnections + two.totalConnections).toBeLessThanOrEqual(2);
  });
});

const handshakes: readonly [string, Buffer][] = [
  ['a frame that is too short', frame(Buffer.alloc(20))],
  ['a frame of 2 GiB', Buffer.concat([int(2 ** 31 - 1), Buffer.alloc(64)])],
  ['a frame of negative length', int(-1)],
  ['an empty frame', int(0)],
  [
    'a password that is longer than the frame',
    frame(int(0), int(1_000), Buffer.alloc(8), int(1_000), Buffer.alloc(16)),
  ],
  ['text', Buffer.from('SSH-2.0-OpenSSH_9.6\r\n')],
];

describe('a server that answers the connect request with', () => {
  it.each(handshakes)('%s: is left, and the next one is tried', async (_, answer) => {
    await using bad = await startWireServer({ handshake: answer });
    await using good = await startWireServer();
    await using zk = await connectTo(`${bad.connectString},${good.connectString}`, { sessionTimeout: 30_000 });
    const events = new EventLog(zk);
    for (let round = 1; round <= 3; round++) {
      (await good.connection()).reset();
      await events.first('connected');
      events.clear();
    }
    expect(bad.totalConnections).toBeGreaterThanOrEqual(3);
    await until(() => bad.openConnections === 0, { what: 'the connections to the bad server to end' });
    expect(good.openConnections).toBe(1);
  });
});

test('a server that never answers the handshake is left after the budget of one attempt', async () => {
  await using silent = await startWireServer({ handshake: 'silence' });
  await using zk = openTo(silent.connectString, { sessionTimeout: 900 });
  await until(() => silent.totalConnections >= 4, { what: 'four attempts' });
  expect(silent.openConnections).toBeLessThanOrEqual(1);
  expect(zk.state).toBe('connecting');
});

test('nothing is left of the attempts at servers that refuse, once the client is closed', async () => {
  await untilLeft(Infinity);
  const timers = process.getActiveResourcesInfo().filter((each) => each === 'Timeout').length;
  {
    await using silent = await startWireServer({ handshake: 'silence' });
    await using closing = await startWireServer({ handshake: 'close' });
    await using nonsense = await startWireServer({ handshake: int(-1) });
    const servers = [silent, closing, nonsense];
    await using zk = openTo(servers.map(({ connectString }) => connectString).join(','), { sessionTimeout: 750 });
    await until(() => servers.every(({ totalConnections }) => totalConnections >= 3), { what: 'three rounds' });
    await zk.close();
    await until(() => servers.every(({ openConnections }) => openConnections === 0), { what: 'all to be closed' });
  }
  await untilLeft(timers);
});
