import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { runImage, type Variables } from './image.js';

// Whoever gets something wrong is told what, where, and what would be right, before anything starts.

const folder = mkdtempSync(join(tmpdir(), 'zookit-image-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
// The image's user is not the one who runs the tests.
chmodSync(folder, 0o755);
const mount = ['--volume', `${folder}:/given:ro`];
writeFileSync(join(folder, 'no-pem'), 'not what you think');
writeFileSync(join(folder, 'cert.pem'), '-----BEGIN CERTIFICATE-----\n');
writeFileSync(join(folder, 'key.pem'), '-----BEGIN PRIVATE KEY-----\n');
writeFileSync(join(folder, 'old-key.pem'), '-----BEGIN RSA PRIVATE KEY-----\n');
writeFileSync(join(folder, 'secret'), 'swordfish');

const three = 'server.1=a:2888:3888;2181 server.2=b:2888:3888;2181 server.3=c:2888:3888;2181';
const tls = { ZOO_TLS_CLIENT_PORT: '2281', ZOO_TLS_CERT: '/given/cert.pem', ZOO_TLS_KEY: '/given/key.pem' };

/** What is given, and the one line that comes of it. */
const cases: readonly (readonly [what: string, given: Variables, line: RegExp])[] = [
  ['an id outside the list', { ZOO_SERVERS: three, ZOO_MY_ID: '4' }, /^ZOO_MY_ID: 4 is none of .* which are 1 2 3$/],
  [
    'an id that is no number',
    { ZOO_SERVERS: three, ZOO_MY_ID: 'two' },
    /^ZOO_MY_ID: 'two' is no number from 1 to 255$/,
  ],
  ['an id that is 0', { ZOO_SERVERS: three, ZOO_MY_ID: '0' }, /^ZOO_MY_ID: '0' is no number from 1 to 255$/],
  ['an id above 255', { ZOO_SERVERS: three, ZOO_MY_ID: '256' }, /^ZOO_MY_ID: '256' is no number from 1 to 255$/],
  ['a template', { ZOO_SERVERS: three, ZOO_MY_ID: '{{.Task.Slot}}' }, /^ZOO_MY_ID: '{{.Task.Slot}}' is a template/],
  ['no id', { ZOO_SERVERS: three }, /^ZOO_MY_ID is not set, and the host name nameless does not tell/],
  [
    'an id twice',
    { ZOO_SERVERS: 'server.1=a:2888:3888;2181 server.1=b:2888:3888;2181', ZOO_MY_ID: '1' },
    /^ZOO_SERVERS: there are two servers with the id 1: 'a:2888:3888;2181' and 'b:2888:3888;2181'$/,
  ],
  [
    'an address twice',
    { ZOO_SERVERS: 'server.1=a:2888:3888 server.2=a:2888:3888', ZOO_MY_ID: '1' },
    /^ZOO_SERVERS: server.1 and server.2 have the same address a:2888:3888$/,
  ],
  ['no server', { ZOO_SERVERS: ' ' }, /^ZOO_SERVERS has no server/],
  ['a line without an id', { ZOO_SERVERS: 'a:2888:3888;2181' }, /^ZOO_SERVERS: 'a:2888:3888;2181' is not of the form/],
  [
    'a line with a comma',
    { ZOO_SERVERS: three.replaceAll(' ', ','), ZOO_MY_ID: '1' },
    /has a comma; between servers there are blanks$/,
  ],
  ['an id in words', { ZOO_SERVERS: 'server.one=a:2888:3888' }, /the id 'one' is no number from 1 to 255$/],
  [
    'a missing port',
    { ZOO_SERVERS: 'server.1=a:2888;2181' },
    /^ZOO_SERVERS: server.1: 'a:2888;2181' is not of the form/,
  ],
  ['a port in words', { ZOO_SERVERS: 'server.1=a:zab:3888' }, /^ZOO_SERVERS: server.1: 'zab' in .* is no port/],
  ['a port that is too large', { ZOO_SERVERS: 'server.1=a:2888:70000' }, /'70000' in .* is no port/],
  ['a port for clients in words', { ZOO_SERVERS: 'server.1=a:2888:3888;www' }, /'www' in .* is no port/],
  ['one port for both', { ZOO_SERVERS: 'server.1=a:2888:2888' }, /the two ports in 'a:2888:2888' are the same/],
  [
    'an unknown role',
    { ZOO_SERVERS: 'server.1=a:2888:3888:voter' },
    /'voter' in .* is neither participant nor observer$/,
  ],
  [
    'only observers',
    { ZOO_SERVERS: 'server.1=a:2888:3888:observer', ZOO_STANDALONE_ENABLED: 'false' },
    /only observers/,
  ],
  [
    'one participant and an observer',
    { ZOO_SERVERS: 'server.1=a:2888:3888 server.2=b:2888:3888:observer', ZOO_MY_ID: '1' },
    /takes ZOO_STANDALONE_ENABLED=false$/,
  ],
  ['a time in words', { ZOO_TICK_TIME: '2s' }, /^ZOO_TICK_TIME: '2s' is no number from 1 up$/],
  ['a time of nothing', { ZOO_INIT_LIMIT: '0' }, /^ZOO_INIT_LIMIT: '0' is no number from 1 up$/],
  ['a negative limit', { ZOO_MAX_CLIENT_CNXNS: '-1' }, /^ZOO_MAX_CLIENT_CNXNS: '-1' is no number from 0 up$/],
  [
    'a flag that is none',
    { ZOO_ADMINSERVER_ENABLED: 'yes' },
    /^ZOO_ADMINSERVER_ENABLED: 'yes' is neither true nor false$/,
  ],
  ['a port', { ZOO_METRICS_PORT: 'off' }, /^ZOO_METRICS_PORT: 'off' is neither a port, 1 to 65535, nor none$/],
  ['a folder', { ZOO_DATA_DIR: 'data' }, /^ZOO_DATA_DIR: 'data' is no absolute path$/],
  ['a level', { ZOO_LOG_LEVEL: 'loud' }, /^ZOO_LOG_LEVEL: 'loud' is none of trace, debug, info, warn, error and off$/],
  ['a heap', { ZK_SERVER_HEAP: '1g' }, /^ZK_SERVER_HEAP: '1g' is no number of megabytes$/],
  ['an extra setting without a value', { ZOO_CFG_EXTRA: 'a=1 b' }, /^ZOO_CFG_EXTRA: 'b' is not of the form NAME=VALUE/],
  [
    'an extra server',
    { ZOO_CFG_EXTRA: 'server.2=b:1:2' },
    /^ZOO_CFG_EXTRA: 'server.2=b:1:2' belongs into ZOO_SERVERS$/,
  ],
  ['an extra folder', { ZOO_CFG_EXTRA: 'dataDir=/x' }, /^ZOO_CFG_EXTRA: dataDir is set by ZOO_DATA_DIR$/],
  [
    'a file that is not there',
    { ZOO_SUPER_PASSWORD_FILE: '/given/none' },
    /^ZOO_SUPER_PASSWORD_FILE: \/given\/none cannot/,
  ],
  [
    'a value and a file',
    { ZOO_SUPER_PASSWORD_FILE: '/given/secret', ZOO_SUPER_PASSWORD: 'x' },
    /^ZOO_SUPER_PASSWORD and ZOO_SUPER_PASSWORD_FILE are both set; which one counts\?$/,
  ],
  ['a user without a password', { ZOO_SASL_USERS: 'bob:secret alice' }, /^ZOO_SASL_USERS: .* form user:password$/],
  ['SASL required of nobody', { ZOO_SASL_REQUIRED: 'true' }, /^ZOO_SASL_REQUIRED=true without ZOO_SASL_USERS/],
  [
    'no port at all',
    { ZOO_CLIENT_PORT: 'none', ZOO_SERVERS: 'server.1=a:1:2' },
    /are both none: no client could connect$/,
  ],
  [
    'a port for clients in the list, and none',
    { ...tls, ZOO_CLIENT_PORT: 'none' },
    /^ZOO_SERVERS: server.1: .* has a port for clients, which ZOO_CLIENT_PORT=none forbids/,
  ],
  [
    'TLS without a certificate',
    { ZOO_TLS_CLIENT_PORT: '2281', ZOO_TLS_KEY: '/given/key.pem' },
    /^ZOO_TLS_CERT is not set/,
  ],
  [
    'a certificate that is not there',
    { ...tls, ZOO_TLS_CERT: '/given/none' },
    /^ZOO_TLS_CERT: \/given\/none cannot be read/,
  ],
  ['a certificate that is none', { ...tls, ZOO_TLS_CERT: '/given/no-pem' }, /no '-----BEGIN CERTIFICATE-----' in/],
  ['a key that is none', { ...tls, ZOO_TLS_KEY: '/given/no-pem' }, /no '-----BEGIN PRIVATE KEY-----' in/],
  ['a key in the old form', { ...tls, ZOO_TLS_KEY: '/given/old-key.pem' }, /PKCS #1; ZooKeeper reads PKCS #8/],
  ['a wish of certificates', { ...tls, ZOO_TLS_CLIENT_AUTH: 'maybe' }, /'maybe' is none of need, want and none$/],
  ['certificates of nobody', { ...tls, ZOO_TLS_CLIENT_AUTH: 'need' }, /^ZOO_TLS_CLIENT_AUTH=need takes ZOO_TLS_CA/],
  ['a quorum by TLS without authorities', { ...tls, ZOO_TLS_QUORUM: 'true' }, /^ZOO_TLS_QUORUM=true takes ZOO_TLS_CA/],
];

describe('a configuration that is wrong', () => {
  it.each(cases)('%s: one clear line, and exit 64', async (_, given, line) => {
    const options = [...mount, '--hostname', 'nameless'];
    const { code, stdout, stderr } = await runImage(given, [], options);
    const lines = stderr.trim().split('\n');
    expect(lines.map((one) => one.replace(/^zookeeper: /, ''))).toEqual([expect.stringMatching(line)]);
    expect({ code, stdout }).toEqual({ code: 64, stdout: '' });
  });

  it('tells all that is wrong at once', async () => {
    const { code, stderr } = await runImage({ ZOO_TICK_TIME: 'x', ZOO_SYNC_LIMIT: 'y', ZOO_LOG_LEVEL: 'z' }, []);
    expect(code).toBe(64);
    expect(stderr.trim().split('\n')).toHaveLength(3);
  });

  it('never tells a secret', async () => {
    const secret = 'sw0rdfish';
    const given = { ZOO_SASL_USERS: `bob:${secret} ${secret}`, ZOO_SUPER_PASSWORD: secret, ZOO_TICK_TIME: 'x' };
    const { code, stdout, stderr } = await runImage(given, []);
    expect(code).toBe(64);
    expect(stdout + stderr).not.toContain(secret);
  });

  it('refuses the data of another member', async () => {
    const script = 'echo 2 >/data/myid && exec entrypoint';
    const { code, stderr } = await runImage({ ZOO_SERVERS: three, ZOO_MY_ID: '1' }, ['bash', '-c', script]);
    expect({ code, stderr }).toEqual({
      code: 64,
      stderr: 'zookeeper: ZOO_MY_ID: it is 1, but the data in /data belong to server 2; is this the wrong volume?\n',
    });
  });

  it('refuses a folder that it cannot write to', async () => {
    const { code, stderr } = await runImage({}, [], ['--user', '4711:4711']);
    expect(code).toBe(64);
    expect(stderr).toContain(
      'zookeeper: ZOO_DATA_DIR: user 4711:4711 cannot write to /data; mount a volume, or on the host',
    );
  });

  it('refuses a heap that the container has no memory for, and a container without enough', async () => {
    const tooMuch = await runImage({ ZK_SERVER_HEAP: '512' }, [], ['--memory', '256m']);
    expect(tooMuch).toMatchObject({ code: 64, stderr: expect.stringContaining('do not fit into the 256 MB') });
    const tooSmall = await runImage({}, [], ['--memory', '64m']);
    expect(tooSmall).toMatchObject({ code: 64, stderr: expect.stringContaining('has 64 MB of memory') });
  });

  it('tells of a variable that it does not know, and goes on', async () => {
    const { code, stderr } = await runImage({ ZOO_TICKTIME: '1', ZOO_PORT: 'tcp://10.0.0.1:2181' }, ['config']);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: 'zookeeper: note: ZOO_TICKTIME is no variable of this image, so it is not used\n',
    });
  });
});
