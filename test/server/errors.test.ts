import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  acl,
  BadArgumentsError,
  BadVersionError,
  EphemeralOnLocalSessionError,
  InvalidAclError,
  MarshallingError,
  NoAuthError,
  NoChildrenForEphemeralsError,
  NodeExistsError,
  NoNodeError,
  NotEmptyError,
  NoWatcherError,
  QuotaExceededError,
  ReconfigDisabledError,
  ServerError,
  ThrottledError,
  UnimplementedError,
  ZooKeeper,
} from 'zookit';
import { expectRefusal, type Feature, knows, since } from '../support/features.js';
import { type Ensemble, startEnsemble, startServer, type ZooKeeperServer } from '../support/zookeeper.js';
import { failureOf, useClients } from './clients.js';

/** What a server must be asked for the error; `at` is an empty znode. */
type Cause = (zk: ZooKeeper, at: string) => Promise<unknown>;

type ServerErrorClass = new (...args: never[]) => ServerError;

/**
 * Class, code, number; the operation and the path that it names, where `.` is the znode of the test; how to get it; what
 * the server needs to know for it.
 */
type Row = readonly [ServerErrorClass, string, number, string, string, Cause, Feature?];

async function callerOf(cause: Cause, zk: ZooKeeper, at: string): Promise<void> {
  await cause(zk, at);
}

/** Checks all that an error promises. */
async function expectError(row: Row, zk: ZooKeeper, at: string): Promise<void> {
  const [errorClass, code, serverCode, operation, path, cause, feature] = row;
  if (feature !== undefined && !knows(feature)) return expectRefusal([feature], () => cause(zk, at));
  const error = await failureOf(callerOf(cause, zk, at));
  expect(error).toBeInstanceOf(errorClass);
  expect(error).toBeInstanceOf(ServerError);
  const fullPath = path.replace(/^\./, at);
  expect(error).toMatchObject({ name: errorClass.name, code, serverCode, operation, path: fullPath });
  const { message, stack } = error as ServerError;
  expect(message).toContain(`${operation} ${fullPath}`);
  // Whoever called, and where: also though the answer came on a turn of its own.
  expect(stack).toMatch(/\bcallerOf .*errors\.test\.ts:\d+/);
}

const nameOf = ([errorClass, , serverCode, operation]: Row): string => `${serverCode} ${errorClass.name}: ${operation}`;

describe('an error of the server', () => {
  const clients = useClients();

  const rows: Row[] = [
    [NoNodeError, 'NO_NODE', -101, 'getData', './x', (zk, at) => zk.getData(`${at}/x`)],
    [NoNodeError, 'NO_NODE', -101, 'create', './x/y', (zk, at) => zk.create(`${at}/x/y`)],
    [NoNodeError, 'NO_NODE', -101, 'delete', './x', (zk, at) => zk.delete(`${at}/x`)],
    [NoNodeError, 'NO_NODE', -101, 'setData', './x', (zk, at) => zk.setData(`${at}/x`, 'x')],
    [NoNodeError, 'NO_NODE', -101, 'getChildren', './x', (zk, at) => zk.getChildren(`${at}/x`)],
    [NoNodeError, 'NO_NODE', -101, 'getAcl', './x', (zk, at) => zk.getAcl(`${at}/x`)],
    [NoNodeError, 'NO_NODE', -101, 'setAcl', './x', (zk, at) => zk.setAcl(`${at}/x`, acl.open)],
    [
      NoNodeError,
      'NO_NODE',
      -101,
      'getAllChildrenNumber',
      './x',
      (zk, at) => zk.getAllChildrenNumber(`${at}/x`),
      'getAllChildrenNumber',
    ],
    [
      NoAuthError,
      'NO_AUTH',
      -102,
      'getData',
      '.',
      async (zk, at) => {
        await zk.setAcl(at, [acl.world('admin')]);
        return zk.getData(at);
      },
    ],
    [BadVersionError, 'BAD_VERSION', -103, 'setData', '.', (zk, at) => zk.setData(at, 'x', 7)],
    [BadVersionError, 'BAD_VERSION', -103, 'delete', '.', (zk, at) => zk.delete(at, 7)],
    [BadVersionError, 'BAD_VERSION', -103, 'setAcl', '.', (zk, at) => zk.setAcl(at, acl.open, 7)],
    [
      NoChildrenForEphemeralsError,
      'NO_CHILDREN_FOR_EPHEMERALS',
      -108,
      'create',
      './e/x',
      async (zk, at) => {
        await zk.create(`${at}/e`, null, { mode: 'ephemeral' });
        return zk.create(`${at}/e/x`);
      },
    ],
    [NodeExistsError, 'NODE_EXISTS', -110, 'create', '.', (zk, at) => zk.create(at)],
    [NotEmptyError, 'NOT_EMPTY', -111, 'delete', '.', (zk, at) => zk.create(`${at}/x`).then(() => zk.delete(at))],
    [
      InvalidAclError,
      'INVALID_ACL',
      -114,
      'create',
      './x',
      (zk, at) => zk.create(`${at}/x`, null, { acl: acl.creatorAll }),
    ],
    [InvalidAclError, 'INVALID_ACL', -114, 'setAcl', '.', (zk, at) => zk.setAcl(at, acl.creatorAll)],
    [NoWatcherError, 'NO_WATCHER', -121, 'removeWatches', '.', (zk, at) => zk.removeWatches(at), 'removeWatches'],
    [BadArgumentsError, 'BAD_ARGUMENTS', -8, 'delete', '/', (zk) => zk.unrooted().delete('/')],
    [
      ReconfigDisabledError,
      'RECONFIG_DISABLED',
      -123,
      'reconfig',
      '/zookeeper/config',
      (zk) => zk.reconfig({ leaving: [1] }),
      'reconfig',
    ],
  ];
  it.each(rows.map((row): [string, Row] => [nameOf(row), row]))('%s', async (_, row) => {
    await expectError(row, clients.zk, await clients.folder());
  });
});

describe('an error of a server with other settings', () => {
  let server: ZooKeeperServer;
  beforeAll(async () => {
    server = await startServer({
      config: { reconfigEnabled: true, extendedTypesEnabled: false },
      systemProperties: {
        'zookeeper.enforceQuota': true,
        'zookeeper.watchManagerName': 'org.apache.zookeeper.server.watch.WatchManagerOptimized',
      },
    });
  });
  const clients = useClients(() => server);
  afterAll(() => server.close());

  /** Allows `at` this many znodes, itself included. */
  async function limitCount(at: string, count: number): Promise<void> {
    const superUser = await clients.superUser();
    const quota = `/zookeeper/quota${clients.chroot}${at}`;
    await superUser.create(`${quota}/zookeeper_limits`, `count=-1,bytes=-1=;byteHardLimit=-1;countHardLimit=${count}`, {
      parents: true,
    });
    await superUser.create(`${quota}/zookeeper_stats`, 'count=1,bytes=0');
  }

  const rows: Row[] = [
    [MarshallingError, 'MARSHALLING_ERROR', -5, 'addWatch', '.', (zk, at) => zk.addWatch(at), 'addWatch'],
    [
      UnimplementedError,
      'UNIMPLEMENTED',
      -6,
      'create',
      './x',
      (zk, at) => zk.create(`${at}/x`, null, { mode: 'ttl', ttl: 1_000 }),
    ],
    [
      UnimplementedError,
      'UNIMPLEMENTED',
      -6,
      'reconfig',
      '/zookeeper/config',
      async () => (await clients.superUser()).reconfig({ leaving: [1] }),
    ],
  ];

  it.each(rows.map((row): [string, Row] => [nameOf(row), row]))('%s', async (_, row) => {
    await expectError(row, clients.zk, await clients.folder());
  });

  const quota: Row = [
    QuotaExceededError,
    'QUOTA_EXCEEDED',
    -125,
    'create',
    './b',
    async (zk, at) => {
      await limitCount(at, 2);
      await zk.create(`${at}/a`);
      return zk.create(`${at}/b`);
    },
  ];
  since('3.7.0')(nameOf(quota), async () => expectError(quota, clients.zk, await clients.folder()));

  since('3.5.3')('that lacks a feature only, not the operation, keeps the connection', async () => {
    const at = await clients.folder();
    const zk = await clients.another();
    const ttl = () => zk.create(`${at}/x`, null, { mode: 'ttl', ttl: 1_000 });
    const { id } = zk.session;
    const suspended: unknown[] = [];
    zk.on('suspended', (event) => suspended.push(event));
    await expect(ttl()).rejects.toThrow(UnimplementedError);
    await expect(ttl()).rejects.toThrow(UnimplementedError);
    expect(await zk.has(at)).toBe(true);
    expect([suspended, zk.session.id.equals(id)]).toEqual([[], true]);
  });
});

describe('an overloaded server', () => {
  since('3.7.0')('-127 ThrottledError: says that the request was dropped, and it was', async () => {
    await using server = await startServer({
      systemProperties: { 'zookeeper.request_throttle_max_requests': 1, 'zookeeper.throttled_op_wait_time': 20 },
    });
    await using zk = await ZooKeeper.connect(server.connectString);
    const count = 3_000;
    const outcomes = await Promise.allSettled(Array.from({ length: count }, (_, index) => zk.create(`/n${index}`)));
    const reasons = outcomes.map((each) => (each.status === 'rejected' ? (each.reason as unknown) : undefined));
    const dropped = [...reasons.entries()].filter(([, reason]) => reason !== undefined);
    expect(dropped.length).toBeGreaterThan(0);
    for (const [index, reason] of dropped) {
      expect(reason).toBeInstanceOf(ThrottledError);
      expect(reason).toMatchObject({ code: 'THROTTLED', serverCode: -127, operation: 'create', path: `/n${index}` });
    }
    // The tree has one more: /zookeeper.
    expect((await zk.getChildren('/')).length).toBe(count - dropped.length + 1);
  });
});

describe('an ensemble with local sessions', () => {
  let ensemble: Ensemble;
  beforeAll(async () => {
    ensemble = await startEnsemble(1, {
      config: { localSessionsEnabled: true, localSessionsUpgradingEnabled: false },
    });
  });
  const clients = useClients(() => ensemble);
  afterAll(() => ensemble.close());

  const ephemeral = { mode: 'ephemeral' } as const;
  const row: Row = [
    EphemeralOnLocalSessionError,
    'EPHEMERAL_ON_LOCAL_SESSION',
    -120,
    'create',
    './e',
    (zk, at) => zk.create(`${at}/e`, null, ephemeral),
  ];

  since('3.5.0')(nameOf(row), async () => expectError(row, clients.zk, await clients.folder()));
});
