import { afterAll, beforeAll, describe, expect, it, test } from '@jest/globals';
import { runScript } from '../support/child.js';
import { startProxy } from '../support/proxy.js';
import { sharedServer } from '../support/shared.js';
import { until } from '../support/until.js';
import { expiredResponse, frame, int, long, startWireServer } from '../support/wire-server.js';
import { startServer, type ZooKeeperServer } from '../support/zookeeper.js';
import { op } from './rig.js';

describe('P1: a client without any listener', () => {
  let server: ZooKeeperServer;

  beforeAll(async () => {
    server = await startServer();
  });

  afterAll(() => server.close());

  it('lives through ten kills of its server, says nothing on its own, and ends with exit code 0', async () => {
    const source = `
      import { ZooKeeper } from 'zookit';
      const zk = await ZooKeeper.connect('${server.connectString}', { sessionTimeout: 2000 });
      await zk.create('/mine', null, { mode: 'ephemeral' });
      await zk.addWatch('/');
      await zk.exists('/', { watch: () => undefined });
      zk.lease();
      process.on('SIGTERM', () => void zk.close());
      console.log('ready');`;
    const env = { NODE_OPTIONS: '--unhandled-rejections=strict --throw-deprecation', DEBUG: '' };
    await using child = await runScript({ source }, { env });
    await child.line(/^ready$/);
    const connected = (): Promise<true> =>
      until(async () => (await server.fourLetter('cons')).includes('sid=0x'), { what: 'the client', timeout: 20_000 });
    for (let kill = 1; kill <= 10; kill++) {
      await server.kill();
      await server.start();
      await connected();
    }
    child.signal('SIGTERM');
    expect(await child.result).toEqual({ code: 0, signal: null, stdout: 'ready\n', stderr: '' });
  }, 90_000);
});

/** What the script of each state may use: `open` and `connect` a client of `target`; `zk` is closed afterwards. */
const program = (target: string, script: string): string => `
  import { ZooKeeper } from 'zookit';
  const target = '${target}';
  const options = { sessionTimeout: 2000 };
  let zk;
  ${script}
  const begin = performance.now();
  await zk.close();
  const closed = performance.now();
  process.on('exit', () => console.log(JSON.stringify({
    state: zk.state, took: closed - begin, lingered: performance.now() - closed })));`;

const once = (event: string): string => `await new Promise((resolve) => zk.once('${event}', resolve));`;
const connect = `zk = await ZooKeeper.connect(target, options);`;

const accepted = frame(int(-4), long(0), int(0));

/** The state, the target, and the script that leads there. */
const states: readonly [string, () => Promise<{ connectString: string } & AsyncDisposable>, string][] = [
  ['never connected', () => startWireServer(), `zk = ZooKeeper.open(target, options);`],
  [
    'in the handshake',
    () => startWireServer({ handshake: 'silence' }),
    `zk = ZooKeeper.open(target, options); await new Promise((resolve) => setTimeout(resolve, 100));`,
  ],
  [
    'in a look-up',
    () => startWireServer(),
    `await new Promise((resolve) => {
       zk = ZooKeeper.open('name:2181', { ...options, lookup: () => resolve() });
     });`,
  ],
  [
    'in a look-up of the system',
    () => startWireServer(),
    `zk = ZooKeeper.open('localhost:1', options); await new Promise((resolve) => setImmediate(resolve));`,
  ],
  [
    'in a pause between attempts',
    () => startWireServer({ handshake: 'close' }),
    `let looked = 0;
     await new Promise((resolve) => {
       const lookup = (name, _, callback) => {
         callback(null, [{ address: '127.0.0.1', family: 4 }]);
         if (++looked === 5) setTimeout(resolve, 50);
       };
       zk = ZooKeeper.open(target.replace('127.0.0.1', 'name'), { ...options, lookup });
     });`,
  ],
  ['connected', async () => startProxy(sharedServer()), connect],
  ['suspended', () => startWireServer(), `${connect} ${once('suspended')}`],
  ['connected to a silent server', () => startWireServer(), connect],
  ['lost', () => startWireServer(), `${connect} ${once('lost')}`],
  ['expired', () => startWireServer(), `options.renewSession = false; ${connect} ${once('expired')}`],
  ['closed', async () => startProxy(sharedServer()), `${connect} await zk.close();`],
  [
    'with refused credentials',
    async () => startProxy(sharedServer()),
    `${connect} await zk.addAuth('no-such-scheme', 'x').catch(() => undefined);`,
  ],
  ['busy', async () => startProxy(sharedServer()), `${connect} for (let i = 0; i < 1000; i++) zk.exists('/');`],
];

describe('P2: close() resolves within 2 s, and the process ends by itself, when the client is', () => {
  it.each(states)('%s', async (name, start, script) => {
    await using target = await start();
    const child = await runScript({ source: program(target.connectString, script) });
    if ('connection' in target && ['suspended', 'lost', 'expired'].includes(name)) {
      const wire = target as Awaited<ReturnType<typeof startWireServer>>;
      const connection = await wire.connection();
      wire.handshake = name === 'expired' ? expiredResponse() : name === 'lost' ? 'silence' : 'close';
      await until(() => connection.closed || true, { what: 'the connection' });
      connection.reset();
    }
    const { code, stdout, stderr } = await child.result;
    expect([code, stderr]).toEqual([0, '']);
    const said = JSON.parse(stdout) as { state: string; took: number; lingered: number };
    expect(said.took).toBeLessThanOrEqual(2_000);
    expect(said.lingered).toBeLessThanOrEqual(350);
    expect(['closed', 'expired', 'authFailed']).toContain(said.state);
  });
});

test('close() while credentials are on their way ends the session on the same connection', async () => {
  await using server = await startWireServer();
  const { ZooKeeper } = await import('zookit');
  const zk = ZooKeeper.open(server.connectString, { auth: [{ scheme: 'digest', auth: 'a:b' }] });
  const auth = await server.frame();
  const closed = zk.close();
  const farewell = await server.frame();
  expect([auth.opCode, farewell.opCode]).toEqual([op.auth, op.close]);
  auth.connection.send(accepted, frame(int(farewell.xid), long(1), int(0)));
  await closed;
  expect(server.totalConnections).toBe(1);
});
