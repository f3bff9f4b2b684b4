/** Four-letter words, on real servers by TCP and TLS, and on what is none. */
import { createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  AbortedError,
  admin,
  type AdminError,
  CommandRefusedError,
  health,
  InvalidArgumentError,
  InvalidConnectStringError,
  NoAnswerError,
  OperationTimeoutError,
  type ServerReport,
  ServerNotServingError,
  ServerUnreachableError,
  TlsError,
  UnexpectedAnswerError,
  ZooKeeper,
} from 'zookit';
import { until } from '../support/until.js';
import { Certificates } from '../support/certificates.js';
import { startEnsemble, startServer, type ZooKeeperServer } from '../support/zookeeper.js';
import { failureOf } from './clients.js';

describe('a standalone server', () => {
  let server: ZooKeeperServer;
  let zk: ZooKeeper;

  beforeAll(async () => {
    server = await startServer();
    zk = await ZooKeeper.connect(server.connectString, { sessionTimeout: 20_000 });
    await zk.create('/a');
    await zk.create('/a/e', null, { mode: 'ephemeral' });
    await zk.getData('/a', { watch: () => undefined });
    await zk.exists('/none', { watch: () => undefined });
  }, 60_000);

  afterAll(async () => {
    await zk.close();
    await server.close();
  });

  test('srvr, stat', async () => {
    const ask = admin(server.connectString);
    expect(ask.server).toBe(server.connectString);
    const report = await ask.srvr();
    expect(report).toMatchObject({ mode: 'standalone', readOnly: false, outstanding: 0, proposals: undefined });
    expect(report.version).toMatch(/^\d+\.\d+\.\d+/);
    expect(report.zxid.greaterThanOrEqual((await zk.getData('/a')).stat.czxid)).toBe(true);
    expect(report.raw).toContain('Mode: standalone');
    const { clients, ...rest } = await ask.stat();
    expect(rest.mode).toBe('standalone');
    expect(clients.length).toBeGreaterThanOrEqual(2);
  });

  test('the server of a client: admin(zk.session.server)', async () => {
    expect((await admin(zk.session.server ?? '').srvr()).mode).toBe('standalone');
  });

  test('mntr, conf, envi, dirs', async () => {
    const ask = admin(server.connectString);
    expect(await ask.mntr()).toMatchObject({ mode: 'standalone', watches: 2, ephemerals: 1 });
    expect(await ask.conf()).toMatchObject({ clientPort: server.port, tickTime: 200, ensemble: undefined });
    expect((await ask.envi()).version).toBe((await ask.srvr()).version);
    expect((await ask.dirs()).logDirSize).toBeGreaterThan(0);
  });

  test('cons, dump, wchs, wchc, wchp name the session', async () => {
    const ask = admin(server.connectString);
    const { id } = zk.session;
    const mine = (await ask.cons()).connections.find(({ session }) => session?.id.equals(id) === true);
    expect(mine?.session).toMatchObject({ timeout: 20_000 });
    const { sessions, ephemerals } = await ask.dump();
    expect(sessions.some((session) => session.id.equals(id))).toBe(true);
    expect(ephemerals).toEqual([{ session: id, paths: ['/a/e'] }]);
    expect(await ask.wchs()).toMatchObject({ connections: 1, paths: 2, watches: 2 });
    const [bySession] = (await ask.wchc()).sessions;
    expect([bySession?.session, [...(bySession?.paths ?? [])].sort()]).toEqual([id, ['/a', '/none']]);
    const { paths } = await ask.wchp();
    expect(paths.map(({ path }) => path).sort()).toEqual(['/a', '/none']);
    expect(paths.every(({ sessions: watching }) => watching[0]?.equals(id) === true)).toBe(true);
  });

  test('ruok, isro, crst, srst', async () => {
    const ask = admin(server.connectString);
    await ask.ruok();
    expect(await ask.isro()).toBe(false);
    await ask.crst();
    await ask.srst();
    expect((await ask.srvr()).packetsSent).toBeLessThan(3);
  });

  test('any other word, as text', async () => {
    expect(await admin(server.connectString).command('gtmk')).toBe('306');
  });

  test('a word that no server knows is answered by nobody', async () => {
    const error = await failureOf(admin(server.connectString).command('abcd'));
    expect(error).toBeInstanceOf(NoAnswerError);
    expect(error).toMatchObject({ code: 'NO_ANSWER', server: server.connectString, operation: 'abcd' });
  });

  test('a paused server ends in a timeout, or when the signal fires', async () => {
    server.pause();
    try {
      // Long enough to send the word, also where the machine is busy.
      const ask = admin(server.connectString, { timeout: 1_000 });
      const error = await failureOf(ask.srvr());
      expect(error).toBeInstanceOf(OperationTimeoutError);
      expect(error).toMatchObject({ mayHaveBeenApplied: false });
      expect(await failureOf(ask.srst())).toMatchObject({ mayHaveBeenApplied: true });
      const abort = new AbortController();
      const aborted = failureOf(ask.srvr({ signal: abort.signal, timeout: 20_000 }));
      abort.abort('why');
      expect(await aborted).toBeInstanceOf(AbortedError);
      expect(await aborted).toMatchObject({ cause: 'why' });
    } finally {
      server.resume();
    }
  });
});

test('what is not on the whitelist is refused; srvr is always answered', async () => {
  await using server = await startServer({ config: { '4lw.commands.whitelist': 'ruok' } });
  const ask = admin(server.connectString);
  await ask.ruok();
  expect((await ask.srvr()).mode).toBe('standalone');
  for (const refused of [ask.mntr(), ask.isro(), ask.crst(), ask.stat()]) {
    expect(await failureOf(refused)).toBeInstanceOf(CommandRefusedError);
  }
  expect(await failureOf(ask.conf())).toMatchObject({ code: 'COMMAND_REFUSED', operation: 'conf' });
}, 60_000);

test('a server without a quorum does not serve', async () => {
  await using ensemble = await startEnsemble(3);
  const leader = await ensemble.leader();
  const report: ServerReport = await admin(leader.connectString).srvr();
  expect(report).toMatchObject({ mode: 'leader', proposals: expect.objectContaining({ max: expect.any(Number) }) });
  const config = await admin(leader.connectString).conf();
  expect(config.serverId).toBe(leader.id);
  expect(config.ensemble?.servers.map(({ id }) => id)).toEqual([1, 2, 3]);
  const [one, ...others] = ensemble.servers;
  await Promise.all(others.map((server) => server.kill()));
  const ask = admin(one!.connectString);
  const outcome = async (): Promise<unknown> => ask.srvr().catch((error: unknown) => error);
  // It takes a while to see that the others are gone, and closes its connections then.
  await until(async () => (await outcome()) instanceof ServerNotServingError, { what: 'the server to notice' });
  expect(await failureOf(ask.isro())).toBeInstanceOf(ServerNotServingError);
  expect(await failureOf(ask.mntr())).toBeInstanceOf(ServerNotServingError);
  await ask.ruok();
}, 90_000);

describe('by TLS', () => {
  const certificates = new Certificates();
  let server: ZooKeeperServer;
  let secure: string;
  let ca: string;

  beforeAll(async () => {
    const authority = certificates.authority('authority');
    ca = authority.cert;
    const { bothFile } = authority.issue('/CN=server', { altNames: ['IP:127.0.0.1'] });
    server = await startServer({
      secure: { keyStore: bothFile, trustStore: authority.certFile, clientAuth: 'none' },
    });
    secure = `127.0.0.1:${server.securePort}`;
  }, 60_000);

  afterAll(async () => {
    await server.close();
    certificates[Symbol.dispose]();
  });

  test('a word is asked and answered', async () => {
    const ask = admin(secure, { tls: { ca }, timeout: 20_000 });
    expect((await ask.srvr()).mode).toBe('standalone');
    expect((await ask.cons()).connections.length).toBeGreaterThan(0);
    await ask.ruok();
  });

  test('a certificate that is not trusted is refused', async () => {
    const error = await failureOf(admin(secure, { tls: true, timeout: 20_000 }).srvr());
    expect(error).toBeInstanceOf(ServerUnreachableError);
    expect(error).toMatchObject({ reason: 'tls', server: secure });
    expect((error as Error).cause).toBeInstanceOf(TlsError);
    expect((error as Error).cause).toMatchObject({ problem: 'untrustedCertificate' });
  });

  test('the address says where TLS is spoken, before the option', async () => {
    const [byTls, plain] = [`tcp+tls://${secure}`, `tcp://${server.connectString}`];
    const options = { tls: () => ({ ca }), timeout: 20_000 };
    expect((await admin(byTls, options).srvr()).mode).toBe('standalone');
    expect((await admin(plain, options).srvr()).mode).toBe('standalone');
    expect(admin(plain, options).server).toBe(plain);
    expect(await failureOf(admin(byTls, { timeout: 20_000 }).srvr())).toMatchObject({ reason: 'tls' });
    const { servers } = await health(`${byTls},${plain}`, options);
    expect(servers.map(({ server: asked, state }) => [asked, state])).toEqual([
      [byTls, 'serving'],
      [plain, 'serving'],
    ]);
  });

  test('a function that gives no settings', async () => {
    const options = { tls: () => ({ cc: 'typing error' }) as object, timeout: 20_000 };
    expect(await failureOf(admin(secure, options).srvr())).toBeInstanceOf(InvalidArgumentError);
    expect(await failureOf(health(secure, options))).toBeInstanceOf(InvalidArgumentError);
    const failing = { tls: () => Promise.reject(new Error('the vault is closed')), timeout: 20_000 };
    expect(await failureOf(admin(secure, failing).srvr())).toMatchObject({
      reason: 'tls',
      message: expect.stringContaining('the vault is closed'),
    });
  });

  test('TLS to a port that speaks none', async () => {
    const error = await failureOf(admin(server.connectString, { tls: { ca }, timeout: 20_000 }).srvr());
    expect(error).toMatchObject({ code: 'SERVER_UNREACHABLE', reason: 'tls' });
  });

  test('no TLS to a port that wants it', async () => {
    expect(await failureOf(admin(secure, { timeout: 20_000 }).srvr())).toMatchObject({
      code: expect.stringMatching(/NO_ANSWER|UNEXPECTED_ANSWER/),
    });
  });

  test('options that are none', () => {
    expect(() => admin(secure, { tls: { key: 'no key', cert: 'no certificate' } })).toThrow(InvalidArgumentError);
  });
});

describe('what is no ZooKeeper', () => {
  /** Asks `srvr` of a server that does this with its connections. */
  async function failureAt(answer: (socket: Socket) => void, options = {}): Promise<AdminError> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket.on('error', () => undefined));
      answer(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    try {
      return (await failureOf(admin(`127.0.0.1:${port}`, options).srvr())) as AdminError;
    } finally {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  test('another protocol', async () => {
    const error = await failureAt((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    expect(error).toBeInstanceOf(UnexpectedAnswerError);
    expect(error.message).toContain('HTTP/1.1 400');
  });

  test('no answer, and the end', async () => {
    expect(await failureAt((socket) => socket.end())).toBeInstanceOf(NoAnswerError);
    expect(await failureAt((socket) => socket.once('data', () => socket.resetAndDestroy()))).toBeInstanceOf(
      NoAnswerError,
    );
  });

  test('half an answer', async () => {
    const half = (socket: Socket): void => {
      socket.once('data', () => socket.end('Zookeeper version: 3.8.0\nLatency min/avg/max: 0/1'));
    };
    expect(await failureAt(half)).toBeInstanceOf(UnexpectedAnswerError);
    const cut = (socket: Socket): void => {
      socket.once('data', () => socket.write('Zookeeper version', () => socket.resetAndDestroy()));
    };
    expect((await failureAt(cut)).code).toMatch(/NO_ANSWER|UNEXPECTED_ANSWER/);
  });

  test('silence, and half an answer and silence', async () => {
    expect(await failureAt(() => undefined, { timeout: 50 })).toBeInstanceOf(OperationTimeoutError);
    expect(await failureAt((socket) => socket.write('Zookeeper'), { timeout: 50 })).toBeInstanceOf(
      OperationTimeoutError,
    );
  });

  test('an answer without end', async () => {
    const flood = (socket: Socket): void => {
      const more = (): void => void socket.write(Buffer.alloc(64 * 1024, 'x'), (error) => error ?? setImmediate(more));
      more();
    };
    const error = await failureAt(flood, { maxAnswerBytes: 1_000_000, timeout: 20_000 });
    expect(error).toBeInstanceOf(UnexpectedAnswerError);
    expect(error.message).toContain('more than 1000000 bytes');
  });

  test('nobody', async () => {
    const error = await failureOf(admin('127.0.0.1:1').srvr());
    expect(error).toMatchObject({ code: 'SERVER_UNREACHABLE', reason: 'refused', server: '127.0.0.1:1' });
    expect(await failureOf(admin('no-such-host.invalid', { timeout: 20_000 }).srvr())).toMatchObject({
      reason: 'network',
    });
  });

  test('a name with several addresses, and nobody at any of them', async () => {
    const lookup = (
      _: string,
      __: object,
      done: (error: null, all: { address: string; family: number }[]) => void,
    ): void =>
      done(null, [
        { address: '127.0.0.1', family: 4 },
        { address: '127.0.0.2', family: 4 },
      ]);
    const error = await failureOf(admin('zk:1', { lookup }).srvr());
    expect(error).toMatchObject({ reason: 'refused' });
    expect(String(error)).toContain('127.0.0.2:1');
  });
});

describe('bad input is refused:', () => {
  test('servers that are none, or several', () => {
    expect(() => admin('')).toThrow(InvalidConnectStringError);
    expect(() => admin('zk1:x')).toThrow(InvalidConnectStringError);
    expect(() => admin('zk1,zk2')).toThrow(InvalidArgumentError);
    expect(() => admin('zk1/chroot')).toThrow(InvalidArgumentError);
  });

  test('SRV records, which name several servers', () => {
    expect(() => admin('dns-srv://zk.example')).toThrow(InvalidArgumentError);
    expect(() => admin('dns-srv://zk.example')).toThrow('health()');
  });

  test.each([{ timeout: -1 }, { timeout: NaN }, { maxAnswerBytes: 0 }, { tls: 'yes' }, { lookup: 1 }, { tmeout: 1 }])(
    'the options %j',
    (options) => {
      expect(() => admin('zk1', options as object)).toThrow(InvalidArgumentError);
    },
  );

  test('limits and words', async () => {
    const ask = admin('127.0.0.1:1');
    expect(await failureOf(ask.srvr({ timeout: -1 }))).toBeInstanceOf(InvalidArgumentError);
    expect(await failureOf(ask.srvr({ signal: {} as AbortSignal }))).toBeInstanceOf(InvalidArgumentError);
    expect(await failureOf(ask.srvr({ tiemout: 1 } as object))).toBeInstanceOf(InvalidArgumentError);
    expect(await failureOf(ask.command('five5'))).toBeInstanceOf(InvalidArgumentError);
    expect(await failureOf(ask.srvr({ signal: AbortSignal.abort() }))).toBeInstanceOf(AbortedError);
  });
});
