import { describe, expect, it } from '@jest/globals';
import { type Child, runScript } from '../support/child.js';
import { startProxy } from '../support/proxy.js';
import { sharedServer } from '../support/shared.js';
import { until } from '../support/until.js';
import { expiredResponse, startWireServer, type WireServer } from '../support/wire-server.js';

/** What a busy machine adds to the times below, ms. */
const SLACK = 900;

/** Brings a client, `zk`, into a state by `script`, then closes it and says how that went. */
const program = (target: string, script: string): string => `
  import { ZooKeeper } from 'zookit';
  const target = '${target}';
  const options = { sessionTimeout: 2000, renewSession: false };
  const happened = (event) => new Promise((resolve) => zk.once(event, resolve));
  let zk;
  ${script}
  const begin = performance.now();
  await zk.close();
  const closed = performance.now();
  process.on('exit', () => {
    const said = { state: zk.state, took: closed - begin, lingered: performance.now() - closed };
    console.log('said: ' + JSON.stringify(said));
  });`;

const open = `zk = ZooKeeper.open(target, options);`;
const openUntilTold = `${open} await new Promise((resolve) => process.once('SIGUSR2', resolve));`;
const connect = `zk = await ZooKeeper.connect(target, options);`;
const lose = `${connect} const lost = happened('suspended'); console.log('connected'); await lost;`;

interface State {
  /** Default: a real server. */
  readonly at?: () => Promise<WireServer>;
  readonly script: string;
  /** What happens to the client meanwhile. */
  readonly meanwhile?: (server: WireServer, child: Child) => Promise<unknown>;
  readonly ends?: string;
}

/** Ends the connection once the client is ready for it; later ones are answered so. */
const cutOff = (handshake: WireServer['handshake']) => async (server: WireServer, child: Child) => {
  const connection = await server.connection();
  await child.line(/^connected$/);
  server.handshake = handshake;
  connection.reset();
};

const states: Readonly<Record<string, State>> = {
  'never connected': { script: open },
  'in the handshake': {
    at: () => startWireServer({ handshake: 'silence' }),
    script: openUntilTold,
    meanwhile: async (server, child) => {
      await server.connection();
      child.signal('SIGUSR2');
    },
  },
  'in a look-up': {
    script: `await new Promise((resolve) => {
      zk = ZooKeeper.open('name:2181', { ...options, lookup: () => resolve() });
    });`,
  },
  "in a look-up of the system's": { script: `zk = ZooKeeper.open('localhost:1', options); await null;` },
  'in a pause between two attempts': {
    at: () => startWireServer({ handshake: 'close' }),
    // The longest pauses that there are: after four attempts, 800 ms.
    script: `Math.random = () => 0.99; ${openUntilTold}`,
    meanwhile: async (server, child) => {
      for (let attempt = 1; attempt <= 4; attempt++) await (await server.connection()).closed;
      child.signal('SIGUSR2');
    },
  },
  connected: { script: connect },
  busy: { script: `${connect} for (let i = 0; i < 1000; i++) void zk.exists('/');` },
  'connected to a server that does not answer': { at: () => startWireServer(), script: connect },
  suspended: { at: () => startWireServer(), script: lose, meanwhile: cutOff('close') },
  lost: {
    at: () => startWireServer(),
    script: `${lose} await happened('lost');`,
    meanwhile: cutOff('silence'),
  },
  expired: {
    at: () => startWireServer(),
    script: `${connect} const over = happened('expired'); console.log('connected'); await over;`,
    meanwhile: cutOff(expiredResponse()),
    ends: 'expired',
  },
  closed: { script: `${connect} await zk.close();` },
  'left with refused credentials': {
    script: `${connect} await zk.addAuth('no-such-scheme', 'x').catch(() => undefined);`,
    ends: 'authFailed',
  },
};

describe('P2: close() resolves within 2 s, and the process ends by itself at once, when the client is', () => {
  it.each(Object.entries(states))('%s', async (_, { at, script, meanwhile, ends = 'closed' }) => {
    await using wire = await (at ?? startWireServer)();
    await using real = await startProxy(sharedServer());
    const target = at === undefined ? real : wire;
    await using child = await runScript({ source: program(target.connectString, script) });
    await meanwhile?.(wire, child);
    const { code, stdout, stderr } = await child.result;
    expect([code, stderr]).toEqual([0, '']);
    const said = JSON.parse(/^said: (.*)$/m.exec(stdout)?.[1] ?? '') as Record<'took' | 'lingered', number>;
    expect(said).toMatchObject({ state: ends });
    // A busy machine adds to both.
    expect(said.took).toBeLessThanOrEqual(2_000 + SLACK);
    expect(said.lingered).toBeLessThanOrEqual(100 + SLACK);
    await until(() => wire.openConnections + real.connections === 0, { what: 'the connections to end' });
  });
});
