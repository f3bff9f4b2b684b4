/** The AdminServer of real servers, by HTTP and HTTPS, and what is none. */
import { createServer, type RequestListener } from 'node:http';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import {
  AbortedError,
  admin,
  type AdminError,
  adminServer,
  CommandRefusedError,
  InvalidArgumentError,
  NoAnswerError,
  OperationTimeoutError,
  ServerNotServingError,
  ServerUnreachableError,
  UnexpectedAnswerError,
  ZooKeeper,
} from 'zookit';
import { freePort } from '../support/ports.cjs';
import { Certificates, pkcs12 } from '../support/certificates.js';
import { startServer, superAuth, type ZooKeeperServer } from '../support/zookeeper.js';
import { failureOf } from './clients.js';

describe('a standalone server', () => {
  let server: ZooKeeperServer;
  let address: string;
  let zk: ZooKeeper;

  beforeAll(async () => {
    const port = await freePort();
    address = `http://127.0.0.1:${port}`;
    server = await startServer({
      config: { 'admin.enableServer': true, 'admin.serverPort': port, 'admin.serverAddress': '127.0.0.1' },
    });
    zk = await ZooKeeper.connect(server.connectString, { sessionTimeout: 20_000 });
    await zk.create('/a');
    await zk.create('/a/e', null, { mode: 'ephemeral' });
    await zk.getData('/a', { watch: () => undefined });
  }, 60_000);

  afterAll(async () => {
    await zk.close();
    await server.close();
  });

  const ask = () => adminServer(address, { timeout: 20_000 });

  test('says the same as four-letter words', async () => {
    const words = admin(server.connectString);
    const http = ask();
    expect(http.server).toBe(`${address}/commands`);
    expect((await http.srvr()).version).toBe((await words.srvr()).version);
    expect((await http.srvr()).zxid).toEqual((await words.srvr()).zxid);
    expect(await http.stat()).toMatchObject({ mode: 'standalone', readOnly: false });
    expect(await http.mntr()).toMatchObject({ mode: 'standalone', watches: 1, ephemerals: 1 });
    expect(await http.conf()).toMatchObject({ clientPort: server.port, tickTime: 200 });
    expect((await http.envi()).version).toBe((await words.envi()).version);
    expect((await http.dirs()).logDirSize).toBe((await words.dirs()).logDirSize);
    expect(await http.isro()).toBe(false);
    await http.ruok();
    await http.crst();
    await http.srst();
  });

  test('session ids, to the last digit', async () => {
    const { id } = zk.session;
    expect((await ask().cons()).connections.map(({ session }) => session?.id)).toContainEqual(id);
    const { sessions, ephemerals } = await ask().dump();
    expect(sessions.map((session) => session.id)).toContainEqual(id);
    expect(ephemerals).toEqual([{ session: id, paths: ['/a/e'] }]);
    expect(await ask().wchs()).toMatchObject({ connections: 1, paths: 1, watches: 1 });
    expect((await ask().wchc()).sessions).toEqual([{ session: id, paths: ['/a'] }]);
    expect((await ask().wchp()).paths).toEqual([{ path: '/a', sessions: [id] }]);
  });

  test('any command, with parameters', async () => {
    const { fields, raw } = await ask().command('set_trace_mask', { traceMask: 306 });
    expect(fields).toMatchObject({ command: 'set_trace_mask', tracemask: 306 });
    expect(raw).toContain('"tracemask"');
  });

  test('commands that are not known, not for this server, or not by POST are refused', async () => {
    const error = await failureOf(ask().command('no_such_command'));
    expect(error).toBeInstanceOf(CommandRefusedError);
    expect(String(error)).toContain('Unknown command');
    expect(await failureOf(ask().leader())).toBeInstanceOf(CommandRefusedError);
    expect(await failureOf(ask().post('ruok', ''))).toBeInstanceOf(CommandRefusedError);
  });

  test('a path that is not that of the commands', async () => {
    expect(await failureOf(adminServer(`${address}/elsewhere`).ruok())).toBeInstanceOf(UnexpectedAnswerError);
  });

  test('a paused server', async () => {
    server.pause();
    try {
      expect(await failureOf(ask().srvr({ timeout: 100 }))).toBeInstanceOf(OperationTimeoutError);
      const abort = new AbortController();
      const aborted = failureOf(ask().srvr({ signal: abort.signal }));
      abort.abort();
      expect(await aborted).toBeInstanceOf(AbortedError);
    } finally {
      server.resume();
    }
  });
});

test('HTTPS', async () => {
  using certificates = new Certificates();
  const authority = certificates.authority('authority');
  const issued = authority.issue('/CN=server', { altNames: ['IP:127.0.0.1'] });
  const store = certificates.file('store.p12', pkcs12(issued, 'secret'));
  const port = await freePort();
  await using _server = await startServer({
    config: {
      'admin.enableServer': true,
      'admin.serverPort': port,
      'admin.serverAddress': '127.0.0.1',
      'admin.portUnification': true,
      'ssl.quorum.keyStore.location': store,
      'ssl.quorum.keyStore.password': 'secret',
      'ssl.quorum.trustStore.location': store,
      'ssl.quorum.trustStore.password': 'secret',
    },
  });
  const address = `https://127.0.0.1:${port}`;
  for (const tls of [{ ca: authority.cert }, { caFile: authority.certFile }, async () => ({ ca: authority.cert })]) {
    const ask = adminServer(address, { tls, timeout: 20_000 });
    expect((await ask.srvr()).mode).toBe('standalone');
  }
  const error = await failureOf(adminServer(address, { timeout: 20_000 }).srvr());
  expect(error).toBeInstanceOf(ServerUnreachableError);
  expect(error).toMatchObject({ reason: 'tls' });
}, 60_000);

describe('fakes', () => {
  /** What `use` comes to at a server that answers like this. */
  async function at<T>(answer: RequestListener, use: (address: string) => Promise<T>): Promise<T> {
    const server = createServer(answer);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      return await use(`http://127.0.0.1:${(server.address() as { port: number }).port}`);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  const failureAt = (answer: RequestListener, options = {}) =>
    at(answer, (address) => failureOf(adminServer(address, options).srvr())) as Promise<AdminError>;

  const json =
    (status: number, body: string): RequestListener =>
    (_, response) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(body);
    };

  test('a server without a quorum', async () => {
    const error = 'This ZooKeeper instance is not currently serving requests';
    expect(await failureAt(json(200, JSON.stringify({ command: 'srvr', error })))).toBeInstanceOf(
      ServerNotServingError,
    );
  });

  test('credentials that are missing or wrong', async () => {
    for (const [status, error] of [
      [401, 'Not authenticated'],
      [403, 'Not authorized'],
    ] as const) {
      const refused = await failureAt(json(status, JSON.stringify({ command: 'snapshot', error })));
      expect(refused).toBeInstanceOf(CommandRefusedError);
      expect(refused.message).toContain(error);
    }
  });

  test('credentials and bodies are sent, and bytes come back', async () => {
    const seen: unknown[] = [];
    const answer: RequestListener = (request, response) => {
      const chunks: Buffer[] = [];
      request
        .on('data', (chunk: Buffer) => chunks.push(chunk))
        .on('end', () => {
          seen.push([request.method, request.url, request.headers.authorization, Buffer.concat(chunks).toString()]);
          response
            .writeHead(200, { 'content-type': 'application/octet-stream', last_zxid: '0x5' })
            .end(Buffer.of(0, 255));
        });
    };
    await at(answer, async (address) => {
      const ask = adminServer(address, { authorization: `digest ${superAuth.auth}` });
      const { data, headers, fields } = await ask.command('snapshot', { streaming: true });
      expect([data, headers.last_zxid, fields]).toEqual([Buffer.of(0, 255), '0x5', {}]);
      await ask.post('restore', 'the snapshot');
      expect(JSON.stringify(ask) + inspect(ask, { showHidden: true, depth: 9 })).not.toContain('secret');
    });
    expect(seen).toEqual([
      ['GET', '/commands/snapshot?streaming=true', 'digest super:secret', ''],
      ['POST', '/commands/restore', 'digest super:secret', 'the snapshot'],
    ]);
  });

  test('another site, broken JSON, an error of the server', async () => {
    const html: RequestListener = (_, response) =>
      void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>');
    expect(await failureAt(html)).toBeInstanceOf(UnexpectedAnswerError);
    expect(await failureAt(json(200, '{ "a": '))).toBeInstanceOf(UnexpectedAnswerError);
    expect(await failureAt(json(200, '{ "a": 1 }'))).toBeInstanceOf(UnexpectedAnswerError);
    expect(await failureAt(json(200, '[]'))).toBeInstanceOf(UnexpectedAnswerError);
    const broken: RequestListener = (_, response) => void response.writeHead(500).end('java.lang.Error');
    expect((await failureAt(broken)).message).toContain('HTTP 500');
    const moved: RequestListener = (_, response) => void response.writeHead(302, { location: 'http://else' }).end();
    expect((await failureAt(moved)).message).toContain('HTTP 302');
  });

  test('no answer, half an answer, too much of an answer', async () => {
    expect(await failureAt((request) => request.socket.destroy())).toBeInstanceOf(NoAnswerError);
    const half: RequestListener = (request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
      response.write('{', () => request.socket.destroy());
    };
    expect(await failureAt(half)).toBeInstanceOf(NoAnswerError);
    expect(await failureAt(json(200, ' '.repeat(2_000)), { maxAnswerBytes: 1_000 })).toBeInstanceOf(
      UnexpectedAnswerError,
    );
  });

  test('nobody, and https where there is http', async () => {
    expect(await failureOf(adminServer('http://127.0.0.1:1').srvr())).toMatchObject({ reason: 'refused' });
    const error = await at(json(200, '{}'), (address) =>
      failureOf(adminServer(address.replace('http', 'https')).srvr()),
    );
    expect(error).toBeInstanceOf(ServerUnreachableError);
    expect(error).toMatchObject({ reason: 'tls' });
  });
});

describe('bad input is refused:', () => {
  test.each(['', 'zk1:8080', 'ftp://zk1', 'http://', 'http://user:pass@zk1', 'http://zk1?a=1', 'http://zk1#a'])(
    '%j',
    (address) => {
      expect(() => adminServer(address)).toThrow(InvalidArgumentError);
      expect(() => adminServer(address)).not.toThrow('pass');
    },
  );

  test('options, commands', async () => {
    expect(() => adminServer('http://zk1', { authorization: 'a\r\nb' })).toThrow(InvalidArgumentError);
    expect(() => adminServer('http://zk1', { auth: 'x' } as object)).toThrow(InvalidArgumentError);
    expect(await failureOf(adminServer('http://127.0.0.1:1').command('../x'))).toBeInstanceOf(InvalidArgumentError);
    expect(() => adminServer('https://127.0.0.1:1', { tls: { key: 'none', cert: 'none' } })).toThrow(
      InvalidArgumentError,
    );
  });
});
