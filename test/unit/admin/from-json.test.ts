/** The answers of the AdminServer of ZooKeeper 3.8 and 3.9, as they were captured. */
import { describe, expect, test } from '@jest/globals';
import Long from 'long';
import * as read from '../../../src/admin/from-json.js';
import { type AdminJson, parseJson } from '../../../src/admin/json.js';
import { UnreadableText } from '../../../src/admin/text.js';
import { Golden } from './golden.js';

type Fields = Readonly<Record<string, AdminJson>>;

describe('parseJson', () => {
  test.each<[string, unknown]>([
    ['72058408502165504', Long.fromString('72058408502165504')],
    ['-72058408502165504', Long.fromString('-72058408502165504')],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['9007199254740993', Long.fromString('9007199254740993')],
    ['9223372036854775807', Long.MAX_VALUE],
    ['1795248328001', 1_795_248_328_001],
    ['"72058408502165504"', '72058408502165504'],
    ['"a \\"72058408502165504\\" b"', 'a "72058408502165504" b'],
    ['1234567890123456.5', 1_234_567_890_123_456.5],
    ['1234567890123456e2', 123_456_789_012_345_600],
    ['[72058408502165504, 1, null, true]', [Long.fromString('72058408502165504'), 1, null, true]],
    ['{"72058408502165504": [72058408502165505]}', { '72058408502165504': [Long.fromString('72058408502165505')] }],
  ])('%s', (text, expected) => {
    expect(parseJson(text)).toEqual(expected);
  });

  test.each(['', '<html>', '{"a": }'])('refuses %j', (text) => {
    expect(() => parseJson(text)).toThrow(SyntaxError);
  });
});

describe.each(['3.8.0', '3.9.6'])('%s', (version) => {
  const golden = new Golden(`${version}-standalone-http`);
  const of = <T>(word: string, parse: (fields: Fields, raw: string) => T): T =>
    parse(parseJson(golden.of(word)) as Fields, golden.of(word));
  const [session = ''] = /\d{16,}/.exec(golden.of('cons')) ?? [];

  test('srvr, stat', () => {
    const report = of('srvr', read.serverFrom);
    expect(report).toMatchObject({ mode: 'standalone', readOnly: false, connections: 1, outstanding: 0, znodes: 7 });
    expect(report.version.startsWith(version)).toBe(true);
    expect(report.zxid.toString()).toBe('3');
    expect(report.proposals).toBeUndefined();
    expect(of('stat', read.statFrom).clients).toEqual([
      expect.objectContaining({ client: expect.stringMatching(/^127\.0\.0\.1:\d+$/), secure: false }),
    ]);
    expect(of('stat', read.statFrom).clients[0]).not.toHaveProperty('session');
  });

  test('cons, with the session id to the last digit', () => {
    const [connection] = of('cons', read.connectionsFrom);
    expect(connection?.session?.id.toString()).toBe(session);
    expect(connection?.session).toMatchObject({ timeout: 20_000, lastXid: undefined });
  });

  test('mntr', () => {
    const report = of('mntr', read.monitorFrom);
    expect(report).toMatchObject({ mode: 'standalone', connections: 1, watches: 2, ephemerals: 1, maxFiles: 20_000 });
    expect(report.values).not.toHaveProperty('command');
    expect(report.values.znode_count).toBe(7);
  });

  test('conf, dirs, envi', () => {
    expect(of('conf', read.configFrom)).toMatchObject({ tickTime: 200, serverId: 0, maxSessionTimeout: 60_000 });
    expect(of('dirs', read.directoriesFrom).dataDirSize).toBeGreaterThan(4_000_000);
    expect(of('envi', read.environmentFrom)).toMatchObject({ hostName: 'localhost', javaVersion: '17.0.15' });
  });

  test('dump, wchs, wchc, wchp', () => {
    const { sessions, ephemerals } = of('dump', read.dumpFrom);
    expect(sessions.map(({ id }) => id.toString())).toEqual([session]);
    expect(ephemerals.map(({ session: id, paths }) => [id.toString(), paths])).toEqual([[session, ['/golden/e']]]);
    expect(of('wchs', read.watchSummaryFrom)).toMatchObject({ connections: 1, paths: 2, watches: 2 });
    expect(of('wchc', read.watchesBySessionFrom).sessions.map(({ session: id }) => id.toString())).toEqual([session]);
    const { paths } = of('wchp', read.watchesByPathFrom);
    expect(paths.map((each) => [each.path, each.sessions.map(String)])).toEqual([
      ['/golden/none', [session]],
      ['/golden', [session]],
    ]);
  });

  const parsers: ((fields: Fields, raw: string) => unknown)[] = [
    ...[read.serverFrom, read.statFrom, read.monitorFrom, read.configFrom, read.dumpFrom, read.environmentFrom],
    ...[
      read.watchSummaryFrom,
      read.watchesBySessionFrom,
      read.watchesByPathFrom,
      read.directoriesFrom,
      read.leaderFrom,
    ],
  ];

  test.each(parsers)('an answer to something else is refused', (parse) => {
    expect(() => of('ruok', parse)).toThrow(UnreadableText);
  });
});
