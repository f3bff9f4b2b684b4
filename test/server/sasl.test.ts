/** SASL DIGEST-MD5 against real servers with real JAAS configurations. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { acl, AuthFailedError, type ClientOptions, NoAuthError, SaslError, type SaslOptions, ZooKeeper } from 'zookit';
import { startProxy } from '../support/proxy.js';
import { sharedServer } from '../support/shared.js';
import { nextEvent, until } from '../support/until.js';
import { startServer, type ZooKeeperServer } from '../support/zookeeper.js';

/** Users and passwords, those included whose quotes and letters are not of every charset. */
const users = { bob: 'bobsecret', eve: 'a"b\\c', josé: 'contraseña', Ω: 'пароль' } as const;

const patient: ClientOptions = { sessionTimeout: 30_000 };

let folder: string;
let server: ZooKeeperServer;
/** Takes no session of anybody who has not proved by SASL who he is. */
let strict: ZooKeeperServer;

function jaas(): string {
  const lines = Object.entries(users).map(([name, password]) => `user_${name}="${password.replace(/["\\]/g, '\\$&')}"`);
  return `Server {\n org.apache.zookeeper.server.auth.DigestLoginModule required\n ${lines.join('\n ')};\n};\n`;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'zookit-sasl-'));
  const file = join(folder, 'jaas.conf');
  writeFileSync(file, jaas());
  const start = (more: Record<string, boolean> = {}): Promise<ZooKeeperServer> =>
    startServer({
      config: { 'authProvider.sasl': 'org.apache.zookeeper.server.auth.SASLAuthenticationProvider' },
      systemProperties: { 'java.security.auth.login.config': file, 'file.encoding': 'UTF-8', ...more },
    });
  [server, strict] = await Promise.all([start(), start({ 'zookeeper.sessionRequireClientSASLAuth': true })]);
});
afterAll(async () => {
  await Promise.all([server.close(), strict.close()]);
  rmSync(folder, { recursive: true });
});

function as(username: string, password: string | (() => string | Promise<string>)): ClientOptions {
  return { ...patient, sasl: { mechanism: 'DIGEST-MD5', username, password } };
}

async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => new Error('it succeeded'),
    (reason: unknown) => reason,
  );
}

describe('S3: DIGEST-MD5', () => {
  it.each(Object.entries(users))('proves who %s is', async (name, password) => {
    await using zk = await ZooKeeper.connect(server.connectString, as(name, password));
    expect(await zk.whoAmI()).toContainEqual({ scheme: 'sasl', id: name });
  });

  it.each([
    ['with a wrong password', 'bob', 'sesame'],
    ['as a user that is unknown', 'mallory', 'sesame'],
  ])('%s ends the client at once, with AuthFailedError', async (_, name, password) => {
    const error = await failureOf(ZooKeeper.connect(server.connectString, as(name, password)));
    expect(error).toBeInstanceOf(AuthFailedError);
    expect(error).toMatchObject({ code: 'AUTH_FAILED', operation: 'connect', cause: { problem: 'refused' } });
    expect((error as AuthFailedError).cause).toBeInstanceOf(SaslError);
    expect((error as AuthFailedError).message).toContain(`SASL DIGEST-MD5: the server refused the user "${name}"`);
    expect((error as AuthFailedError).message).not.toContain(password);
  });

  it('takes the password from a function, asked before each authentication', async () => {
    await using proxy = await startProxy(server);
    let asked = 0;
    const password = async (): Promise<string> => {
      asked++;
      return users.bob;
    };
    await using zk = await ZooKeeper.connect(proxy.connectString, as('bob', password));
    expect(asked).toBe(1);
    const connected = nextEvent(zk, 'connected');
    proxy.resetAll();
    await connected;
    expect(asked).toBe(2);
    expect(await zk.whoAmI()).toContainEqual({ scheme: 'sasl', id: 'bob' });
  });

  it('tries again when the password cannot be had, and says why until then', async () => {
    let sealed = true;
    const password = (): string => {
      if (sealed) throw new Error('the vault is sealed');
      return users.bob;
    };
    await using zk = ZooKeeper.open(server.connectString, as('bob', password));
    const said = await until(
      async () => {
        const error = await failureOf(zk.ready({ timeout: 100 }));
        expect(error).toMatchObject({ code: 'CONNECT_FAILED' });
        const { message } = error as Error;
        return !message.includes('it has not answered yet') && message;
      },
      { what: 'an attempt' },
    );
    expect(said).toContain('SASL DIGEST-MD5: the vault is sealed');
    sealed = false;
    await zk.ready({ timeout: 10_000 });
    expect(await zk.whoAmI()).toContainEqual({ scheme: 'sasl', id: 'bob' });
  });

  it('is enforced by ACLs, together with other credentials, over reconnects', async () => {
    await using proxy = await startProxy(server);
    const options = { ...as('bob', users.bob), auth: [{ scheme: 'digest', auth: 'alice:pw' }] };
    await using zk = await ZooKeeper.connect(proxy.connectString, options);
    await zk.create('/of-bob', 'x', { acl: [acl.sasl('bob')] });
    await zk.create('/of-both', 'x', { acl: acl.creatorAll });
    await using eve = await ZooKeeper.connect(server.connectString, as('eve', users.eve));
    await expect(eve.getData('/of-bob')).rejects.toThrow(NoAuthError);
    const suspended = nextEvent(zk, 'suspended');
    proxy.resetAll();
    await suspended;
    // It waits, and must not overtake the proof.
    expect((await zk.getData('/of-bob')).text()).toBe('x');
    const owners = (await zk.getAcl('/of-both')).acl.map(({ scheme, id }) => `${scheme}:${id.split(':')[0]}`);
    expect(owners.sort()).toEqual(['digest:alice', 'sasl:bob']);
  });

  it('to a server without a JAAS configuration ends the client: nothing was proved', async () => {
    const error = await failureOf(ZooKeeper.connect(sharedServer().connectString, as('bob', users.bob)));
    expect(error).toBeInstanceOf(AuthFailedError);
    expect(error).toMatchObject({ cause: { problem: 'notDone' } });
    expect((error as Error).message).toMatch(/knows no SASL/);
  });
});

describe('a server that requires SASL (sessionRequireClientSASLAuth)', () => {
  it('serves those who prove who they are, pings and the end of their sessions included', async () => {
    const zk = await ZooKeeper.connect(strict.connectString, { ...as('bob', users.bob), sessionTimeout: 3_000 });
    await zk.create('/mine', 'x', { mode: 'ephemeral' });
    let last = zk.session.remaining;
    const confirmed = (): boolean => {
      const before = last;
      last = zk.session.remaining;
      return last > before;
    };
    await until(confirmed, { what: 'an answer to a ping' });
    await zk.close({ timeout: 20_000 });
    await using other = await ZooKeeper.connect(strict.connectString, as('eve', users.eve));
    expect(await other.has('/mine')).toBe(false);
  });

  it('ends the client that says nothing of itself, with AuthFailedError', async () => {
    await using nobody = await ZooKeeper.connect(strict.connectString, patient);
    const error = await failureOf(nobody.getData('/'));
    expect(error).toBeInstanceOf(AuthFailedError);
    await until(() => nobody.state === 'authFailed', { what: 'the end of the client' });
    expect(await failureOf(nobody.getData('/'))).toMatchObject({ message: expect.stringContaining('sasl and auth') });
  });

  it('refuses a wrong password with AuthFailedError', async () => {
    const error = await failureOf(ZooKeeper.connect(strict.connectString, as('bob', 'wrong')));
    expect(error).toBeInstanceOf(AuthFailedError);
  });
});

describe('options that cannot be right throw at once:', () => {
  const wrong: readonly [string, unknown, RegExp][] = [
    ['no mechanism', { username: 'bob', password: 'sesame' }, /an object with a mechanism/],
    ['one that is unknown', { mechanism: 'PLAIN', username: 'bob', password: 'sesame' }, /"PLAIN" is not built in/],
    ['no username', { mechanism: 'DIGEST-MD5', password: 'sesame' }, /username must be/],
    ['no password', { mechanism: 'DIGEST-MD5', username: 'bob' }, /password must be/],
    [
      'an unknown name',
      { mechanism: 'DIGEST-MD5', username: 'bob', password: 'sesame', realm: 'x' },
      /no setting "realm"/,
    ],
    ['a begin() that is none', { mechanism: 'OWN', begin: 5 }, /begin must be a function/],
    ['a kerberos that is none', { mechanism: 'GSSAPI', kerberos: {} }, /must be the package of that name/],
    ['text', 'sesame', /must be an object/],
  ];
  it.each(wrong)('%s', (_, sasl, message) => {
    const open = (): unknown => ZooKeeper.open('localhost', { sasl: sasl as SaslOptions });
    expect(open).toThrow(message);
    expect(open).not.toThrow('sesame');
  });
});
