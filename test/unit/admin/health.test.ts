/** What the words of several servers come to. */
import { describe, expect, test } from '@jest/globals';
import Long from 'long';
import { ServerNotServingError, ServerUnreachableError } from '../../../src/admin/errors.js';
import { judge } from '../../../src/admin/health.js';
import { parseServer } from '../../../src/admin/parse-server.js';
import type { ServerMode } from '../../../src/admin/reports.js';
import { Golden } from './golden.js';

const report = parseServer(new Golden('3.8.0-leader').of('srvr'));

const serves = (server: string, role: ServerMode | undefined, epoch = 1, count = 50) => ({
  state: 'serving' as const,
  server,
  role,
  responseTime: 1,
  report: { ...report, mode: role, zxid: new Long(count, epoch) },
});
const idle = (server: string) => ({
  state: 'notServing' as const,
  server,
  error: new ServerNotServingError('no quorum', {}, server),
});
const down = (server: string) => ({
  state: 'unreachable' as const,
  server,
  error: new ServerUnreachableError('refused', {}, server, 'refused'),
});

const lags = (health: ReturnType<typeof judge>): unknown[] =>
  health.servers.map((each) => (each.state === 'serving' ? each.lag : each.state));

describe('healthy:', () => {
  test('a leader and its followers', () => {
    const health = judge([serves('a', 'follower', 1, 48), serves('b', 'leader'), serves('c', 'observer', 1, 51)], 10);
    expect(health).toMatchObject({ verdict: 'healthy', problems: [], quorum: true, leader: 'b' });
    expect(lags(health)).toEqual([2, 0, 0]);
  });

  test('a server that stands alone', () => {
    expect(judge([serves('a', 'standalone', 0)], 10)).toMatchObject({ verdict: 'healthy', quorum: true, leader: 'a' });
  });

  test('a follower that has not seen a transaction of the new leader yet', () => {
    const health = judge([serves('a', 'leader', 2, 3), serves('b', 'follower', 1, 900)], 10);
    expect(health.verdict).toBe('healthy');
    expect(lags(health)).toEqual([0, 3]);
  });
});

describe('degraded:', () => {
  test.each([
    ['a server is down', [serves('a', 'leader'), serves('b', 'follower'), down('c')], 'c: refused', 'a'],
    ['a server has no quorum', [serves('a', 'leader'), serves('b', 'follower'), idle('c')], 'c: no quorum', 'a'],
    ['a server is read-only', [serves('a', 'leader'), serves('b', 'read-only')], 'b: it has lost', 'a'],
    ['a server is far behind', [serves('a', 'leader'), serves('b', 'follower', 1, 5)], '45 transactions behind', 'a'],
    ['the leader was not asked', [serves('a', 'follower'), serves('b', 'follower')], 'none of these', undefined],
    ['two leaders', [serves('a', 'leader'), serves('b', 'leader', 2)], 'claim to lead: a, b', undefined],
    ['two ensembles', [serves('a', 'standalone'), serves('b', 'follower')], 'b: it belongs to another', 'a'],
    ['a leader of the past', [serves('a', 'leader', 1), serves('b', 'follower', 2)], 'b: it has seen a newer', 'a'],
    ['a mode to come', [serves('a', 'leader'), serves('b', undefined)], 'b: it is in a mode', 'a'],
  ])('%s', (_, asked, problem, leader) => {
    const health = judge(asked, 10);
    expect(health).toMatchObject({ verdict: 'degraded', quorum: true, leader });
    expect(health.problems).toEqual([expect.stringContaining(problem)]);
  });
});

test('read-only: somebody serves, and nobody leads', () => {
  const health = judge([serves('a', 'read-only'), down('b'), down('c')], 10);
  expect(health).toMatchObject({ verdict: 'readOnly', quorum: false, leader: undefined });
  expect(health.problems.length).toBe(4);
  expect(lags(health)).toEqual([undefined, 'unreachable', 'unreachable']);
});

test('down: nobody serves', () => {
  const health = judge([idle('a'), down('b')], 10);
  expect(health).toMatchObject({ verdict: 'down', quorum: false, leader: undefined });
  expect(health.problems).toEqual(['a: no quorum', 'b: refused', 'there is no leader']);
});
