/** Section V of the field's pains: what a client says, and what it never says. */
import { expect, it } from '@jest/globals';
import { type Child, runScript } from '../support/child.js';
import { startProxy } from '../support/proxy.js';
import { until } from '../support/until.js';
import { startServer } from '../support/zookeeper.js';
import { failureOf, startRig } from './rig.js';

/**
 * A client says by it that it has its ephemeral znode: that the server has it does not mean that the client knows. The
 * answer to this one may be lost with the connection.
 */
const tell = `zk.create('/told', null, { mode: 'ephemeral' }).catch(() => undefined);`;

/** Runs a client in a process of its own through an outage: connected, suspended, expired, connected again. */
async function throughAnOutage(run: (connectString: string) => Promise<Child>): Promise<Awaited<Child['result']>> {
  await using server = await startServer();
  await using proxy = await startProxy(server);
  await using child = await run(proxy.connectString);
  const has = async (path: string): Promise<boolean> => (await server.fourLetter('dump')).includes(path);
  await until(() => has('/told'), { what: 'the client to have an ephemeral znode' });
  proxy.refuse();
  proxy.resetAll();
  await until(async () => !(await has('/mine')), { what: 'the end of the session' });
  await proxy.accept();
  return await child.result;
}

it('V1: without a logger, nothing is on stdout and stderr through a full outage', async () => {
  const source = (connectString: string): string => `
    import { ZooKeeper } from 'zookit';
    const zk = await ZooKeeper.connect('${connectString}', { sessionTimeout: 3000 });
    const seen = [];
    zk.on('session', ({ type }) => seen.push(type));
    zk.exists('/', { watch: () => undefined });
    await zk.create('/mine', null, { mode: 'ephemeral' });
    ${tell}
    await new Promise((resolve) => zk.on('connected', ({ resumed }) => resumed || resolve()));
    await zk.close();
    process.exitCode = seen.includes('suspended') && seen.includes('expired') ? 0 : 1;`;
  const env = { DEBUG: '', NODE_OPTIONS: '--unhandled-rejections=strict' };
  const result = await throughAnOutage((connectString) => runScript({ source: source(connectString) }, { env }));
  expect(result).toEqual({ code: 0, signal: null, stdout: '', stderr: '' });
});

it('V2: credentials and passwords are in no line of the log, no message and no error, with everything switched on', async () => {
  const source = (connectString: string): string => `
    import { subscribe } from 'node:diagnostics_channel';
    import { inspect } from 'node:util';
    import { acl, ZooKeeper } from 'zookit';
    const say = (...what) => console.log(inspect(what, { depth: Infinity, showHidden: true }), JSON.stringify(what));
    for (const name of ['operation', 'operation:start', 'connection', 'session'])
      subscribe('zookit:' + name, (message) => say(name, message));
    const logger = { debug: say, info: say, warn: say, error: say };
    const auth = [{ scheme: 'digest', auth: 'alice:Se3cret' }];
    const zk = await ZooKeeper.connect('${connectString}', { sessionTimeout: 3000, auth, logger });
    const password = Buffer.from(zk.session.export().password, 'base64');
    zk.on('session', (event) => say(event, zk, zk.session));
    await zk.addAuth('digest', Buffer.from('bob:Se3cret'));
    await zk.create('/private', 'data', { acl: acl.creatorAll });
    const other = await ZooKeeper.connect('${connectString}', { sessionTimeout: 3000, logger });
    for (const failing of [other.getData('/private'), other.addAuth('nobody-knows', 'Se3cret')])
      await failing.catch((error) => say(error));
    await zk.create('/mine', null, { mode: 'ephemeral' });
    ${tell}
    await new Promise((resolve) => zk.on('connected', ({ resumed }) => resumed || resolve()));
    say(zk.metrics());
    await zk.close();
    say(password.equals(Buffer.alloc(16)) ? 'no password' : 'done');
    process.stderr.write('password ' + password.toString('base64') + '|' + inspect(password).slice(8, 40));`;
  const env = { DEBUG: '*', DEBUG_COLORS: 'no' };
  const result = await throughAnOutage((connectString) => runScript({ source: source(connectString) }, { env }));
  expect(result.code).toBe(0);
  expect(result.stdout).toContain('done');
  expect(result.stdout).toContain('suspended -> expired');
  expect(result.stdout).toContain('AuthFailedError');
  expect(result.stderr).toContain('zookit:session');
  const [log = '', passwords = ''] = result.stderr.split('password ');
  const [base64 = '', hex = ''] = passwords.split('|');
  expect([base64.length, hex.length]).toEqual([24, 32]);
  for (const text of [result.stdout, log]) {
    for (const secret of ['Se3cret', Buffer.from('Se3cret').toString('base64').slice(0, 8), base64, hex])
      expect(text).not.toContain(secret);
    expect(text).not.toContain(inspected('Se3cret'));
  }
});

/** The bytes of a text as `inspect` shows them in a Buffer. */
function inspected(text: string): string {
  return Buffer.from(text)
    .toString('hex')
    .replace(/..(?=.)/g, '$& ');
}

it('counts an outage: the lost connection, the write that got no answer, the time without a connection', async () => {
  await using rig = await startRig({ sessionTimeout: 10_000 });
  const { zk, proxy } = rig;
  const before = zk.metrics();
  expect(before.availability.ratio).toBeGreaterThan(0);
  proxy.cutToClient();
  const writing = failureOf(zk.create('/lost'));
  await until(() => proxy.requests.some(({ opCode }) => opCode === 1), { what: 'the create at the proxy' });
  await rig.unlink();
  await writing;
  const reading = zk.exists('/waits');
  const during = zk.metrics();
  expect(during.state).toBe('suspended');
  expect(during.session.server).toBe(null);
  expect(during.operations.queued).toBe(1);
  expect(during.operations.byName.create?.outcomes).toEqual({ CONNECTION_LOSS: 1 });
  await rig.relink();
  await reading;
  const after = zk.metrics();
  expect(after.connections.lost - before.connections.lost).toBe(1);
  expect(after.connections.reconnected - before.connections.reconnected).toBe(1);
  expect(after.connections.failedAttempts).toBeGreaterThanOrEqual(0);
  expect(after.connections.attempts).toBe(after.connections.failedAttempts + after.connections.connected);
  expect(after.sessions).toMatchObject({ opened: 1, expired: 0, lost: 0 });
  const { wanted, connected } = after.availability;
  expect(wanted - connected).toBeGreaterThan(before.availability.wanted - before.availability.connected);
  expect(after.operations.queued).toBe(0);
});

it('knows how long a ping takes', async () => {
  await using rig = await startRig({ sessionTimeout: 3_000 });
  await until(() => rig.zk.metrics().ping.last !== null, { what: 'a ping' });
  const { last, latency } = rig.zk.metrics().ping;
  expect(last).toBeGreaterThan(0);
  expect(latency.max).toBeGreaterThanOrEqual(last ?? 0);
});
