import { mkdirSync, mkdtempSync, rmSync, writeFileSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ZooKeeper } from 'zookit';
import { type Container, imageUnderTest, outputOf, Project } from '../support/docker.js';
import { until } from '../support/until.js';
import { asArguments } from './image.js';
import { startServing } from './server.js';

// What a running server of the image shows to those who run it.

let project: Project;
beforeEach(() => {
  project = new Project();
});
afterEach(() => project.dispose(), 60_000);

const folder = mkdtempSync(join(tmpdir(), 'zookit-image-'));
chmodSync(folder, 0o755);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const patient = { sessionTimeout: 30_000, connectTimeout: 20_000 };
const clientOf = async (container: Container): Promise<ZooKeeper> =>
  ZooKeeper.connect(await container.published(2181), patient);

async function argumentsOf(container: Container): Promise<string[]> {
  return (await container.exec('bash', '-c', "tr '\\0' '\\n' </proc/1/cmdline")).stdout.split('\n');
}

describe('metrics', () => {
  /** The samples by name and labels, as Prometheus would read them; throws at a line that it would refuse. */
  async function scrape(address: string): Promise<Map<string, number>> {
    const response = await fetch(`http://${address}/metrics`);
    expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4');
    const samples = new Map<string, number>();
    const types = new Map<string, string>();
    for (const line of (await response.text()).trim().split('\n')) {
      const type = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (gauge|counter|summary)$/.exec(line);
      const sample =
        /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[a-z]+="[^"]*"(?:,[a-z]+="[^"]*")*\})? (-?[0-9.]+(?:E-?[0-9]+)?|NaN)$/.exec(
          line,
        );
      if (type) {
        expect(types.has(type[1]!)).toBe(false);
        types.set(type[1]!, type[2]!);
      } else if (sample) {
        const series = sample[1]! + (sample[2] ?? '');
        expect(samples.has(series)).toBe(false);
        expect(types.has(sample[1]!) || types.get(sample[1]!.replace(/_(sum|count)$/, '')) === 'summary').toBe(true);
        samples.set(series, Number(sample[3]));
      } else {
        throw new Error(`no line of Prometheus' format: ${line}`);
      }
    }
    return samples;
  }

  it('are served as Prometheus reads them, and count what is done', async () => {
    const container = await startServing(project, {}, { ports: [2181, 7000] });
    const address = await container.published(7000);
    const before = await scrape(address);
    await using zk = await clientOf(container);
    for (let count = 0; count < 10; count++) await zk.create(`/n-${count}`, 'x'.repeat(100));
    await zk.getData('/n-1', { watch: () => undefined });
    const after = await scrape(address);
    const grown = (series: string): number => after.get(series)! - before.get(series)!;
    expect(grown('znode_count')).toBe(10);
    expect(grown('watch_count')).toBe(1);
    expect(grown('num_alive_connections')).toBe(1);
    expect(grown('updatelatency_count')).toBeGreaterThanOrEqual(10);
    expect([...after.keys()]).toEqual(
      expect.arrayContaining([
        'updatelatency{quantile="0.99"}',
        'updatelatency_sum',
        'fsynctime_count',
        'jvm_memory_bytes_used{area="heap"}',
        'jvm_threads_current',
        'process_cpu_seconds_total',
      ]),
    );
    // What mntr tells is counted as before.
    const { stdout } = await container.exec('bash', '-c', 'exec 3<>/dev/tcp/127.0.0.1/2181; printf mntr >&3; cat <&3');
    expect(stdout).toMatch(/^zk_znode_count\t\d+$/m);
    expect((await fetch(`http://${address}/other`)).status).toBe(404);
  });

  it('have the labels of what they count by', async () => {
    const container = await startServing(project, {}, { ports: [2181, 7000] });
    await using zk = await clientOf(container);
    await zk.create('/quota', 'x');
    const samples = await scrape(await container.published(7000));
    const labelled = [...samples.keys()].filter((series) => series.includes('{key="'));
    expect(labelled.length).toBeGreaterThan(0);
    for (const series of labelled) expect(series).toMatch(/^[a-z_]+\{key="[^"]+"(,quantile="0\.\d+")?\}$/);
  });
});

describe('the Java runtime', () => {
  it('gets a heap that fits the container', async () => {
    const container = await startServing(project, {}, { options: ['--memory', '300m'] });
    expect(await argumentsOf(container)).toContain('-Xmx180m');
  });

  it('gets the heap that is asked for', async () => {
    const container = await startServing(project, { ZK_SERVER_HEAP: '128' }, { options: ['--memory', '300m'] });
    expect(await argumentsOf(container)).toContain('-Xmx128m');
  });

  it('gets the flags of JVMFLAGS, and no heap beside theirs', async () => {
    const container = await startServing(project, { JVMFLAGS: '-Xmx90m -Dzookeeper.extendedTypesEnabled=true' });
    const given = await argumentsOf(container);
    expect(given.filter((flag) => flag.startsWith('-Xmx'))).toEqual(['-Xmx90m']);
    expect(given).toContain('-Dzookeeper.extendedTypesEnabled=true');
    await using zk = await clientOf(container);
    await zk.create('/ttl', 'x', { mode: 'ttl', ttl: 60_000 });
  });

  it('knows none of our variables, and is process 1', async () => {
    const container = await startServing(project, { ZOO_TICK_TIME: '2000', JVMFLAGS: '-Dx=y' });
    const { stdout } = await container.exec('bash', '-c', "tr '\\0' '\\n' </proc/1/environ");
    expect(stdout.split('\n').map((line) => line.split('=')[0])).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(ZOO_.*|JVMFLAGS)$/)]),
    );
  });
});

describe('logs', () => {
  it('come on stdout, with time, level and source', async () => {
    const container = await startServing(project, {});
    const { stdout } = await outputOf('docker', ['logs', container.name]);
    expect(stdout).toMatch(/^\d{4}-\d\d-\d\dT[0-9:.]+\+0000 \[main\] INFO \w+ - \S/m);
  });

  it('tell as much as they are told to', async () => {
    const quiet = await startServing(project, { ZOO_LOG_LEVEL: 'ERROR' });
    expect(await quiet.logs()).toBe('');
    const loud = await startServing(project, { ZOO_LOG_LEVEL: 'debug' });
    expect(await loud.logs()).toMatch(/ DEBUG /);
  });
});

describe('a read-only container', () => {
  it('serves, with nothing but its volumes to write to', async () => {
    const options = ['--read-only', '--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'];
    const container = await startServing(project, {}, { options });
    await using zk = await clientOf(container);
    expect((await zk.create('/a')).path).toBe('/a');
    expect((await container.exec('touch', '/opt/x')).code).not.toBe(0);
  });

  it('serves as any user that may write to the volumes', async () => {
    const mine = join(folder, 'mine');
    const volumes = ['data', 'datalog', 'logs'].flatMap((name) => {
      mkdirSync(join(mine, name), { recursive: true });
      chmodSync(join(mine, name), 0o777);
      return ['--volume', `${join(mine, name)}:/${name}`];
    });
    const container = await startServing(project, {}, { options: ['--user', '4711:4712', '--read-only', ...volumes] });
    expect((await container.exec('bash', '-c', 'echo $(id -u):$(id -g)')).stdout).toBe('4711:4712\n');
    await container.exec('bash', '-c', 'rm -rf /data/* /datalog/* /logs/*');
  });
});

describe('health', () => {
  it('leaves no dead processes behind, however often it is asked', async () => {
    // One of the others refuses, and one is silent: there, the port is that of the metrics.
    const list = 'server.1=zoo1:2888:3888;2181 server.2=127.0.0.1:2889:3889;2182 server.3=127.0.0.1:2890:3890;7000';
    const variables = { ZOO_SERVERS: list, ZOO_MY_ID: '1', ZOO_HEALTH_JOIN_SECONDS: '0' };
    const container = await project.run(...asArguments(variables), imageUnderTest());
    await until(async () => (await container.health('member')).says.startsWith('not serving: no other member'), {
      what: 'the check to find no quorum',
      timeout: 30_000,
    });
    for (let count = 0; count < 5; count++) {
      expect(await container.health()).toEqual({ well: false, says: expect.stringMatching(/^not serving: /) });
      expect((await container.health('member')).well).toBe(true);
    }
    const { stdout } = await container.exec('bash', '-c', "grep -l '^State:.Z' /proc/[0-9]*/status; true");
    expect(stdout).toBe('');
  });

  it('is told by zkServer.sh status, too', async () => {
    const container = await startServing(project, {});
    expect((await container.exec('zkServer.sh', 'status')).stdout).toBe('serving: standalone\n');
  });
});

describe('a zoo.cfg of your own', () => {
  it('is taken as it is', async () => {
    const file = join(folder, 'zoo.cfg');
    writeFileSync(file, 'dataDir=/data\nclientPort=2199\ntickTime=1234\n4lw.commands.whitelist=conf,srvr\n');
    chmodSync(file, 0o644);
    const options = ['--volume', `${file}:/conf/zoo.cfg:ro`];
    const container = await startServing(project, { ZOO_TICK_TIME: '1' }, { options, ports: [2199] });
    const { stdout } = await container.exec('bash', '-c', 'exec 3<>/dev/tcp/127.0.0.1/2199; printf conf >&3; cat <&3');
    expect(stdout).toContain('tickTime=1234\n');
  });
});

describe('the shell of ZooKeeper', () => {
  it('is there under its name', async () => {
    const container = await startServing(project, {});
    await using zk = await clientOf(container);
    await zk.create('/greeting', 'hello');
    const { stdout } = await container.exec('zkCli.sh', '-server', 'localhost:2181', 'get', '/greeting');
    expect(stdout).toContain('hello');
  });
});
