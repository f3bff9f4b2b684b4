/** `zookit agent` as a process, as it is built. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ServiceRegistry } from 'zookit/recipes';
import { type Child, runScript } from '../support/child.js';
import { FakeEngine } from '../support/fake-engine.js';
import { sharedServer } from '../support/shared.js';
import { until } from '../support/until.js';
import { useClients } from './clients.js';

const clients = useClients();
const web = { 'zookit.name': 'web', 'zookit.port': '80' };

let engine: FakeEngine;
let chroot: string;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'zookit-agent-'));
});

afterAll(() => rmSync(folder, { recursive: true }));

beforeEach(async () => {
  engine = await FakeEngine.start();
  chroot = await clients.folder();
});

afterEach(async () => engine[Symbol.asyncDispose]());

function zookit(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Child> {
  return runScript({ file: 'dist/cli/main.js' }, { args, env: { DOCKER_HOST: engine.url, ...env } });
}

function agent(...args: string[]): Promise<Child> {
  const connect = `${sharedServer().connectString}${clients.chroot}${chroot}`;
  return zookit(['agent', '--connect', connect, '--session-timeout', '60000', ...args]);
}

const registered = async () =>
  (await new ServiceRegistry(clients.zk, { basePath: `${chroot}/services` }).instances('web'))
    .map(({ id, enabled }) => `${enabled ? '' : '-'}${id}`)
    .sort();

const untilRegistered = (expected: readonly string[]) =>
  until(async () => (await registered()).join() === expected.join(), {
    what: `${expected.join()} to be registered`,
    timeout: 30_000,
  });

describe('a command line', () => {
  it('asks for help, or for the version', async () => {
    const [help, agentHelp, version] = await Promise.all(
      [['--help'], ['agent', '--help'], ['--version']].map(async (args) => (await zookit(args)).result),
    );
    expect([help!.code, agentHelp!.code, version!.code]).toEqual([0, 0, 0]);
    expect(help!.stdout).toMatch(/^Usage: zookit COMMAND[^]* agent +registers/);
    expect(agentHelp!.stdout).toMatch(/--connect SERVERS[^]*ZOOKIT_CONNECT/);
    expect(version!.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it.each([
    [[], /a command is missing; known are agent/],
    [['toString'], /there is no command "toString"/],
    [['agent'], /--connect or ZOOKIT_CONNECT is missing/],
    [['agent', '--connect', 'zk1', '--base-path', 'services'], /services/],
  ])('that cannot be carried out, %j, ends with 64', async (args, problem) => {
    const { code, stderr, stdout } = await (await zookit(args)).result;
    expect([code, stdout]).toEqual([64, '']);
    expect(stderr).toMatch(problem);
    expect(stderr).not.toMatch(/^ {4}at /m);
  });
});

describe('the agent', () => {
  it('registers, writes what it does, and leaves it to the next one', async () => {
    engine.containers.set('c1', { labels: web });
    engine.containers.set('c2', { labels: web });
    await using first = await agent('--node-zone', 'south');
    await first.line(/INFO {2}registered web\/c1 at 10.0.1.5:80$/, { timeout: 30_000 });
    await untilRegistered(['c1', 'c2']);
    first.signal('SIGTERM');
    await first.line(/stops; what is registered stays/);
    // It goes on for a while, and sees what ends with it.
    engine.emit('container', 'kill', 'c2', { signal: '15' });
    await untilRegistered(['-c2', 'c1']);
    expect((await first.result).code).toBe(0);
    expect(await registered()).toEqual(['c1']);
    engine.containers.clear();
    engine.containers.set('c3', { labels: web });
    await using second = await agent('--log-format', 'json');
    await second.line(/"unregistered web\/c1, which an agent before has left"/, { timeout: 30_000 });
    await untilRegistered(['c3']);
  });

  it('is killed, and replaced', async () => {
    engine.containers.set('c1', { labels: web });
    engine.containers.set('c2', { labels: web });
    await using first = await agent();
    await untilRegistered(['c1', 'c2']);
    await first.kill();
    engine.containers.delete('c2');
    await using second = await agent();
    await untilRegistered(['c1']);
    second.signal('SIGINT');
  });

  it('unregisters everything at the end, where it is told so', async () => {
    engine.containers.set('c1', { labels: web });
    await using child = await agent('--leave', 'false');
    await untilRegistered(['c1']);
    child.signal('SIGINT');
    expect((await child.result).code).toBe(0);
    expect(await registered()).toEqual([]);
  });

  it('ends with 1 when another one has come to its node', async () => {
    engine.containers.set('c1', { labels: web });
    await using first = await agent();
    await untilRegistered(['c1']);
    await using second = await agent();
    const { code, stdout } = await first.result;
    expect(code).toBe(1);
    expect(stdout).toMatch(/ERROR OwnedByOtherError: /);
    await second.line(/registered web\/c1/, { timeout: 30_000 });
    expect(await registered()).toEqual(['c1']);
  });

  it('has its credentials from a file, and shows them nowhere', async () => {
    const file = join(folder, 'auth');
    writeFileSync(file, 'agent:s3cret\n');
    engine.containers.set('c1', { labels: web });
    await using child = await agent('--auth-file', file, '--acl', 'creator-read', '--log-level', 'debug');
    await untilRegistered(['c1']);
    const { acl: list } = await clients.zk.getAcl(`${chroot}/services/web/c1`);
    // Servers do not show the rest of a digest to everybody, and old ones have an order of their own.
    expect(list.map(({ id, permissions }) => [id.replace(/:.*/, ''), permissions.length]).sort()).toEqual([
      ['agent', 5],
      ['anyone', 1],
    ]);
    child.signal('SIGKILL');
    const { stdout, stderr } = await child.result;
    expect(stdout + stderr).not.toContain('s3cret');
  });

  it('waits for servers and engine that are not there yet', async () => {
    await engine.stop();
    await using child = await zookit(['agent', '--connect', '127.0.0.1:1']);
    await child.line(/WARN {2}engine: .*the engine cannot be asked/, { timeout: 30_000 });
    child.signal('SIGTERM');
    expect((await child.result).code).toBe(0);
  });
});
