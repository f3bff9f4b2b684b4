import { beforeEach, describe, expect, it } from '@jest/globals';
import Long from 'long';
import { acl } from '../../src/acl.js';
import {
  type Failure,
  InvalidArgumentError,
  InvalidPathError,
  NoNodeError,
  NoWatcherError,
  ServerFailure,
  UnansweredFailure,
} from '../../src/errors.js';
import type { OneShotEvent } from '../../src/events.js';
import { ZNode } from '../../src/operations/get-data.js';
import type { Operation } from '../../src/operations/operation.js';
import { resolveOptions } from '../../src/options.js';
import { Chroot } from '../../src/paths.js';
import type { Arming, RequestLimits } from '../../src/session/pending-request.js';
import { WatchRegistry } from '../../src/session/watch-registry.js';
import type { Succession } from '../../src/succession.js';
import { ZooKeeperOperations } from '../../src/zookeeper-operations.js';
import { someStat } from './support/stats.js';

interface Submission {
  readonly name: string;
  readonly opCode: number;
  readonly request: { readonly path?: string } & Record<string, unknown>;
  readonly bytes: number;
  readonly limits: RequestLimits | undefined;
  readonly arming: Arming | undefined;
}

const stat = someStat();

/** What was submitted to the session. */
let submitted: Submission[];
/** The outcome of whatever is submitted. */
let outcome: unknown;
let endedWatches: boolean;
let zk: ZooKeeperOperations;

const session = {
  id: Long.ONE,
  state: 'connected',
  watches: new WatchRegistry(),
  options: resolveOptions(),
  mayOwnEphemerals: false,
  submit(
    { name, opCode }: Operation<never, unknown>,
    request: Submission['request'],
    bytes: number,
    limits?: RequestLimits,
    arming?: Arming,
  ): Promise<unknown> {
    submitted.push({ name, opCode, request, bytes, limits, arming });
    return Promise.resolve(outcome);
  },
  watchAgain: () => undefined,
  endWatches: () => endedWatches,
  unwatch: () => undefined,
};

beforeEach(() => {
  submitted = [];
  outcome = undefined;
  endedWatches = false;
  session.watches = new WatchRegistry();
  zk = new ZooKeeperOperations({ session } as unknown as Succession, Chroot.of('/app'));
});

/** The one request that was submitted. */
function only(): Submission {
  expect(submitted).toHaveLength(1);
  return submitted[0]!;
}

const loss: Failure = new UnansweredFailure('connectionLoss', 'gone', true);

describe('every operation', () => {
  const calls: readonly (readonly [string, (path: string) => Promise<unknown>])[] = [
    ['delete', (path) => zk.delete(path)],
    ['exists', (path) => zk.exists(path)],
    ['exists', (path) => zk.has(path)],
    ['getData', (path) => zk.getData(path)],
    ['setData', (path) => zk.setData(path, 'x')],
    ['getChildren', (path) => zk.getChildren(path)],
    ['getChildren', (path) => zk.getChildren(path, { stat: true })],
    ['getAllChildrenNumber', (path) => zk.getAllChildrenNumber(path)],
    ['getEphemerals', (path) => zk.getEphemerals(path)],
    ['getAcl', (path) => zk.getAcl(path)],
    ['setAcl', (path) => zk.setAcl(path, acl.open)],
    ['sync', (path) => zk.sync(path)],
    ['addWatch', (path) => zk.addWatch(path)],
    ['removeWatches', (path) => zk.removeWatches(path)],
    ['create', (path) => zk.createPlain(path, null, {})],
  ];

  it.each(calls)('%s puts the chroot on the path', async (_, call) => {
    outcome = loss;
    await call('/a').catch(() => undefined);
    await call('/').catch(() => undefined);
    expect(submitted.map(({ request }) => request.path)).toEqual(['/app/a', '/app']);
  });

  it.each(calls)('%s rejects what is no path, and sends nothing', async (operation, call) => {
    const calling = call('/a/');
    await expect(calling).rejects.toThrow(InvalidPathError);
    await expect(calling).rejects.toMatchObject({ operation, path: '/a/' });
    expect(submitted).toEqual([]);
  });

  it.each(calls)(
    '%s rejects with the error of the failure: operation and path are those of the caller',
    async (operation, call) => {
      outcome = loss;
      await expect(call('/a')).rejects.toMatchObject({
        code: 'CONNECTION_LOSS',
        operation,
        path: '/a',
        mayHaveBeenApplied: true,
      });
    },
  );
});

describe('an error', () => {
  it('has a stack that leads to the caller', async () => {
    outcome = new ServerFailure(-101);
    async function theCaller(): Promise<void> {
      await zk.getData('/a');
    }
    const error = (await theCaller().catch((reason: unknown) => reason)) as Error;
    expect(error).toBeInstanceOf(NoNodeError);
    expect(error.stack).toContain('theCaller');
  });
});

describe('create', () => {
  beforeEach(() => {
    outcome = { path: '/app/a-0000000003', zxid: Long.ONE, stat: undefined };
  });

  it.each([
    [{}, 1, 0],
    [{ stat: true }, 15, 0],
    [{ mode: 'ephemeral' }, 1, 1],
    [{ mode: 'persistentSequential' }, 1, 2],
    [{ mode: 'ephemeralSequential', stat: true }, 15, 3],
    [{ mode: 'container' }, 19, 4],
    [{ mode: 'ttl', ttl: 5 }, 21, 5],
    [{ mode: 'ttlSequential', ttl: 5 }, 21, 6],
  ] as const)('with %j has the op code %d and the flags %d', async (options, opCode, flags) => {
    await zk.createPlain('/a-', null, options);
    expect(only()).toMatchObject({ opCode, request: { path: '/app/a-', flags } });
  });

  it('resolves with the path of the client, and the number that was appended', async () => {
    expect(await zk.createPlain('/a-', 'x', { mode: 'persistentSequential' })).toEqual({
      path: '/a-0000000003',
      name: 'a-0000000003',
      sequence: 3,
      zxid: Long.ONE,
    });
  });

  it('of a sequential znode without a name at the root of a chroot stays inside', async () => {
    await zk.createPlain('/', null, { mode: 'persistentSequential' });
    expect(only().request.path).toBe('/app/');
  });

  it.each([
    ['a mode', { mode: 'other' }],
    ['an ACL', { acl: [] }],
    ['a ttl', { mode: 'ttl', ttl: 0 }],
  ])('rejects %s that is none, and sends nothing', async (_, options) => {
    await expect(zk.createPlain('/a', null, options as object)).rejects.toThrow(InvalidArgumentError);
    expect(submitted).toEqual([]);
  });
});

describe('what is checked before anything is sent', () => {
  it.each<[string, () => Promise<unknown>]>([
    ['data', () => zk.setData('/a', 7 as unknown as string)],
    ['data', () => zk.setData('/a', undefined as unknown as string)],
    ['a version', () => zk.setData('/a', 'x', 0.5)],
    ['a version', () => zk.delete('/a', NaN)],
    ['a version', () => zk.setAcl('/a', acl.open, 2 ** 31)],
    ['an ACL', () => zk.setAcl('/a', [])],
  ])('%s', async (_, call) => {
    await expect(call()).rejects.toThrow(InvalidArgumentError);
    expect(submitted).toEqual([]);
  });
});

describe('the bytes of a request, for the bound of those that wait', () => {
  it('are those of its path and its data', async () => {
    await zk.setData('/abc', Buffer.alloc(100));
    await zk.getData('/abc');
    expect(submitted.map(({ bytes }) => bytes)).toEqual([104, 4]);
  });
});

describe('limits', () => {
  it('go with the request', async () => {
    const limits = { timeout: 5, signal: new AbortController().signal };
    await zk.delete('/a', -1, limits);
    expect(only().limits).toMatchObject(limits);
  });
});

describe('results', () => {
  it('of exists are the stat, or null', async () => {
    outcome = stat;
    expect(await zk.exists('/a')).toBe(stat);
    expect(await zk.has('/a')).toBe(true);
    outcome = null;
    expect(await zk.exists('/a')).toBeNull();
    expect(await zk.has('/a')).toBe(false);
  });

  it('of getChildren are the names, or with the stat', async () => {
    outcome = ['a'];
    expect(await zk.getChildren('/a')).toEqual(['a']);
    outcome = { children: ['a'], stat };
    expect(await zk.getChildren('/a', { stat: true })).toEqual({ children: ['a'], stat });
    expect(submitted.map(({ opCode }) => opCode)).toEqual([8, 12]);
  });

  it('of getEphemerals are the paths below the one that was asked for, without the chroot', async () => {
    outcome = ['/app/a', '/app/a/b', '/app/ab', '/application', '/other'];
    expect(await zk.getEphemerals('/a')).toEqual(['/a', '/a/b']);
    expect(await zk.getEphemerals()).toEqual(['/a', '/a/b', '/ab']);
  });

  it('of sync are nothing', async () => {
    outcome = '/app';
    expect(await zk.sync()).toBeUndefined();
  });
});

describe('the configuration of the ensemble', () => {
  const text = 'server.1=zk:2888:3888:participant;2181\nversion=5';

  it('is read outside of the chroot', async () => {
    outcome = new ZNode(Buffer.from(text), stat);
    const config = await zk.getConfig();
    expect(only().request.path).toBe('/zookeeper/config');
    expect(config).toMatchObject({ servers: [{ id: 1 }], version: Long.fromNumber(5) });
  });

  it('is changed by lists that are joined with commas; what is left out is null', async () => {
    outcome = new ZNode(Buffer.from(text), stat);
    await zk.reconfig({ joining: ['server.5=a', 'server.6=b'], leaving: [1, 2] });
    await zk.reconfig({ members: ['server.1=a'], fromVersion: Long.fromNumber(7) });
    expect(submitted.map(({ request }) => request)).toMatchObject([
      { joining: 'server.5=a,server.6=b', leaving: '1,2', members: null, fromVersion: Long.NEG_ONE },
      { joining: null, leaving: null, members: 'server.1=a', fromVersion: Long.fromNumber(7) },
    ]);
  });
});

describe('watches', () => {
  it('go with reads that ask for one', async () => {
    const watch = (_: OneShotEvent): void => undefined;
    outcome = stat;
    await zk.exists('/a', { watch });
    await zk.exists('/a');
    expect(submitted.map(({ arming }) => arming !== undefined)).toEqual([true, false]);
  });

  it('that stay resolve with a watcher once the server has confirmed them', async () => {
    const watcher = await zk.addWatch('/a', { recursive: true });
    expect(watcher).toMatchObject({ path: '/a', recursive: true });
    expect(only().request).toEqual({ path: '/app/a', recursive: true });
  });

  it('that are removed may be unknown to the server, if there were some here', async () => {
    outcome = new ServerFailure(-121);
    await expect(zk.removeWatches('/a')).rejects.toThrow(NoWatcherError);
    endedWatches = true;
    await expect(zk.removeWatches('/a')).resolves.toBeUndefined();
  });

  it('that are removed while the connection is lost are gone with it', async () => {
    outcome = loss;
    endedWatches = true;
    await expect(zk.removeWatches('/a')).resolves.toBeUndefined();
  });

  it('that are removed still need the permission', async () => {
    outcome = new ServerFailure(-102);
    endedWatches = true;
    await expect(zk.removeWatches('/a')).rejects.toMatchObject({ code: 'NO_AUTH' });
  });
});

describe('the root', () => {
  it('is the chroot', () => {
    expect(zk.root).toBe('/app');
    expect(zk.unrooted().root).toBe('/');
    expect(zk.unrooted().unrooted().root).toBe('/');
  });
});
