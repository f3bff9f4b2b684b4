/** The answers of ZooKeeper 3.4, 3.8 and 3.9 to four-letter words, as they were captured. */
import { describe, expect, test } from '@jest/globals';
import Long from 'long';
import * as report from '../../../src/admin/parse-report.js';
import * as server from '../../../src/admin/parse-server.js';
import { UnreadableText } from '../../../src/admin/text.js';
import { Golden } from './golden.js';

const hex = (id: Long): string => `0x${id.toUnsigned().toString(16)}`;

const files = ['3.4.13-standalone', '3.8.0-standalone', '3.8.0-leader', '3.8.0-follower', '3.9.6-standalone'];
files.push('3.9.6-leader', '3.9.6-follower');

describe.each(files)('%s', (name) => {
  const golden = new Golden(name);
  const [version = '', role = ''] = name.split('-');

  test('srvr', () => {
    const { raw, ...parsed } = server.parseServer(golden.of('srvr'));
    expect(raw).toBe(golden.of('srvr'));
    expect(parsed.version.startsWith(version)).toBe(true);
    expect(parsed.mode).toBe(role);
    expect(parsed.readOnly).toBe(false);
    expect(parsed.latency.max).toBeGreaterThan(0);
    expect(parsed.latency.average).toBeGreaterThan(0);
    expect(parsed.packetsReceived).toBeGreaterThan(parsed.packetsSent);
    expect(parsed.connections).toBe(2);
    expect(parsed.outstanding).toBe(0);
    expect(parsed.znodes).toBeGreaterThan(5);
    expect(parsed.zxid.getHighBits()).toBe(role === 'standalone' ? 0 : 1);
    if (role === 'leader') expect(parsed.proposals?.max).toBeGreaterThan(30);
    else expect(parsed.proposals).toBeUndefined();
  });

  test('stat', () => {
    const parsed = server.parseStat(golden.of('stat'));
    expect(parsed.mode).toBe(role);
    expect(parsed.clients.length).toBe(2);
    for (const client of parsed.clients) {
      expect(client).toEqual({
        client: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
        secure: undefined,
        outstanding: 0,
        packetsReceived: expect.any(Number),
        packetsSent: expect.any(Number),
      });
    }
  });

  test('cons', () => {
    const connections = server.parseConnections(golden.of('cons'));
    expect(connections.length).toBe(2);
    const [session] = connections.flatMap((each) => each.session ?? []);
    expect(session).toEqual({
      id: expect.any(Long),
      lastOperation: 'EXIS',
      establishedAt: expect.any(Number),
      timeout: 20_000,
      lastXid: 4,
      lastZxid: expect.any(Long),
      latency: expect.objectContaining({ min: expect.any(Number), max: expect.any(Number) }),
    });
    expect(new Date(session?.establishedAt ?? 0).getUTCFullYear()).toBe(2026);
    expect(hex(session!.id)).toBe(/sid=(0x[0-9a-f]+)/.exec(golden.of('cons'))?.[1]);
  });

  test('mntr', () => {
    const parsed = report.parseMonitor(golden.of('mntr'));
    expect(parsed.version.startsWith(version)).toBe(true);
    expect(parsed.mode).toBe(role);
    expect(parsed).toMatchObject({ connections: 2, outstanding: 0, watches: 2, ephemerals: 1, maxFiles: 20_000 });
    expect(parsed.latency.max).toBeGreaterThan(0);
    expect(parsed.openFiles).toBeGreaterThan(10);
    expect(typeof parsed.uptime).toBe(version.startsWith('3.4') ? 'undefined' : 'number');
    expect([parsed.learners, parsed.syncedFollowers]).toEqual(role === 'leader' ? [2, 2] : [undefined, undefined]);
    expect(parsed.values.znode_count).toBe(parsed.znodes);
  });

  test('conf', () => {
    const parsed = report.parseConfig(golden.of('conf'));
    expect(parsed).toMatchObject({
      dataDir: '/var/lib/zookeeper/data/version-2',
      dataLogDir: '/var/lib/zookeeper/data/version-2',
      tickTime: 200,
      maxClientConnections: 0,
      minSessionTimeout: 400,
      maxSessionTimeout: 60_000,
      secureClientPort: version.startsWith('3.4') ? undefined : -1,
    });
    expect(parsed.values.clientPort).toBe(String(parsed.clientPort));
    if (role === 'standalone') {
      expect([parsed.serverId, parsed.ensemble]).toEqual([0, undefined]);
    } else {
      expect(parsed.ensemble?.servers.map(({ id }) => id)).toEqual([1, 2, 3]);
      expect(parsed.ensemble?.version.toString(16)).toBe('100000000');
      expect([1, 2, 3]).toContain(parsed.serverId);
    }
  });

  test('dump', () => {
    const { sessions, ephemerals } = report.parseDump(golden.of('dump'));
    const [, id = ''] = /^(0x[0-9a-f]+):$/m.exec(golden.of('dump')) ?? [];
    expect(sessions.map((session) => hex(session.id))).toEqual([id]);
    expect(sessions[0]?.timeout).toBe(role === 'follower' ? 20_000 : undefined);
    expect(ephemerals.map(({ session, paths }) => [hex(session), paths])).toEqual([[id, ['/golden/e']]]);
  });

  test('envi', () => {
    const parsed = report.parseEnvironment(golden.of('envi'));
    expect(parsed.version.startsWith(version)).toBe(true);
    expect(parsed).toMatchObject({ hostName: 'localhost', javaVersion: '17.0.15', os: 'Linux amd64' });
    expect(parsed.values['java.vendor']).toBe('Debian');
  });

  test('wchs, wchc, wchp', () => {
    expect(report.parseWatchSummary(golden.of('wchs'))).toMatchObject({ connections: 1, paths: 2, watches: 2 });
    const bySession = report.parseWatchesBySession(golden.of('wchc')).sessions;
    expect(bySession.map(({ paths }) => [...paths].sort())).toEqual([['/golden', '/golden/none']]);
    const byPath = report.parseWatchesByPath(golden.of('wchp')).paths;
    expect(byPath.map(({ path }) => path).sort()).toEqual(['/golden', '/golden/none']);
    expect(byPath.map(({ sessions }) => sessions.map(hex))).toEqual([
      [hex(bySession[0]!.session)],
      [hex(bySession[0]!.session)],
    ]);
  });

  test('dirs', () => {
    // The word came with 3.5; older servers close the connection.
    if (version.startsWith('3.4')) expect(golden.of('dirs')).toBe('');
    else expect(report.parseDirectories(golden.of('dirs')).logDirSize).toBeGreaterThan(4_000_000);
  });
});

describe('forms that were not captured', () => {
  const line = (address: string, fields = ''): string => ` ${address}[1](queued=0,recved=1,sent=2${fields})\n`;

  test.each([
    ['/127.0.0.1:1234', '127.0.0.1:1234'],
    ['/0:0:0:0:0:0:0:1:1234', '0:0:0:0:0:0:0:1:1234'],
    ['/[0:0:0:0:0:0:0:1]:1234', '[0:0:0:0:0:0:0:1]:1234'],
    ['zk1.example/10.0.0.1:1234', '10.0.0.1:1234'],
    ['null', 'null'],
  ])('a connection from %s', (address, client) => {
    expect(server.parseConnections(line(address)).map((each) => each.client)).toEqual([client]);
  });

  test('a connection that was only used for pings', () => {
    const fields =
      ',sid=0xff00000000000001,lop=PING,est=1,to=4000,lcxid=0xfffffffffffffffe,lzxid=0xffffffffffffffff,lresp=5,llat=0,minlat=0,avglat=0,maxlat=0';
    const [connection] = server.parseConnections(line('/127.0.0.1:1', fields));
    expect(connection?.session).toMatchObject({ lastXid: -2, lastOperation: 'PING' });
    expect(connection?.session?.lastZxid.toString()).toBe('-1');
    expect(hex(connection!.session!.id)).toBe('0xff00000000000001');
  });

  test('no connections, no watches, no sessions', () => {
    expect(server.parseConnections('\n')).toEqual([]);
    expect(report.parseWatchesBySession('\n').sessions).toEqual([]);
    expect(report.parseWatchesByPath('\n').paths).toEqual([]);
    const empty = 'SessionTracker dump:\nSession Sets (0)/(0):\nephemeral nodes dump:\nSessions with Ephemerals (0):\n';
    expect(report.parseDump(empty)).toMatchObject({ sessions: [], ephemerals: [] });
  });

  test('local sessions of a leader, and paths with spaces and colons', () => {
    const text =
      'SessionTracker dump:\nLocal Session Sets (1)/(1):\n1 expire at Thu Jan 01 00:00:00 CET 1970:\n\t0xa\nGlobal Session Sets (1)/(1):\n' +
      '1 expire at Thu Jan 01 00:00:00 CET 1970:\n\t0xb\nephemeral nodes dump:\nSessions with Ephemerals (1):\n0xb:\n\t/with space: and colon\n\t/0x5:\n' +
      'Connections dump:\nConnections Sets (1)/(1):\n1 expire at never:\n\tip: /1.2.3.4:5 sessionId: 0xb\n';
    const { sessions, ephemerals } = report.parseDump(text);
    expect(sessions.map(({ id }) => hex(id))).toEqual(['0xa', '0xb']);
    expect(ephemerals.map(({ paths }) => paths)).toEqual([['/with space: and colon', '/0x5:']]);
  });

  test('a read-only server', () => {
    const text = new Golden('3.8.0-follower')
      .of('srvr')
      .replace('\n', '\nREAD-ONLY mode; serving only read-only clients\n')
      .replace('Mode: follower', 'Mode: read-only');
    expect(server.parseServer(text)).toMatchObject({ readOnly: true, mode: 'read-only' });
  });

  test('a mode to come, and line ends of another system', () => {
    const text = new Golden('3.9.6-leader').of('srvr').replace('Mode: leader', 'Mode: witness').replace(/\n/g, '\r\n');
    expect(server.parseServer(text)).toMatchObject({ mode: undefined, znodes: 7, proposals: { last: 94 } });
  });

  test('a leader without proposals', () => {
    const text = new Golden('3.8.0-leader').of('srvr').replace('94/36/94', '-1/-1/-1');
    expect(server.parseServer(text).proposals).toEqual({ last: -1, min: -1, max: -1 });
  });

  test('metrics that are no numbers', () => {
    const text = `${new Golden('3.8.0-leader').of('mntr')}zk_avg_x\tNaN\nzk_text\tsome words\nzk_empty\t\n`;
    expect(report.parseMonitor(text).values).toMatchObject({ avg_x: NaN, text: 'some words', empty: '' });
  });

  test('members of a form that is not known', () => {
    const text = new Golden('3.8.0-leader').of('conf').replace(/^server\.1=.*$/m, 'server.1=somewhere');
    expect(report.parseConfig(text)).toMatchObject({ ensemble: undefined, serverId: 3 });
  });
});

describe('answers that are none', () => {
  const golden = new Golden('3.8.0-leader');
  const parsers: [string, (raw: string) => unknown][] = [
    ['srvr', server.parseServer],
    ['stat', server.parseStat],
    ['mntr', report.parseMonitor],
    ['conf', report.parseConfig],
    ['envi', report.parseEnvironment],
    ['wchs', report.parseWatchSummary],
    ['dump', report.parseDump],
    ['dirs', report.parseDirectories],
    ['cons', server.parseConnections],
    ['wchc', report.parseWatchesBySession],
    ['wchp', report.parseWatchesByPath],
  ];

  test.each(parsers)('%s', (_, parse) => {
    expect(() => parse('HTTP/1.1 400 Bad Request\r\n\r\n')).toThrow(UnreadableText);
    expect(() => parse('-ERR unknown command\r\n')).toThrow(UnreadableText);
  });

  test.each(parsers.slice(0, 6))('%s, cut off anywhere, is read or refused, and nothing else', (word, parse) => {
    const whole = golden.of(word);
    for (let length = 0; length < whole.length; length++) {
      try {
        parse(whole.slice(0, length));
      } catch (error) {
        expect(error).toBeInstanceOf(UnreadableText);
      }
    }
  });
});
