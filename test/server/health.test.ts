/** health() of real ensembles: whole, without the leader, paused, without a quorum, read-only, with an observer. */
import { expect, test } from '@jest/globals';
import {
  AbortedError,
  type EnsembleHealth,
  health,
  InvalidArgumentError,
  InvalidConnectStringError,
  OperationTimeoutError,
  ZooKeeper,
} from 'zookit';
import { until } from '../support/until.js';
import { startEnsemble, startServer, superAuth } from '../support/zookeeper.js';
import { failureOf } from './clients.js';

const generous = { timeout: 20_000 };

const roles = (found: EnsembleHealth): unknown[] =>
  found.servers.map((each) => (each.state === 'serving' ? each.role : each.state)).sort();

/** Looks until the ensemble is as described. */
function eventually(
  servers: string,
  what: string,
  holds: (found: EnsembleHealth) => boolean,
  timeout = 20_000,
): Promise<EnsembleHealth> {
  const look = async (): Promise<EnsembleHealth | undefined> => {
    const found = await health(servers, { timeout });
    return holds(found) ? found : undefined;
  };
  return until(look, { what, timeout: 60_000 });
}

test('a server that stands alone', async () => {
  await using server = await startServer({ config: { '4lw.commands.whitelist': 'srvr' } });
  const found = await health(`${server.connectString}/some/chroot`, generous);
  expect(found).toMatchObject({ verdict: 'healthy', problems: [], quorum: true, leader: server.connectString });
  expect(found.servers).toEqual([
    expect.objectContaining({ state: 'serving', role: 'standalone', lag: 0, responseTime: expect.any(Number) }),
  ]);
}, 60_000);

test('servers that SRV records name', async () => {
  await using server = await startServer();
  const [name = '', port] = server.connectString.split(':');
  const record = { name, port: Number(port), priority: 0, weight: 0 };
  const resolveSrv = () => Promise.resolve([record]);
  expect(await health('dns-srv://zk.example/app', { ...generous, resolveSrv })).toMatchObject({
    verdict: 'healthy',
    leader: server.connectString,
  });
}, 60_000);

test('servers that nobody can name', async () => {
  const why = () => Promise.reject(new Error('no such name'));
  expect(await health('dns-srv://zk.example', { resolveSrv: why })).toEqual({
    verdict: 'down',
    problems: ['dns-srv://zk.example: no such name'],
    quorum: false,
    leader: undefined,
    servers: [],
  });
  const silent = await health('dns-srv://zk.example', { resolveSrv: () => new Promise(() => undefined), timeout: 20 });
  expect(silent.problems).toEqual([expect.stringContaining('20 ms')]);
  const abort = new AbortController();
  const resolveSrv = () => {
    abort.abort();
    return new Promise<never>(() => undefined);
  };
  expect(await failureOf(health('dns-srv://zk.example', { resolveSrv, signal: abort.signal }))).toBeInstanceOf(
    AbortedError,
  );
  expect(await failureOf(health('zk', { resolveSrv: 1 as never }))).toBeInstanceOf(InvalidArgumentError);
});

test('an ensemble that loses one server after the other', async () => {
  await using ensemble = await startEnsemble(3, { systemProperties: { 'readonlymode.enabled': true } });
  const all = ensemble.connectString;
  const whole = await eventually(all, 'a healthy ensemble', ({ verdict }) => verdict === 'healthy');
  expect(roles(whole)).toEqual(['follower', 'follower', 'leader']);
  const leader = await ensemble.leader();
  expect(whole.leader).toBe(leader.connectString);
  const [first, second] = ensemble.servers.filter((server) => server !== leader);

  // A follower is stopped: its port is open and nobody answers. The others answer all the same.
  first!.pause();
  const partial = await health(all, { timeout: 5_000 });
  first!.resume();
  expect(partial.servers.filter(({ state }) => state === 'unreachable').map(({ server }) => server)).toEqual([
    first!.connectString,
  ]);
  const paused = partial.servers.find(({ server }) => server === first!.connectString);
  expect(paused?.state === 'serving' ? undefined : paused?.error).toBeInstanceOf(OperationTimeoutError);

  const followersOnly = [first!, second!].map((server) => server.connectString).join(',');
  const without = await eventually(
    followersOnly,
    'two followers',
    (found) => roles(found).join() === 'follower,follower',
  );
  expect(without).toMatchObject({ verdict: 'degraded', quorum: true, leader: undefined });

  await first!.kill();
  const degraded = await eventually(
    all,
    'a server that is down',
    (found) => roles(found).join() === 'follower,leader,unreachable',
  );
  expect(degraded).toMatchObject({ verdict: 'degraded', quorum: true });
  expect(degraded.problems).toEqual([expect.stringContaining(first!.connectString)]);

  await leader.kill();
  const lost = await eventually(all, 'a read-only server', ({ verdict }) => verdict === 'readOnly');
  expect(lost).toMatchObject({ quorum: false, leader: undefined });
  expect(roles(lost)).toEqual(['read-only', 'unreachable', 'unreachable']);

  await second!.kill();
  const down = await health(all, generous);
  expect(down).toMatchObject({ verdict: 'down', quorum: false, leader: undefined });
  expect(down.problems.length).toBe(4);
}, 120_000);

test('an observer', async () => {
  await using ensemble = await startEnsemble(3);
  const leader = await ensemble.leader();
  const observer = ensemble.servers.find((server) => server !== leader)!;
  await using zk = await ZooKeeper.connect(leader.connectString, { auth: [superAuth], sessionTimeout: 20_000 });
  const { servers } = await zk.getConfig();
  const line = servers.find(({ id }) => id === observer.id)!.line.replace(':participant;', ':observer;');
  await zk.reconfig({ leaving: [observer.id!] });
  await zk.reconfig({ joining: [line] });
  const found = await eventually(
    ensemble.connectString,
    'an observer',
    (each) => roles(each).join() === 'follower,leader,observer',
  );
  expect(found.verdict).toBe('healthy');
}, 90_000);

test('several servers that hang take no longer than one', async () => {
  await using server = await startServer();
  server.pause();
  try {
    const begin = performance.now();
    const found = await health(Array(5).fill(server.connectString).join(','), { timeout: 2_000 });
    expect(found.verdict).toBe('down');
    // Five in a row would take 10 s at least.
    expect(performance.now() - begin).toBeLessThan(9_900);
  } finally {
    server.resume();
  }
}, 60_000);

test('can be aborted, and refuses bad input', async () => {
  await using server = await startServer();
  server.pause();
  const abort = new AbortController();
  const aborted = failureOf(health(server.connectString, { ...generous, signal: abort.signal }));
  abort.abort('why');
  expect(await aborted).toBeInstanceOf(AbortedError);
  server.resume();
  expect(await failureOf(health(''))).toBeInstanceOf(InvalidConnectStringError);
  for (const options of [{ timeout: -1 }, { maxLag: -1 }, { maxLg: 1 }, { signal: 1 }])
    expect(await failureOf(health('zk1', options as object))).toBeInstanceOf(InvalidArgumentError);
}, 60_000);
