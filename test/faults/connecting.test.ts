import { describe, expect, it, jest, test } from '@jest/globals';
import { AbortedError, ConnectError, type LookupLike, ZooKeeper } from 'zookit';
import { runScript } from '../support/child.js';
import { HoldUps } from '../support/hold-ups.js';
import { startProxy } from '../support/proxy.js';
import { sharedServer } from '../support/shared.js';
import { until } from '../support/until.js';
import { startWireServer } from '../support/wire-server.js';
import { connectTo, failureOf, openTo } from './rig.js';

type Answer = { address: string; family: number }[] | Error | 'never' | 'throws';

/** A look-up by a table. Names that are not in it do not resolve. */
function lookupOf(table: Record<string, Answer>) {
  const asked: string[] = [];
  const lookup: LookupLike = (hostname, _, callback) => {
    asked.push(hostname);
    const answer = table[hostname] ?? Object.assign(new Error(`${hostname} is unknown`), { code: 'ENOTFOUND' });
    if (answer === 'throws') throw new Error('no resolver');
    if (answer === 'never') return;
    if (answer instanceof Error) process.nextTick(() => callback(answer, []));
    else process.nextTick(() => callback(null, answer));
  };
  return { asked, lookup };
}

const here = [{ address: '127.0.0.1', family: 4 }];

/** A port where nothing listens. */
async function closedPort(): Promise<number> {
  const server = await startWireServer();
  const { port } = server;
  await server.close();
  return port;
}

test('D1: a client that was opened while all servers were down connects when one comes up, and queued work is done', async () => {
  await using proxy = await startProxy(sharedServer());
  proxy.refuse();
  await using zk = openTo(proxy.connectString);
  const waiting = zk.exists('/', { timeout: 10_000 });
  const failing = failureOf(zk.ready({ timeout: 300 }));
  expect(await failing).toBeInstanceOf(ConnectError);
  await proxy.accept();
  expect(await waiting).not.toBeNull();
  await zk.ready();
});

describe('D2: connect() while all servers are down', () => {
  it('rejects when its time is over, with what became of each server, and the process exits by itself', async () => {
    await using silent = await startWireServer({ handshake: 'silence' });
    await using closing = await startWireServer({ handshake: 'close' });
    const refusing = `127.0.0.1:${await closedPort()}`;
    const servers = [refusing, silent.connectString, closing.connectString, 'gone.invalid:2181'];
    const source = `
      import { ZooKeeper } from 'zookit';
      const lookup = (name, _, callback) => callback(Object.assign(new Error('no ' + name), { code: 'ENOTFOUND' }), []);
      const begin = performance.now();
      const error = await ZooKeeper.connect('${servers.join(',')}', { connectTimeout: 1000, lookup }).catch((e) => e);
      const settled = performance.now();
      process.on('exit', () => console.log(JSON.stringify({
        took: settled - begin,
        lingered: performance.now() - settled,
        name: error.name,
        attempts: error.attempts.map(({ server, reason }) => [server, reason.message]),
        message: error.message,
      })));`;
    const { code, stdout, stderr } = await (await runScript({ source })).result;
    expect([code, stderr]).toEqual([0, '']);
    const said = JSON.parse(stdout) as {
      took: number;
      lingered: number;
      name: string;
      attempts: [string, string][];
      message: string;
    };
    expect(said.name).toBe('ConnectError');
    expect(said.took).toBeGreaterThanOrEqual(700);
    // A busy machine adds to both.
    expect(said.took).toBeLessThanOrEqual(2_000);
    expect(said.lingered).toBeLessThanOrEqual(1_000);
    const reasons = new Map(said.attempts);
    expect([...reasons.keys()].sort()).toEqual([...servers].sort());
    expect(reasons.get(refusing)).toContain('ECONNREFUSED');
    expect(reasons.get(silent.connectString)).toContain('answer');
    expect(reasons.get(closing.connectString)).toContain('closed');
    expect(reasons.get('gone.invalid:2181')).toContain('gone.invalid');
    for (const server of servers) expect(said.message).toContain(server);
  });

  it('names also a server that has not answered yet', async () => {
    await using silent = await startWireServer({ handshake: 'silence' });
    const failure = await failureOf<ConnectError>(ZooKeeper.connect(silent.connectString, { connectTimeout: 200 }));
    expect(failure.attempts.map(({ server }) => server)).toEqual([silent.connectString]);
    await until(() => silent.openConnections === 0, { what: 'the attempt to be given up' });
  });

  it('is ended by its signal', async () => {
    await using silent = await startWireServer({ handshake: 'silence' });
    const abort = new AbortController();
    const connecting = failureOf(ZooKeeper.connect(silent.connectString, { signal: abort.signal }));
    await silent.connection();
    abort.abort(new Error('enough'));
    const failure = await connecting;
    expect(failure).toBeInstanceOf(AbortedError);
    expect(failure).toMatchObject({ cause: { message: 'enough' } });
    await until(() => silent.openConnections === 0, { what: 'the attempt to be given up' });
  });
});

describe('D4: a name that does not resolve', () => {
  it.each<[string, Answer]>([
    ['calls back with an error', new Error('unknown')],
    ['calls back with no address', []],
    ['throws', 'throws'],
  ])('and whose look-up %s does not block the others, and is tried again on later rounds', async (_, answer) => {
    const { lookup, asked } = lookupOf({ 'gone.invalid': answer, good: here });
    await using proxy = await startProxy(sharedServer());
    await using zk = await connectTo(`gone.invalid:2181,good:${proxy.port}`, { lookup });
    for (let round = 1; round <= 3; round++) {
      const before = asked.length;
      proxy.resetAll();
      await until(() => asked.slice(before).includes('gone.invalid'), { what: 'another look-up' });
      await zk.exists('/');
    }
  });
});

test('D5: a look-up that never calls back does not keep the client from the next server', async () => {
  const { lookup } = lookupOf({ stuck: 'never', good: here });
  jest.spyOn(Math, 'random').mockReturnValue(0.99);
  const begin = performance.now();
  using heldUp = new HoldUps();
  // Long enough that only the budget of an attempt can end the one at the first server.
  await using zk = await connectTo(`stuck:2181,good:${sharedServer().port}`, { sessionTimeout: 1_500, lookup });
  jest.restoreAllMocks();
  expect(zk.session.server).toBe(`good:${sharedServer().port}`);
  expect(performance.now() - begin).toBeLessThanOrEqual(1_500 + heldUp.total);
});

test('D7: of several addresses of a name the one that answers is taken at once', async () => {
  const { lookup } = lookupOf({ localhost: [{ address: '::1', family: 6 }, ...here] });
  const begin = performance.now();
  using heldUp = new HoldUps();
  await using zk = await connectTo(`localhost:${sharedServer().port}`, { lookup });
  expect(performance.now() - begin).toBeLessThan(500 + heldUp.total);
  expect(await zk.exists('/')).not.toBeNull();
});

test('names are looked up at every attempt: a server that came back elsewhere is found', async () => {
  const table: Record<string, Answer> = { server: here };
  const { lookup, asked } = lookupOf(table);
  await using proxy = await startProxy(sharedServer());
  await using zk = await connectTo(`server:${proxy.port}`, { lookup });
  table.server = new Error('nowhere just now');
  proxy.resetAll();
  await until(() => asked.length >= 3, { what: 'look-ups' });
  table.server = here;
  expect(await zk.exists('/')).not.toBeNull();
});

test('ready() waits for the next connection, and each wait has an end of its own', async () => {
  await using proxy = await startProxy(sharedServer());
  await using zk = await connectTo(proxy.connectString);
  await zk.ready();
  proxy.refuse();
  proxy.resetAll();
  await until(() => zk.state === 'suspended', { what: 'the loss of the connection' });
  const abort = new AbortController();
  const [short, aborted, long] = [
    failureOf(zk.ready({ timeout: 50 })),
    failureOf(zk.ready({ signal: abort.signal })),
    zk.ready(),
  ];
  expect(await short).toBeInstanceOf(ConnectError);
  abort.abort();
  expect(await aborted).toBeInstanceOf(AbortedError);
  await proxy.accept();
  await long;
});
