/** TLS against real servers with real certificates. */
import { readFileSync } from 'node:fs';
import { lookup as systemLookup } from 'node:dns';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  acl,
  admin,
  type ClientOptions,
  ConnectError,
  createPool,
  health,
  InvalidArgumentError,
  LinkError,
  NoAuthError,
  TlsError,
  type TlsOptions,
  ZooKeeper,
} from 'zookit';
import {
  type Authority,
  type Certificate,
  Certificates,
  encryptedKey,
  pkcs12,
  replaceCertificate,
} from '../support/certificates.js';
import { startProxy } from '../support/proxy.js';
import { startServer, type ZooKeeperServer } from '../support/zookeeper.js';
import { nextEvent, until } from '../support/until.js';

const certificates = new Certificates();
let authority: Authority;
let client: Certificate;
let server: ZooKeeperServer;

/** Enough for everybody that the server takes; what is tested is taken away or put in. */
let good: TlsOptions;

beforeAll(async () => {
  authority = certificates.authority('authority');
  client = authority.issue('/O=Acme/CN=client');
  good = { caFile: authority.certFile, certFile: client.certFile, keyFile: client.keyFile };
  const keyStore = authority.issue('/CN=server', { altNames: ['DNS:localhost', 'IP:127.0.0.1'] }).bothFile;
  // The default of 3.8; from 3.9 on it is another one.
  const config = { 'ssl.protocol': 'TLSv1.2', 'ssl.enabledProtocols': 'TLSv1.2' };
  server = await startServer({ config, secure: { keyStore, trustStore: authority.certFile } });
});
afterAll(async () => {
  await server.close();
  certificates[Symbol.dispose]();
});

/** A session timeout that no loaded machine uses up. */
const patient: ClientOptions = { sessionTimeout: 30_000 };

function connect(tls: ClientOptions['tls'], host = 'localhost', options: ClientOptions = {}): Promise<ZooKeeper> {
  return ZooKeeper.connect(`${host}:${server.securePort}`, { ...patient, ...options, tls });
}

/** What the one server said. */
async function refusal(
  tls: ClientOptions['tls'],
  host = 'localhost',
  port = server.securePort,
  options = patient,
): Promise<Error> {
  await using zk = ZooKeeper.open(`${host}:${port}`, { ...options, tls });
  return await until(
    async () => {
      const error: unknown = await zk.ready({ timeout: 50 }).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(ConnectError);
      const { attempts, message } = error as ConnectError;
      expect(attempts.map((attempt) => attempt.server)).toEqual([`${host}:${port}`]);
      const reason = attempts[0]!.reason;
      expect(message).toContain(reason.message);
      return reason.message !== 'it has not answered yet' && reason;
    },
    { what: 'what the server says' },
  );
}

describe('S1: a server that wants client certificates', () => {
  const ways: readonly [string, () => ClientOptions['tls']][] = [
    ['files', () => good],
    [
      'contents',
      () => ({ ca: authority.cert, cert: readFileSync(client.certFile), key: readFileSync(client.keyFile, 'utf8') }),
    ],
    ['an encrypted key', () => ({ ...good, keyFile: undefined, key: encryptedKey(client, 'pw'), passphrase: 'pw' })],
    ['PKCS #12', () => ({ caFile: authority.certFile, pfx: pkcs12(client, 'pw'), passphrase: 'pw' })],
    [
      'PKCS #12 and a passphrase in files',
      () => ({
        caFile: authority.certFile,
        pfxFile: certificates.file('client.p12', pkcs12(client, 'pw')),
        passphraseFile: certificates.file('passphrase', 'pw\n'),
      }),
    ],
    ['a function', () => () => good],
    ['a function that takes its time', () => () => Promise.resolve(good)],
    ['an older version alone', () => ({ ...good, maxVersion: 'TLSv1.2' })],
    ['ciphers', () => ({ ...good, ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' })],
    ['a list of revoked certificates that has others', () => ({ ...good, crl: authority.revoke() })],
  ];
  it.each(ways)('takes the client, given %s', async (_, tls) => {
    await using zk = await connect(tls());
    expect(await zk.whoAmI()).toContainEqual({ scheme: 'x509', id: 'CN=client,O=Acme' });
  });

  it('is checked for the address where it is connected to by one', async () => {
    await using zk = await connect(good, '127.0.0.1');
    expect(zk.state).toBe('connected');
  });

  it('gives znodes to the owners of certificates', async () => {
    await using zk = await connect(good);
    await zk.create('/of-client', 'x', { acl: [acl.x509('CN=client,O=Acme')] });
    await zk.create('/of-creator', 'x', { acl: acl.creatorAll });
    expect((await zk.getAcl('/of-creator')).acl).toEqual((await zk.getAcl('/of-client')).acl);
    const other = authority.issue('/CN=other');
    await using stranger = await connect({ ...good, certFile: other.certFile, keyFile: other.keyFile });
    for (const path of ['/of-client', '/of-creator']) {
      expect((await zk.getData(path)).text()).toBe('x');
      await expect(stranger.getData(path)).rejects.toThrow(NoAuthError);
    }
    await using plain = await ZooKeeper.connect(server.connectString);
    await expect(plain.getData('/of-client')).rejects.toThrow(NoAuthError);
  });
});

describe('S2: certificates that are replaced', () => {
  it.each([
    ['in their files', (files: TlsOptions) => files],
    ['by the function that gives them', (files: TlsOptions) => () => Promise.resolve(files)],
  ])('%s are used from the next connection on', async (_, tls) => {
    const place = authority.issue('/CN=first');
    await using proxy = await startProxy({ host: '127.0.0.1', port: server.securePort });
    const files = { ...good, certFile: place.certFile, keyFile: place.keyFile };
    await using zk = await ZooKeeper.connect(proxy.connectString, { ...patient, tls: tls(files) });
    expect(await zk.whoAmI()).toContainEqual({ scheme: 'x509', id: 'CN=first' });
    replaceCertificate(place, authority.issue('/CN=second'));
    const connected = nextEvent(zk, 'connected');
    proxy.resetAll();
    await connected;
    expect(await zk.whoAmI()).toContainEqual({ scheme: 'x509', id: 'CN=second' });
  });
});

describe('names', () => {
  it('other than that of the host can be checked for', async () => {
    await using proxy = await startProxy({ host: '127.0.0.1', port: server.securePort });
    const named = (tls: TlsOptions): Promise<ZooKeeper> =>
      ZooKeeper.connect(`ip6-is-elsewhere:${proxy.port}`, {
        ...patient,
        connectTimeout: 15_000,
        tls,
        lookup: (_, options, callback) => systemLookup('127.0.0.1', options, callback),
      });
    await using zk = await named({ ...good, servername: 'localhost' });
    expect(zk.state).toBe('connected');
    await using unchecked = await named({ ...good, insecureSkipHostNameCheck: true });
    expect(unchecked.state).toBe('connected');
  });

  it('with a dead address among theirs are reached by another one', async () => {
    await using zk = await connect(good, 'localhost', {
      // The first one is of a network for documentation (RFC 5737): nobody answers there.
      lookup: (_hostname, _options, callback) =>
        callback(null, [
          { address: '192.0.2.1', family: 4 },
          { address: '127.0.0.1', family: 4 },
        ]),
    });
    expect(zk.state).toBe('connected');
  });
});

describe('each way that TLS fails has its error:', () => {
  const failures: readonly [TlsError['problem'], string, () => TlsOptions, RegExp][] = [
    ['untrustedCertificate', 'an authority that is not trusted', () => ({ ...good, caFile: undefined }), /tls\.ca/],
    [
      'untrustedCertificate',
      'another authority',
      () => ({ ...good, caFile: certificates.authority('another').certFile }),
      /tls\.ca/,
    ],
    ['wrongHostName', 'another name', () => ({ ...good, servername: 'zk1.example' }), /zk1\.example.*servername/],
    [
      'clientCertificateMissing',
      'no certificate of the client',
      () => ({ caFile: authority.certFile }),
      /tls\.cert and tls\.key/,
    ],
    [
      'clientCertificateRefused',
      'a certificate of the client by a stranger',
      () => {
        const stranger = certificates.authority('stranger').issue('/CN=client');
        return { ...good, certFile: stranger.certFile, keyFile: stranger.keyFile };
      },
      /refused the certificate of the client/,
    ],
    ['incompatible', 'no common version', () => ({ ...good, minVersion: 'TLSv1.3' }), /no version or cipher/],
    [
      'incompatible',
      'no common cipher',
      () => ({ ...good, ciphers: 'AES256-SHA', maxVersion: 'TLSv1.2' }),
      /no version or cipher/,
    ],
  ];
  it.each(failures)('%s: %s', async (problem, _, tls, message) => {
    const reason = await refusal(tls());
    expect(reason).toBeInstanceOf(TlsError);
    expect(reason).toMatchObject({ code: 'TLS_FAILED', problem });
    expect(reason.message).toMatch(message);
  });

  it('notTls: TLS to a plain port', async () => {
    const reason = await refusal(good, 'localhost', server.port);
    expect(reason).toMatchObject({ code: 'TLS_FAILED', problem: 'notTls' });
    expect(reason.message).toMatch(/secureClientPort/);
  });

  it('plain text to the TLS port', async () => {
    const reason = await refusal(false);
    expect(reason).toBeInstanceOf(LinkError);
    expect(reason.message).toMatch(/the option tls/);
  });

  it('timeout: a server that accepts and says nothing', async () => {
    const silent = createServer((socket) => socket.resume()).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const reason = await refusal(good, '127.0.0.1', port, { sessionTimeout: 900 });
    silent.close();
    expect(reason).toMatchObject({ code: 'TLS_FAILED', problem: 'timeout' });
    expect(reason.message).toMatch(/TLS handshake took more than \d+ ms/);
  });

  it('nobody listens: an error of the link', async () => {
    const reason = await refusal(good, '127.0.0.1', 1);
    expect(reason).toBeInstanceOf(LinkError);
    expect(reason.message).toMatch(/ECONNREFUSED/);
  });

  it('sourceFailed: the function throws', async () => {
    const reason = await refusal(() => Promise.reject(new Error('the vault is sealed')));
    expect(reason).toMatchObject({ problem: 'sourceFailed', cause: { message: 'the vault is sealed' } });
  });

  it('unreadableFile: a file that has gone since', async () => {
    const reason = await refusal(() => ({ ...good, caFile: '/no/such/file' }));
    expect(reason).toMatchObject({ problem: 'unreadableFile' });
    expect(reason.message).toMatch(/caFile cannot be read: .*\/no\/such\/file/);
  });
});

describe('the certificate of a server', () => {
  const cases: readonly [TlsError['problem'], string, () => { server: Certificate; tls: TlsOptions }][] = [
    [
      'certificateExpired',
      'that has expired',
      () => ({ server: authority.issue('/CN=old', { altNames: ['DNS:localhost'], from: -20, to: -10 }), tls: good }),
    ],
    [
      'certificateNotYetValid',
      'that is not valid yet',
      () => ({ server: authority.issue('/CN=new', { altNames: ['DNS:localhost'], from: 10, to: 20 }), tls: good }),
    ],
    [
      'certificateRevoked',
      'that was revoked',
      () => {
        const revoked = authority.issue('/CN=revoked', { altNames: ['DNS:localhost'] });
        return { server: revoked, tls: { ...good, crl: authority.revoke(revoked) } };
      },
    ],
    [
      'revocationUnknown',
      'that no list covers',
      () => ({
        server: authority.issue('/CN=server', { altNames: ['DNS:localhost'] }),
        tls: { ...good, crl: certificates.authority('elsewhere').revoke() },
      }),
    ],
  ];
  it.each(cases)('%s: %s', async (problem, _, prepare) => {
    const { server: certificate, tls } = prepare();
    await using other = await startServer({
      secure: { keyStore: certificate.bothFile, trustStore: authority.certFile },
    });
    expect(await refusal(tls, 'localhost', other.securePort)).toMatchObject({ code: 'TLS_FAILED', problem });
  });
});

describe('options that cannot be right throw at once:', () => {
  const wrong: readonly [string, () => unknown, RegExp, TlsError['problem'] | undefined][] = [
    ['a ca that is none', () => ({ ca: 'nonsense' }), /ca holds no certificate/, 'invalidMaterial'],
    [
      'a cert that is none',
      () => ({ ...good, certFile: undefined, cert: 'nonsense' }),
      /cert cannot be read/,
      'invalidMaterial',
    ],
    [
      'a key that is none',
      () => ({ ...good, keyFile: undefined, key: 'nonsense' }),
      /key cannot be read/,
      'invalidMaterial',
    ],
    ['a pfx that is none', () => ({ pfx: 'nonsense' }), /pfx cannot be read/, 'invalidMaterial'],
    ['a crl that is none', () => ({ crl: 'nonsense' }), /crl cannot be read/, 'invalidMaterial'],
    [
      'the key of another certificate',
      () => ({ ...good, keyFile: authority.issue('/CN=other').keyFile }),
      /key is not that/,
      'keyMismatch',
    ],
    ['a cert without its key', () => ({ certFile: client.certFile }), /cert and key go together/, undefined],
    ['a file that is not there', () => ({ caFile: '/no/such/file' }), /caFile cannot be read/, 'unreadableFile'],
    [
      'a wrong passphrase',
      () => ({ pfx: pkcs12(client, 'pw'), passphrase: 'sesame' }),
      /passphrase is not that of pfx/,
      'wrongPassphrase',
    ],
    [
      'no passphrase',
      () => ({ ...good, keyFile: undefined, key: encryptedKey(client, 'pw') }),
      /key is encrypted/,
      'wrongPassphrase',
    ],
    ['contents and a file', () => ({ ...good, ca: authority.cert }), /ca and caFile exclude each other/, undefined],
    [
      'pfx and cert',
      () => ({ ...good, pfx: pkcs12(client, 'pw'), passphrase: 'pw' }),
      /pfx takes the place/,
      undefined,
    ],
    ['a name that is unknown', () => ({ rejectUnauthorized: false }), /no setting "rejectUnauthorized"/, undefined],
    ['ciphers that nobody knows', () => ({ ciphers: 'NOPE' }), /Node does not take these settings/, 'invalidMaterial'],
    ['a number', () => 5, /must be true, false, an object, or a function/, undefined],
  ];
  it.each(wrong)('%s', (_, tls, message, problem) => {
    const open = (): unknown => ZooKeeper.open('localhost:2281', { tls: tls() as TlsOptions });
    expect(open).toThrow(InvalidArgumentError);
    expect(open).toThrow(message);
    expect(open).not.toThrow('sesame');
    try {
      open();
    } catch (error) {
      expect((error as { cause?: TlsError }).cause?.problem).toBe(problem);
    }
  });
});

describe('what else connects takes the same options:', () => {
  it('a pool', async () => {
    await using pool = createPool(`localhost:${server.securePort}`, { ...patient, tls: () => good });
    expect(await pool.use((zk) => zk.exists('/'))).not.toBeNull();
    expect(() => createPool('zk', { tls: { caFile: '/no/such/file' } })).toThrow(/caFile cannot be read/);
  });

  it('four-letter words and health, with the certificate of the client', async () => {
    const secure = `localhost:${server.securePort}`;
    const limits = { timeout: 20_000 };
    expect((await admin(secure, { ...limits, tls: good }).srvr()).mode).toBe('standalone');
    const refused = await admin(secure, { ...limits, tls: { ...good, servername: 'other' } })
      .srvr()
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ reason: 'tls', cause: { problem: 'wrongHostName' } });
    expect((await health(`tcp+tls://${secure}`, { ...limits, tls: () => good })).verdict).toBe('healthy');
    // What a client shows of its server is what can be asked.
    await using zk = await connect(good);
    expect((await admin(zk.session.server ?? '', { ...limits, tls: good }).srvr()).mode).toBe('standalone');
  });
});
