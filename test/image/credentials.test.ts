import { readdirSync, chmodSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ConnectError, NoAuthError, ZooKeeper } from 'zookit';
import { Certificates, encryptedKey } from '../support/certificates.js';
import { type Container, docker, imageUnderTest, Project } from '../support/docker.js';
import { until } from '../support/until.js';
import { asArguments } from './image.js';
import { startServing } from './server.js';

// TLS, SASL users, the super user: by variables, and with the secrets in files.

const password = 'sw0rdfish-"\\$x';
const certificates = new Certificates();
const authority = certificates.authority('authority');
const server = authority.issue('/CN=server', {
  altNames: ['DNS:localhost', 'IP:127.0.0.1', 'DNS:zoo1', 'DNS:zoo2', 'DNS:zoo3'],
});
const client = authority.issue('/O=Acme/CN=client');
const users = certificates.file('users', `bob:${password}\nalice:other\n`);
const superPassword = certificates.file('super', `${password}\n`);
const lockedKey = certificates.file('locked.pem', encryptedKey(server, password));
const keyPassword = certificates.file('key-password', password);

// The user of the image is not the one who runs the tests.
const openToAll = (path: string): void => {
  chmodSync(path, statSync(path).isDirectory() ? 0o755 : 0o644);
  if (statSync(path).isDirectory()) for (const name of readdirSync(path)) openToAll(join(path, name));
};
openToAll(certificates.folder);
const secrets = ['--volume', `${certificates.folder}:${certificates.folder}:ro`];

let project: Project;
beforeEach(() => {
  project = new Project();
});
afterEach(() => project.dispose(), 60_000);
afterAll(() => certificates[Symbol.dispose]());

const patient = { sessionTimeout: 30_000, connectTimeout: 20_000 };

/** All that somebody with access to the container's process and its logs could read a secret in. */
async function traces(container: Container): Promise<string> {
  const { stdout } = await container.exec(
    'bash',
    '-c',
    "tr '\\0' '\\n' </proc/1/environ; tr '\\0' '\\n' </proc/1/cmdline",
  );
  expect(stdout).toContain('QuorumPeerMain');
  return stdout + (await container.logs());
}

describe('TLS', () => {
  const tls = {
    ZOO_TLS_CERT: server.certFile,
    ZOO_TLS_KEY: server.keyFile,
    ZOO_TLS_CA: authority.certFile,
  };
  const mine = { caFile: authority.certFile, certFile: client.certFile, keyFile: client.keyFile };

  it('serves clients that show a certificate, beside the plain port', async () => {
    const container = await startServing(
      project,
      { ...tls, ZOO_TLS_CLIENT_PORT: '2281' },
      { options: secrets, ports: [2181, 2281] },
    );
    const address = await container.published(2281);
    await using zk = await ZooKeeper.connect(address, { ...patient, tls: mine });
    expect(await zk.whoAmI()).toContainEqual({ scheme: 'x509', id: 'CN=client,O=Acme' });
    await using plain = await ZooKeeper.connect(await container.published(2181), patient);
    expect(await plain.has('/')).toBe(true);
    const stranger = ZooKeeper.connect(address, { ...patient, tls: { caFile: authority.certFile }, failFast: true });
    await expect(stranger).rejects.toThrow(ConnectError);
  });

  it('serves by TLS alone, with an encrypted key, and its health is told all the same', async () => {
    const container = await startServing(
      project,
      {
        ...tls,
        ZOO_CLIENT_PORT: 'none',
        ZOO_SERVERS: 'server.1=localhost:2888:3888',
        ZOO_TLS_CLIENT_PORT: '2281',
        ZOO_TLS_CLIENT_AUTH: 'none',
        ZOO_TLS_KEY: lockedKey,
        ZOO_TLS_KEY_PASSWORD_FILE: keyPassword,
      },
      { options: secrets, ports: [2181, 2281] },
    );
    expect(await container.health()).toEqual({ well: true, says: 'serving: standalone' });
    await using zk = await ZooKeeper.connect(await container.published(2281), {
      ...patient,
      tls: { caFile: authority.certFile },
    });
    expect(await zk.has('/')).toBe(true);
    const plain = ZooKeeper.connect(await container.published(2181), { ...patient, failFast: true });
    await expect(plain).rejects.toThrow(ConnectError);
    expect(await traces(container)).not.toContain(password);
  });

  it('protects what the members tell each other', async () => {
    const network = `${project.name}-quorum`;
    await docker(['network', 'create', ...project.label, network]);
    const names = ['zoo1', 'zoo2', 'zoo3'];
    const variables = {
      ...tls,
      ZOO_TLS_QUORUM: 'true',
      ZOO_SERVERS: names.map((name, index) => `server.${index + 1}=${name}:2888:3888;2181`).join(' '),
    };
    const members = await Promise.all(
      names.map((name) =>
        project.run(
          ...asArguments(variables),
          ...secrets,
          ...['--network', network, '--hostname', name, '--network-alias', name],
          ...['--publish', '127.0.0.1::2181', '--publish', '127.0.0.1::3888'],
          imageUnderTest(),
        ),
      ),
    );
    await Promise.all(members.map((member) => member.untilHealth(/^serving: (leader|follower)$/)));
    const [host, port] = (await members[0]!.published(3888)).split(':');
    const subject = await new Promise((resolve, reject) => {
      const socket = connectTls(
        { host, port: Number(port), servername: 'zoo1', ca: authority.cert, requestCert: true },
        () => {
          resolve(socket.getPeerCertificate().subject.CN);
          socket.destroy();
        },
      );
      socket.on('error', reject);
    });
    expect(subject).toBe('server');
    await using zk = await ZooKeeper.connect(await members[1]!.published(2181), patient);
    expect((await zk.create('/a')).path).toBe('/a');
  }, 120_000);
});

describe('users of SASL', () => {
  it('come in with their passwords, and others do not', async () => {
    const container = await startServing(
      project,
      { ZOO_SASL_USERS_FILE: users, ZOO_SASL_REQUIRED: 'true' },
      { options: secrets },
    );
    const address = await container.published(2181);
    const as = (username: string, secret: string): Promise<ZooKeeper> =>
      ZooKeeper.connect(address, {
        ...patient,
        failFast: true,
        sasl: { mechanism: 'DIGEST-MD5', username, password: secret },
      });
    await using bob = await as('bob', password);
    expect(await bob.whoAmI()).toContainEqual({ scheme: 'sasl', id: 'bob' });
    await using alice = await as('alice', 'other');
    expect(await alice.whoAmI()).toContainEqual({ scheme: 'sasl', id: 'alice' });
    await expect(as('alice', password)).rejects.toThrow();
    await expect(
      (async () => {
        await using nobody = await ZooKeeper.connect(address, { ...patient, failFast: true });
        await nobody.getData('/');
      })(),
    ).rejects.toThrow('the server refused the credentials, or demands some');
    expect(await traces(container)).not.toContain(password);
  });
});

describe('the super user', () => {
  it('passes every ACL, and its password is nowhere to be read', async () => {
    const container = await startServing(project, { ZOO_SUPER_PASSWORD_FILE: superPassword }, { options: secrets });
    await using zk = await ZooKeeper.connect(await container.published(2181), patient);
    expect(await traces(container)).not.toContain(password);
    await expect(zk.setData('/zookeeper/config', 'x')).rejects.toThrow(NoAuthError);
    await zk.addAuth('digest', `super:${password}`);
    expect((await zk.setData('/zookeeper/config', 'x')).version).toBeGreaterThan(0);
  });

  it('changes the members, who are known again after every container has been made anew', async () => {
    const network = `${project.name}-reconfig`;
    await docker(['network', 'create', ...project.label, network]);
    const lines = [1, 2, 3].map((id) => `server.${id}=zoo${id}:2888:3888:participant;0.0.0.0:2181`);
    const volume = (id: number, what: string): string => `${project.name}-${id}-${what}`;
    for (const id of [1, 2, 3])
      for (const what of ['data', 'datalog']) await docker(['volume', 'create', ...project.label, volume(id, what)]);
    const start = (id: number, servers: readonly string[]): Promise<Container> =>
      project.run(
        ...asArguments({
          ZOO_SERVERS: servers.join(' '),
          ZOO_SUPER_PASSWORD_FILE: superPassword,
          ZOO_STANDALONE_ENABLED: 'false',
        }),
        ...secrets,
        ...[
          '--network',
          network,
          '--hostname',
          `zoo${id}`,
          '--network-alias',
          `zoo${id}`,
          '--publish',
          '127.0.0.1::2181',
        ],
        ...['--volume', `${volume(id, 'data')}:/data`, '--volume', `${volume(id, 'datalog')}:/datalog`],
        imageUnderTest(),
      );
    const serving = (members: readonly Container[]): Promise<unknown> =>
      Promise.all(members.map((member) => member.untilHealth(/^serving: (leader|follower)$/)));
    const configured = async (member: Container): Promise<string[]> => {
      await using zk = await ZooKeeper.connect(await member.published(2181), patient);
      const { servers } = await zk.getConfig();
      return servers.map(({ id }) => String(id)).sort();
    };

    const first = [await start(1, lines.slice(0, 2)), await start(2, lines.slice(0, 2))];
    await serving(first);
    expect(await configured(first[0]!)).toEqual(['1', '2']);
    // Server 3 starts as one that the others do not know yet.
    const third = await start(3, lines);
    await using zk = await ZooKeeper.connect(await first[0]!.published(2181), patient);
    await zk.addAuth('digest', `super:${password}`);
    await until(async () => (await zk.reconfig({ joining: [lines[2]!] })) !== undefined, {
      what: 'the third server to be let in',
      timeout: 60_000,
      interval: 500,
    });
    await serving([...first, third]);
    await zk.close();

    for (const member of [...first, third]) await docker(['rm', '--force', member.name]);
    // The first two are started as they were the first time.
    const again = [await start(1, lines.slice(0, 2)), await start(2, lines.slice(0, 2)), await start(3, lines)];
    await serving(again);
    expect(await configured(again[0]!)).toEqual(['1', '2', '3']);
  }, 180_000);
});
