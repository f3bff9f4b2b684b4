import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect as connectSocket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { describe, expect, it, jest, test } from '@jest/globals';
import {
  ConnectError,
  type ConnectionLossError,
  type HostProvider,
  type LookupLike,
  type SrvRecord,
  ZooKeeper,
} from 'zookit';
import { Certificates } from '../support/certificates.js';
import { type Proxy, startProxy } from '../support/proxy.js';
import { sharedServer, useChroot } from '../support/shared.js';
import { until } from '../support/until.js';
import { startDnsServer } from '../support/dns-server.js';
import { bytes, reply, startWireServer, stat } from '../support/wire-server.js';
import { connectTo, EventLog, failureOf, op, openTo, Seen, startRig } from './rig.js';

/** Long enough that nothing in these tests depends on the speed of the machine. */
const sessionTimeout = 20_000;

/** A second way to the server of all tests. */
function secondProxy(): Promise<Proxy> {
  return startProxy(sharedServer());
}

describe('updateServers()', () => {
  it('moves the session, with its ephemeral znodes and watches', async () => {
    await using rig = await startRig({ sessionTimeout });
    await using other = await secondProxy();
    const { zk, events, observer } = rig;
    const seen = new Seen();
    const { stat } = await zk.create('/mine', null, { mode: 'ephemeral', stat: true });
    await zk.exists('/watched', { watch: seen.tell });
    expect(zk.updateServers(other.connectString + rig.chroot)).toBe(true);
    const { resumed, server, sessionId } = await events.first('connected');
    expect([resumed, server, sessionId]).toEqual([true, other.connectString, stat.ephemeralOwner]);
    expect(events.types).toEqual(['suspended', 'connected']);
    expect(zk.servers).toEqual([other.connectString]);
    await until(() => rig.proxy.connections === 0, { what: 'the old connection to end' });
    expect((await observer.exists('/mine'))?.ephemeralOwner).toEqual(stat.ephemeralOwner);
    await observer.create('/watched');
    await seen.count(1);
    expect(seen.all).toEqual(['created /watched']);
  });

  it('loses none of the writes that are under way: each is done once, in order', async () => {
    await using rig = await startRig({ sessionTimeout });
    await using other = await secondProxy();
    const { zk, proxy } = rig;
    await zk.create('/counter', '0');
    const versions: number[] = [];
    const writes: Promise<unknown>[] = [];
    const write = (): void => {
      writes.push(zk.setData('/counter', 'x').then(({ version }) => versions.push(version)));
    };
    const [here, there] = [proxy, other];
    for (const [to] of [[there], [here], [there], [here]] as const) {
      // Some are on the wire when the client is told to move, and some are asked for while it does.
      for (let count = 0; count < 50; count++) write();
      expect(zk.updateServers([{ host: to.host, port: to.port }])).toBe(true);
      for (let count = 0; count < 50; count++) write();
      await Promise.all(writes);
      expect(zk.session.server).toBe(to.connectString);
    }
    expect(versions).toEqual(Array.from({ length: 400 }, (_, index) => index + 1));
    expect(rig.events.types).not.toContain('expired');
  });

  it('waits for what the server has not answered, and sends nothing more to it', async () => {
    await using rig = await startRig({ sessionTimeout });
    await using other = await secondProxy();
    const { zk, proxy } = rig;
    proxy.holdReplies();
    const created = zk.create('/slow');
    await proxy.seen(({ opCode }) => opCode === op.create);
    zk.updateServers(other.connectString);
    const deleted = zk.delete('/slow');
    expect(zk.state).toBe('connected');
    proxy.releaseReplies();
    expect((await created).path).toBe('/slow');
    await deleted;
    expect(proxy.requests.map(({ opCode }) => opCode)).not.toContain(op.delete);
    expect(other.requests.map(({ opCode }) => opCode)).toContain(op.delete);
  });

  it('leaves a server that does not answer after a third of the session timeout, and names what it does not know', async () => {
    await using rig = await startRig({ sessionTimeout: 3_000 });
    await using other = await secondProxy();
    const { zk, proxy } = rig;
    proxy.holdReplies();
    const failure = failureOf<ConnectionLossError>(zk.create('/unknown'));
    await proxy.seen(({ opCode }) => opCode === op.create);
    zk.updateServers(other.connectString);
    expect(await failure).toMatchObject({ code: 'CONNECTION_LOSS', mayHaveBeenApplied: true });
    expect(await zk.has('/unknown')).toBe(true);
    expect(zk.session.server).toBe(other.connectString);
  });

  it('finds its way where the client had none', async () => {
    await using gone = await secondProxy();
    gone.refuse();
    await using zk = openTo(gone.connectString, { sessionTimeout });
    const waiting = zk.exists('/');
    await expect(zk.ready({ timeout: 100 })).rejects.toThrow(ConnectError);
    expect(zk.updateServers(sharedServer().connectString)).toBe(false);
    expect(await waiting).not.toBeNull();
  });

  it('stays where it is if the server in use is on the list, be it by another name', async () => {
    const { port } = sharedServer();
    const lookup: LookupLike = (_name, _options, callback) =>
      process.nextTick(() => callback(null, [{ address: '127.0.0.1', family: 4 }]));
    await using zk = await connectTo(`zk.example:${port}`, { sessionTimeout, lookup });
    const events = new EventLog(zk);
    expect(zk.updateServers(`127.0.0.1:${port}`)).toBe(false);
    await zk.exists('/');
    expect(events.types).toEqual([]);
  });

  it('goes to the new servers only, also when they are not there yet', async () => {
    await using rig = await startRig({ sessionTimeout });
    await using other = await secondProxy();
    other.refuse();
    const before = rig.proxy.totalConnections;
    rig.zk.updateServers(other.connectString);
    await rig.events.first('suspended');
    const waiting = rig.zk.exists('/');
    await other.accept();
    await waiting;
    expect(rig.proxy.totalConnections).toBe(before);
  });
});

describe('dns-srv://', () => {
  const NAME = '_zookeeper._tcp.example.com';

  const recordOf = ({ port }: { port: number }): SrvRecord => ({ name: '127.0.0.1', port, priority: 1, weight: 1 });

  it('finds the servers, and finds them again when they have moved', async () => {
    await using first = await secondProxy();
    await using second = await secondProxy();
    let current = first;
    const asked: string[] = [];
    const resolveSrv = (name: string): Promise<SrvRecord[]> => {
      asked.push(name);
      return Promise.resolve([recordOf(current)]);
    };
    await using zk = await connectTo(`dns-srv://${NAME}/`, { sessionTimeout, resolveSrv });
    const { id } = zk.session;
    expect(zk.session.server).toBe(first.connectString);
    await zk.exists('/');
    current = second;
    first.refuse();
    first.resetAll();
    expect(await zk.exists('/')).not.toBeNull();
    expect([zk.session.server, zk.session.id]).toEqual([second.connectString, id]);
    expect(new Set(asked)).toEqual(new Set([NAME]));
    await first.accept();
  });

  it('is answered by real name servers', async () => {
    await using names = await startDnsServer();
    const resolver = new Resolver();
    resolver.setServers([names.address]);
    const { port } = sharedServer();
    names.records.set(NAME, [
      { target: '.', port: 1 },
      { target: 'gone.example.com', port, priority: 10 },
      { target: 'zk.example.com', port, priority: 20 },
    ]);
    const looked: string[] = [];
    const lookup: LookupLike = (name, _, callback) => {
      looked.push(name);
      const known = name === 'zk.example.com' ? [{ address: '127.0.0.1', family: 4 }] : [];
      process.nextTick(() => callback(null, known));
    };
    await using zk = await connectTo(`dns-srv://${NAME}`, {
      sessionTimeout,
      lookup,
      resolveSrv: (name) => resolver.resolveSrv(name),
    });
    expect(names.asked).toEqual([NAME]);
    expect(looked).toEqual(['gone.example.com', 'zk.example.com']);
    expect(zk.session.server).toBe(`zk.example.com:${port}`);
    const unknown = await failureOf<ConnectError>(
      ZooKeeper.connect('dns-srv://other.example.com', {
        failFast: true,
        resolveSrv: (name) => resolver.resolveSrv(name),
      }),
    );
    expect(unknown.attempts[0]?.reason.message).toContain('ENOTFOUND');
  });

  it('is asked again when the look-up failed, and the client goes on with the servers that it knew', async () => {
    await using proxy = await secondProxy();
    let answer: () => Promise<SrvRecord[]> = () => Promise.resolve([recordOf(proxy)]);
    await using zk = await connectTo(`dns-srv://${NAME}`, { sessionTimeout, resolveSrv: () => answer() });
    let asked = 0;
    answer = () => {
      asked++;
      return Promise.reject(new Error('ESERVFAIL'));
    };
    // A second later, the look-up is not shared with the one before.
    await until(
      async () => {
        proxy.resetAll();
        await zk.exists('/');
        return asked > 0;
      },
      { what: 'another look-up', interval: 200 },
    );
    expect(await zk.exists('/')).not.toBeNull();
    expect(zk.servers).toEqual([proxy.connectString]);
  });

  it('that cannot be looked up is the reason why nothing connects', async () => {
    const resolveSrv = () =>
      Promise.reject(Object.assign(new Error(`querySrv ENOTFOUND ${NAME}`), { code: 'ENOTFOUND' }));
    const failure = await failureOf<ConnectError>(
      ZooKeeper.connect(`dns-srv://${NAME}`, { resolveSrv, failFast: true }),
    );
    expect(failure).toBeInstanceOf(ConnectError);
    expect(failure.attempts.map(({ server, reason }) => [server, reason.message])).toEqual([
      [`dns-srv://${NAME}`, `querySrv ENOTFOUND ${NAME}`],
    ]);
    expect(failure.attempts[0]?.reason.cause).toMatchObject({ code: 'ENOTFOUND' });
  });

  it('whose look-up never ends is given up after its share of the session timeout', async () => {
    const resolveSrv = () => new Promise<SrvRecord[]>(() => undefined);
    const failure = await failureOf<ConnectError>(
      ZooKeeper.connect(`dns-srv://${NAME}`, { resolveSrv, failFast: true, sessionTimeout: 1_500 }),
    );
    expect(failure.attempts[0]?.reason.message).toBe('it gave no servers within 500 ms');
  });
});

describe('a host provider', () => {
  it('is asked again when its server is lost, and so finds the one that took its place', async () => {
    await using rig = await startRig({ sessionTimeout });
    await using other = await secondProxy();
    let current = rig.proxy;
    const provider: HostProvider = {
      chroot: rig.chroot,
      servers: async () => [{ host: current.host, port: current.port }],
    };
    await using zk = await ZooKeeper.connect(provider, { sessionTimeout });
    const { id } = zk.session;
    await zk.create('/node');
    current = other;
    rig.proxy.refuse();
    rig.proxy.resetAll();
    expect(await zk.has('/node')).toBe(true);
    expect([zk.session.server, zk.session.id]).toEqual([other.connectString, id]);
    await rig.proxy.accept();
  });

  it.each<[string, () => never]>([
    [
      'throws',
      () => {
        throw new Error('no idea');
      },
    ],
    ['rejects', () => Promise.reject(new Error('no idea')) as never],
    ['gives nonsense', () => [{ host: 7 }] as never],
    ['gives nothing', () => undefined as never],
  ])('that %s fails its attempts, and nothing else', async (_, servers) => {
    await using zk = openTo({ servers });
    const failure = await failureOf<ConnectError>(zk.ready({ timeout: 200 }));
    expect(failure).toBeInstanceOf(ConnectError);
    expect(failure.attempts.map(({ server }) => server)).toEqual(['host provider']);
    expect(zk.state).toBe('connecting');
  });
});

test('tcp:// and names without a scheme may stand in one connection string', async () => {
  await using zk = await connectTo(`tcp://${sharedServer().connectString},${sharedServer().connectString}`);
  expect(await zk.exists('/')).not.toBeNull();
  expect(zk.session.server).toMatch(/^(tcp:\/\/)?127\.0\.0\.1:\d+$/);
});

describe('connect() with failFast', () => {
  it('rejects once every server was tried, with what each said, and the process has nothing left of it', async () => {
    await using closing = await startWireServer({ handshake: 'close' });
    await using refusing = await secondProxy();
    refusing.refuse();
    const servers = [closing.connectString, refusing.connectString, 'gone.invalid:2181'];
    const lookup = jest.fn((name: string, _: object, callback: (error: Error | null, addresses: []) => void) =>
      process.nextTick(() => callback(new Error(`${name} is unknown`), [])),
    );
    const failure = await failureOf<ConnectError>(
      ZooKeeper.connect(servers.join(','), { failFast: true, lookup: lookup }),
    );
    expect(failure).toBeInstanceOf(ConnectError);
    const reasons = new Map(failure.attempts.map(({ server, reason }) => [server, reason.message]));
    expect([...reasons.keys()].sort()).toEqual([...servers].sort());
    expect(reasons.get(refusing.connectString)).toContain('ECONNREFUSED');
    expect(reasons.get(closing.connectString)).toContain('closed');
    expect(reasons.get('gone.invalid:2181')).toContain('unknown');
    expect(lookup).toHaveBeenCalledTimes(1);
    expect(closing.totalConnections).toBe(1);
    await until(() => closing.openConnections === 0, { what: 'the attempts to end' });
  });

  it('connects where one server is there', async () => {
    await using closing = await startWireServer({ handshake: 'close' });
    const servers = `${closing.connectString},${sharedServer().connectString}`;
    await using zk = await ZooKeeper.connect(servers + useChroot(), { failFast: true });
    expect(zk.session.server).toBe(sharedServer().connectString);
  });
});

test('a client that speaks TLS follows a reconfiguration, and never to a port that speaks none', async () => {
  using certificates = new Certificates();
  const authority = certificates.authority('authority');
  const { certFile, keyFile } = authority.issue('/CN=server', { altNames: ['DNS:localhost'] });
  await using plain = await startWireServer();
  const ends = createTlsServer({ cert: readFileSync(certFile), key: readFileSync(keyFile) }, (secure) => {
    const behind = connectSocket(plain.port, plain.host);
    for (const [one, other] of [
      [secure, behind],
      [behind, secure],
    ] as const)
      one.on('error', () => other.destroy()).pipe(other);
  });
  ends.listen(0, '127.0.0.1');
  await once(ends, 'listening');
  const { port } = ends.address() as AddressInfo;
  try {
    await using zk = openTo(`localhost:${port}`, {
      sessionTimeout,
      tls: { ca: authority.cert },
      followReconfig: true,
    });
    const asked = await plain.frame();
    expect(asked.opCode).toBe(op.getData);
    const members = [
      `server.1=localhost:2888:3888:participant;${plain.port}`,
      `server.2=other.example:2888:3888:participant;${plain.port}`,
      'version=100000000',
    ];
    asked.connection.send(reply(asked, { body: Buffer.concat([bytes(members.join('\n')), stat()]) }));
    await until(() => zk.servers.length === 2, { what: 'the new servers' });
    expect([...zk.servers].sort()).toEqual([`tcp+tls://localhost:${port}`, `tcp+tls://other.example:${port}`]);
  } finally {
    ends.close();
  }
});
