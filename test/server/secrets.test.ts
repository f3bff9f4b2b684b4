/** V2: secrets appear in no log, no error, and nothing that is inspected. */
import { inspect } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import createDebug from 'debug';
import { acl, type ClientOptions, ZooKeeper } from 'zookit';
import { Certificates, encryptedKey, pkcs12 } from '../support/certificates.js';
import { startProxy } from '../support/proxy.js';
import { sharedServer } from '../support/shared.js';
import { nextEvent } from '../support/until.js';
import { useClients } from './clients.js';

const clients = useClients();
const secrets = {
  digest: 'digest-secret-1',
  added: 'added-secret-2',
  sasl: 'sasl-secret-3',
  passphrase: 'passphrase-secret-4',
  vault: 'vault-secret-5',
};

const lines: string[] = [];
const { log } = createDebug;

beforeAll(() => {
  createDebug.log = (...values: unknown[]) => lines.push(values.map((value) => inspect(value)).join(' '));
  createDebug.enable('zookit:*');
});
afterAll(() => {
  createDebug.disable();
  createDebug.log = log;
});

/** All that a curious reader could see of a value. */
function everythingOf(value: unknown): string {
  const seen = inspect(value, { depth: Infinity, showHidden: true, getters: true, maxStringLength: Infinity });
  return `${seen} ${String(value)} ${value instanceof Error ? (value.stack ?? '') : ''} ${json(value)}`;
}

function json(value: unknown): string {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    return '';
  }
}

function expectNoSecret(text: string, ...more: readonly string[]): void {
  for (const secret of [...Object.values(secrets), ...more]) {
    for (const form of [
      secret,
      Buffer.from(secret).toString('base64').replace(/=+$/, ''),
      Buffer.from(secret).toString('hex'),
    ]) {
      if (text.includes(form)) throw new Error(`${secret} appears in: ${text.slice(0, 2_000)}`);
    }
  }
}

test('V2: over a life of connects, reconnects and failures no secret is seen', async () => {
  using certificates = new Certificates();
  const client = certificates.authority('authority').issue('/CN=client');
  const key = encryptedKey(client, secrets.passphrase);
  const pfx = pkcs12(client, secrets.passphrase);
  const auth = [{ scheme: 'digest', auth: `alice:${secrets.digest}` }];
  const folder = await clients.folder();
  const seen: unknown[] = [];

  await using proxy = await startProxy(sharedServer());
  await using zk = await ZooKeeper.connect(proxy.connectString, { auth, sessionTimeout: 30_000 });
  zk.on('session', (event) => seen.push(event));
  await zk.addAuth('digest', `bob:${secrets.added}`);
  await zk.create(`${clients.chroot}${folder}/mine`, 'x', { acl: acl.creatorAll });
  const connected = nextEvent(zk, 'connected');
  proxy.resetAll();
  await connected;
  const { password } = zk.session.export();
  seen.push(zk, zk.session, zk.chroot('/a'));
  seen.push(await zk.addAuth('nosuch', secrets.added).catch((error: unknown) => error));

  const refused: readonly ClientOptions[] = [
    { tls: { pfx, passphrase: 'x' } },
    { tls: { cert: client.certFile, key, passphrase: secrets.passphrase } },
    { tls: { certFile: client.certFile, key: secrets.passphrase } },
    { auth: [{ scheme: '', auth: secrets.digest }] },
    { sasl: { mechanism: 'DIGEST-MD5', username: '', password: secrets.sasl } },
    { session: { id: 'none', password: secrets.vault } },
  ];
  for (const options of refused) {
    try {
      await using made = ZooKeeper.open('localhost:1', options);
      throw new Error(`taken: ${String(made)}`);
    } catch (error) {
      seen.push(error);
    }
  }

  const tls = { pfx, passphrase: secrets.passphrase };
  const sasl = { mechanism: 'DIGEST-MD5', username: 'bob', password: secrets.sasl } as const;
  const short = { connectTimeout: 400 };
  const { connectString } = sharedServer();
  const failing = [
    ZooKeeper.connect(connectString, { ...short, tls, auth }),
    ZooKeeper.connect(connectString, { sasl, auth }),
    ZooKeeper.connect('localhost:1', {
      ...short,
      tls: () => tls,
      sasl,
      session: { id: '0x1', password: secrets.vault },
    }),
  ];
  for (const each of failing) seen.push(await each.catch((error: unknown) => error));
  await using open = ZooKeeper.open('localhost:1', {
    tls,
    sasl,
    auth,
    session: { id: '0x1', password: secrets.vault },
  });
  seen.push(open, open.session);
  await open.close();

  for (const each of seen) expectNoSecret(everythingOf(each), password);
  expect(lines.length).toBeGreaterThan(10);
  expectNoSecret(lines.join('\n'), password);
});
