import { describe, expect, it } from '@jest/globals';
import { runImage, type Variables } from './image.js';

// What the variables make of zoo.cfg. `config` prints what the server would be started with.

/** The lines of zoo.cfg by their names. */
async function settings(given: Variables, options: readonly string[] = []): Promise<Map<string, string>> {
  const { code, stdout, stderr } = await runImage(given, ['config'], options);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const lines = stdout.trim().split('\n');
  const made = new Map(lines.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
  // Nothing is set twice.
  expect(made.size).toBe(lines.length);
  return made;
}

const three = 'server.1=zoo1:2888:3888;2181 server.2=zoo2:2888:3888;2181 server.3=zoo3:2888:3888;2181';

describe('the variables of the official image', () => {
  it('set what they set there', async () => {
    const made = await settings({
      ZOO_TICK_TIME: '1000',
      ZOO_INIT_LIMIT: '11',
      ZOO_SYNC_LIMIT: '12',
      ZOO_MAX_CLIENT_CNXNS: '0',
      ZOO_AUTOPURGE_PURGEINTERVAL: '7',
      ZOO_AUTOPURGE_SNAPRETAINCOUNT: '8',
      ZOO_STANDALONE_ENABLED: 'false',
      ZOO_ADMINSERVER_ENABLED: 'false',
      ZOO_4LW_COMMANDS_WHITELIST: '*',
      ZOO_DATA_DIR: '/tmp/data',
      ZOO_DATA_LOG_DIR: '/tmp/log',
      ZOO_CFG_EXTRA: 'snapCount=5  jute.maxbuffer=99',
    });
    expect(Object.fromEntries(made)).toMatchObject({
      tickTime: '1000',
      initLimit: '11',
      syncLimit: '12',
      maxClientCnxns: '0',
      'autopurge.purgeInterval': '7',
      'autopurge.snapRetainCount': '8',
      standaloneEnabled: 'false',
      'admin.enableServer': 'false',
      '4lw.commands.whitelist': '*',
      dataDir: '/tmp/data',
      dataLogDir: '/tmp/log',
      snapCount: '5',
      'jute.maxbuffer': '99',
      'server.1': 'localhost:2888:3888;2181',
    });
  });

  it('name each member, with roles and ports', async () => {
    const given = `${three} server.9=zoo9:2888:3888:observer;0.0.0.0:2189`;
    const made = await settings({ ZOO_SERVERS: given, ZOO_MY_ID: '9' });
    for (const line of given.split(' ')) {
      const [, name = '', value] = /^([^=]+)=(.*)$/.exec(line) ?? [];
      expect(made.get(name)).toBe(value);
    }
    // The port is that of the line.
    expect(made.has('clientPort')).toBe(false);
  });

  it('render 234 servers, participants and observers', async () => {
    const ids = Array.from({ length: 234 }, (_, index) => index + 1);
    const line = (id: number): string =>
      `zookeeper-${id}.example:2888:3888:${id > 7 ? 'observer' : 'participant'};2181`;
    const given = ids.map((id) => `server.${id}=${line(id)}`).join(' ');
    const made = await settings({ ZOO_SERVERS: given, ZOO_MY_ID: '234' });
    expect(ids.map((id) => made.get(`server.${id}`))).toEqual(ids.map(line));
  });

  it('take IPv6 addresses, several addresses of a member, and lists on several lines', async () => {
    const made = await settings({
      ZOO_SERVERS: 'server.1=[fd00::1]:2888:3888;2181\n  server.2=a:2888:3888|b:2889:3889;2181\n',
      ZOO_MY_ID: '1',
    });
    expect([made.get('server.1'), made.get('server.2')]).toEqual([
      '[fd00::1]:2888:3888;2181',
      'a:2888:3888|b:2889:3889;2181',
    ]);
  });
});

describe('what this image adds', () => {
  it('purges old snapshots, serves metrics, can be reconfigured, and keeps the AdminServer to itself, by default', async () => {
    expect(Object.fromEntries(await settings({}))).toEqual({
      dataDir: '/data',
      dataLogDir: '/datalog',
      tickTime: '2000',
      initLimit: '5',
      syncLimit: '2',
      maxClientCnxns: '60',
      'autopurge.purgeInterval': '1',
      'autopurge.snapRetainCount': '3',
      '4lw.commands.whitelist': 'srvr,ruok,mntr',
      quorumListenOnAllIPs: 'true',
      standaloneEnabled: 'true',
      reconfigEnabled: 'true',
      'admin.enableServer': 'true',
      'admin.serverAddress': '127.0.0.1',
      clientPort: '2181',
      'metricsProvider.className': 'zookit.metrics.PrometheusMetrics',
      'metricsProvider.httpPort': '7000',
    });
  });

  it('lets the health check ask its question, whatever words are allowed', async () => {
    const allowed = async (words: string): Promise<string | undefined> =>
      (await settings({ ZOO_4LW_COMMANDS_WHITELIST: words })).get('4lw.commands.whitelist');
    expect(await allowed('ruok')).toBe('ruok,srvr');
    expect(await allowed('ruok, srvr, mntr')).toBe('ruok, srvr, mntr');
    expect(await allowed('*')).toBe('*');
  });

  it('takes settings of your own last, and a line each where values have blanks', async () => {
    const extra = 'tickTime=3000\nssl.ciphersuites=ONE, TWO\n\n  snapCount=7  ';
    const made = await settings({ ZOO_TICK_TIME: '1000', ZOO_CFG_EXTRA: extra });
    expect([made.get('tickTime'), made.get('ssl.ciphersuites'), made.get('snapCount')]).toEqual([
      '3000',
      'ONE, TWO',
      '7',
    ]);
  });

  it('puts its own metrics where those of a release are asked for', async () => {
    const provider = 'metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider';
    const made = await settings({
      ZOO_METRICS_PORT: 'none',
      ZOO_CFG_EXTRA: `${provider} metricsProvider.httpPort=7777`,
    });
    expect([made.get('metricsProvider.className'), made.get('metricsProvider.httpPort')]).toEqual([
      'zookit.metrics.PrometheusMetrics',
      '7777',
    ]);
  });

  it('has a line for a port only where there is none in the list', async () => {
    const made = await settings({
      ZOO_SERVERS: three.replaceAll(';2181', ''),
      ZOO_MY_ID: '2',
      ZOO_CLIENT_PORT: '2190',
    });
    expect([made.get('clientPort'), made.get('server.2')]).toEqual(['2190', 'zoo2:2888:3888']);
  });

  it('shows no secret', async () => {
    const made = await settings({ ZOO_SUPER_PASSWORD: 'sw0rdfish' });
    expect(made.get('DigestAuthenticationProvider.superDigest')).toBe('***');
  });

  it('takes any variable out of a file', async () => {
    const script = 'echo 4711 >/tmp/ticks && ZOO_TICK_TIME_FILE=/tmp/ticks entrypoint config';
    const { stdout } = await runImage({}, ['bash', '-c', script]);
    expect(stdout).toContain('tickTime=4711\n');
  });

  it('lists its variables, with their defaults', async () => {
    const { stdout } = await runImage({}, ['config', '--variables']);
    const lines = stdout.trim().split('\n');
    expect(lines).toContain('ZOO_TICK_TIME=2000');
    expect(lines).toContain('ZOO_SERVERS=server.1=localhost:2888:3888;2181');
    expect(lines).toContain('ZOO_MY_ID=');
  });
});

describe('which member this is', () => {
  const idOf = async (given: Variables, options: readonly string[], before = ''): Promise<string> => {
    // The id is what the server would find in its folder.
    const script = `${before} ln -s /bin/true /tmp/java; sed -i 's#/opt/java/bin/java#/tmp/java#' /tmp/lib/jvm.bash && /tmp/bin/entrypoint && cat /data/myid`;
    const copy = 'cp -r /opt/zookeeper/bin /opt/zookeeper/lib /tmp &&';
    const { stdout, stderr } = await runImage(
      { ZOO_SERVERS: three, ...given },
      ['bash', '-c', `${copy} ${script}`],
      options,
    );
    return stdout.trim() || stderr.trim();
  };

  it.each([
    ['by ZOO_MY_ID', { ZOO_MY_ID: '2' }, 'anything', '2'],
    ['by the name of a member', {}, 'zoo3', '3'],
    ['by the name of a member, its domain left out', {}, 'zoo2.example.org', '2'],
    ['by the number at the end of the name', {}, 'zookeeper-1', '1'],
    ['by ZOO_MY_ID before the name', { ZOO_MY_ID: '1' }, 'zoo3', '1'],
  ])('is told %s', async (_, given: Variables, name, id) => {
    expect(await idOf(given, ['--hostname', name])).toBe(id);
  });

  it('is told by the data that it has', async () => {
    expect(await idOf({}, ['--hostname', 'anything'], 'echo 3 >/data/myid &&')).toBe('3');
  });

  it('is not told by the name that Docker makes up', async () => {
    expect(await idOf({}, ['--hostname', 'abcdefabcde1'])).toMatch(
      /^zookeeper: ZOO_MY_ID is not set, and the host name abcdefabcde1/,
    );
  });
});

it('runs another command in place of the server', async () => {
  expect((await runImage({}, ['echo', 'hello'])).stdout).toBe('hello\n');
});
