/** SASL GSSAPI against a real server and a real KDC, with the optional package as a user would have it. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runScript } from '../support/child.js';
import { type Kdc, realm, startKdc } from '../support/kdc.js';
import { startServer, type ZooKeeperServer } from '../support/zookeeper.js';

const root = join(__dirname, '..', '..');
const kerberos = join(root, 'test', 'support', 'kerberos', 'node_modules', 'kerberos');

let kdc: Kdc;
let server: ZooKeeperServer;
/** Of the user, with the packages that the name says. */
let projects: { readonly withKerberos: string; readonly without: string };
/** Variables of a user with a ticket. */
let alice: Record<string, string>;

beforeAll(async () => {
  if (!existsSync(kerberos))
    throw new Error('the package kerberos is not installed for the tests: run node test/support/prepare.mjs');
  projects = { withKerberos: makeProject(kerberos), without: makeProject() };
  kdc = await startKdc();
  const keytab = kdc.addPrincipal('zookeeper/localhost');
  const jaas = join(kdc.folder, 'jaas.conf');
  writeFileSync(
    jaas,
    `Server {
      com.sun.security.auth.module.Krb5LoginModule required
      useKeyTab=true keyTab="${keytab}" storeKey=true useTicketCache=false
      principal="zookeeper/localhost@${realm}";
    };`,
  );
  server = await startServer({
    config: { 'authProvider.sasl': 'org.apache.zookeeper.server.auth.SASLAuthenticationProvider' },
    systemProperties: {
      'java.security.auth.login.config': jaas,
      'java.security.krb5.conf': kdc.configFile,
      'zookeeper.sessionRequireClientSASLAuth': true,
    },
  });
  alice = { KRB5_CONFIG: kdc.configFile, KRB5CCNAME: kdc.login('alice', kdc.addPrincipal('alice')) };
}, 60_000);
afterAll(async () => {
  await server.close();
  await kdc[Symbol.asyncDispose]();
  for (const folder of Object.values(projects)) rmSync(folder, { recursive: true });
});

/** A project in which zookit is installed, from the build. */
function makeProject(...packages: readonly string[]): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'zookit-kerberos-')));
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, 'zookit'), { recursive: true });
  for (const name of ['dist', 'package.json']) {
    cpSync(join(root, name), join(modules, 'zookit', name), { recursive: true });
  }
  for (const name of ['debug', 'generic-pool', 'long']) {
    symlinkSync(realpathSync(join(root, 'node_modules', name)), join(modules, name));
  }
  for (const each of packages) symlinkSync(each, join(modules, 'kerberos'));
  return folder;
}

/** Connects in a process of its own, because the library of Kerberos reads the environment of its process. */
async function whoAmI(
  project: string,
  env: Record<string, string>,
  { connectTimeout = 20_000, ...sasl }: { connectTimeout?: number; principal?: string; serviceName?: string } = {},
): Promise<string> {
  const file = join(project, 'program.mjs');
  writeFileSync(
    file,
    `import { ZooKeeper } from 'zookit';
    try {
      const zk = await ZooKeeper.connect('localhost:${server.port}', {
        sessionTimeout: 30_000, connectTimeout: ${connectTimeout}, sasl: ${JSON.stringify({ mechanism: 'GSSAPI', ...sasl })},
      });
      console.log((await zk.whoAmI()).filter(({ scheme }) => scheme === 'sasl').map(({ id }) => id).join());
      await zk.close();
    } catch (error) {
      console.log(error.name, error.code, error.cause?.problem, error.message);
    }`,
  );
  await using child = await runScript({ file }, { env });
  const { stdout, stderr } = await child.result;
  expect(stderr).toBe('');
  return stdout.trim();
}

test('a ticket proves who the user is', async () => {
  expect(await whoAmI(projects.withKerberos, alice)).toMatch(new RegExp(`^alice(@${realm})?$`));
});

test('the principal can be chosen', async () => {
  expect(await whoAmI(projects.withKerberos, alice, { principal: `alice@${realm}` })).toMatch(/^alice/);
});

test('without a ticket the error says so, and that klist shows which there are', async () => {
  const env = { ...alice, KRB5CCNAME: `FILE:${kdc.folder}/none` };
  const said = await whoAmI(projects.withKerberos, env, { connectTimeout: 5_000 });
  expect(said).toMatch(/^ConnectError CONNECT_FAILED noCredentials .*SASL GSSAPI: Kerberos: .*klist/);
});

test('a service that the realm does not know is named', async () => {
  const said = await whoAmI(projects.withKerberos, alice, { serviceName: 'nosuch', connectTimeout: 5_000 });
  expect(said).toMatch(/^ConnectError CONNECT_FAILED noCredentials .*nosuch\/localhost/);
});

test('without the package kerberos the client ends at once, and says what to install', async () => {
  const said = await whoAmI(projects.without, alice);
  expect(said).toMatch(/^AuthFailedError AUTH_FAILED kerberosMissing .*npm install kerberos/);
});
