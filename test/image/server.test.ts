/** The one server of image/compose.yaml: how it is confined, how it ends, what is left of it. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ZooKeeper } from 'zookit';
import { type ComposeProject, type Container, docker, imageUnderTest, Project } from '../support/docker.js';
import { freePort } from '../support/ports.cjs';
import { until } from '../support/until.js';

let project: Project;
let compose: ComposeProject;
let server: Container;
let address: string;

beforeAll(async () => {
  project = new Project();
  const port = await freePort();
  address = `127.0.0.1:${port}`;
  compose = project.compose('compose.yaml', { ZOOKEEPER_IMAGE: imageUnderTest(), ZOOKEEPER_PORT: String(port) });
  server = compose.container('zookeeper');
  await compose.up('--wait');
}, 180_000);

afterAll(async () => {
  await project.dispose();
}, 120_000);

it('serves clients, on the loopback interface alone', async () => {
  expect((await docker(['port', server.name])).split('\n')).toEqual([`2181/tcp -> ${address}`]);
  await using zk = await ZooKeeper.connect(address);
  expect(await zk.getChildren('/')).toContain('zookeeper');
});

it('is process 1, not root, and may do nothing that root may', async () => {
  const { stdout } = await server.exec('sh', '-c', 'tr "\\0" " " < /proc/1/cmdline; echo; cat /proc/1/status');
  expect(stdout).toMatch(/^\S*java .*QuorumPeerMain/);
  expect(stdout).toMatch(/^Uid:\t1000\t1000\t1000\t1000$/m);
  expect(stdout).toMatch(/^CapBnd:\t0+$/m);
  expect(stdout).toMatch(/^NoNewPrivs:\t1$/m);
});

it('can write to nothing but its volumes and /tmp', async () => {
  const writable = await server.exec(
    'sh',
    '-c',
    'for d in / /conf /etc /opt /data /datalog /logs /tmp; do [ -w $d ] && echo $d; done; :',
  );
  expect(writable.stdout.trim().split('\n')).toEqual(['/data', '/datalog', '/logs', '/tmp']);
});

it('has a heap that fits into the memory of its container', async () => {
  const memory = await server.inspect<number>('{{.HostConfig.Memory}}');
  const { stdout } = await server.exec('sh', '-c', 'tr "\\0" " " < /proc/1/cmdline');
  const [, heap] = /-Xmx(\d+)m/.exec(stdout) ?? [];
  expect(Number(heap) * 2 ** 20).toBeLessThan(memory);
  expect(Number(heap) * 2 ** 20).toBeGreaterThan(memory / 2);
});

it('is not held up by name servers that do not answer', async () => {
  // An address that is nobody's: RFC 5737.
  const options = ['--network', `${project.name}_default`, '--dns', '192.0.2.1'];
  const begin = performance.now();
  await project.runToEnd(...options, imageUnderTest(), 'getent', 'hosts', 'nobody');
  // Without what the image sets for it, it takes 20 s.
  expect(performance.now() - begin).toBeLessThan(12_000);
}, 60_000);

it('ends by the signal of docker stop, long before it would be killed', async () => {
  const begin = performance.now();
  expect(await server.stop()).toBe(143);
  expect(performance.now() - begin).toBeLessThan(20_000);
  await compose.up('--wait');
}, 120_000);

it('is started again when it has crashed, with its data', async () => {
  await using zk = await ZooKeeper.connect(address, { sessionTimeout: 30_000 });
  await zk.create('/before', 'the crash');
  const { StartedAt } = await server.state();
  // Of the signals that it cannot survive, process 1 takes from inside only those that Java has a handler for.
  await server.exec('sh', '-c', 'kill -SEGV 1');
  await until(async () => (await server.state()).StartedAt !== StartedAt, { what: 'another start', timeout: 60_000 });
  await server.untilHealth(/^serving: standalone$/);
  expect((await zk.getData('/before')).text()).toBe('the crash');
  const report = await server.exec('sh', '-c', 'head -n 5 /logs/java-error-*.log');
  expect(report.stdout).toContain('SIGSEGV');
}, 180_000);
