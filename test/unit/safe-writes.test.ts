import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import Long from 'long';
import {
  BadVersionError,
  NoAuthError,
  NodeExistsError,
  NoNodeError,
  NotReadOnlyError,
  UnansweredFailure,
} from '../../src/errors.js';
import { ZNode } from '../../src/operations/get-data.js';
import { retries } from '../../src/retry-policy.js';
import { createSafely, deleteForSure, deleteSafely, setDataSafely } from '../../src/safe-writes.js';
import type { ZooKeeperOperations } from '../../src/zookeeper-operations.js';
import { type TestClock, useRealClock, useTestClock } from './support/clock.js';
import { someStat } from './support/stats.js';

type Kind = ConstructorParameters<typeof UnansweredFailure>[0];

let clock: TestClock;
/** What the server says to each request, in order; undefined: it is done. */
let answers: unknown[];
let calls: string[];

const SESSION = Long.fromNumber(7);
const MINE = { ...someStat(), version: 0, ephemeralOwner: Long.ZERO };

async function answer(call: string): Promise<unknown> {
  calls.push(call);
  await Promise.resolve();
  const next = answers.shift();
  if (next instanceof Error) throw next;
  return next;
}

const zk = {
  sessionId: SESSION,
  createPlain: () => answer('create'),
  delete: () => answer('delete'),
  setData: () => answer('setData'),
  getData: () => answer('getData'),
} as unknown as ZooKeeperOperations;

beforeEach(() => {
  clock = useTestClock();
  answers = [];
  calls = [];
});
afterEach(useRealClock);

function unanswered(kind: Kind, mayHaveBeenApplied: boolean): Error {
  return new UnansweredFailure(kind, 'no answer', mayHaveBeenApplied).toError({});
}
const lost = (): Error => unanswered('connectionLoss', true);
const refused = new NotReadOnlyError('it takes no writes', {});

/** What is found: our data unless told otherwise. */
function node(stat: object = {}, data: string | null = 'mine'): ZNode {
  return new ZNode(data === null ? null : Buffer.from(data), Object.assign(someStat(), MINE, stat));
}

const policy = retries.times(3, 10);

/** The outcome, with all pauses gone by. */
async function outcomeOf(promise: Promise<unknown>): Promise<unknown> {
  const outcome = promise.catch((error: unknown) => error);
  await clock.advance(1_000);
  return outcome;
}

const remove = (version = -1): Promise<unknown> => outcomeOf(deleteSafely(zk, '/a', version, policy, {}));
const set = (data: string | null = 'mine', version = 4): Promise<unknown> =>
  outcomeOf(setDataSafely(zk, '/a', data, version, policy, {}));
const create = (options: object = {}, data: string | null = 'mine'): Promise<unknown> =>
  outcomeOf(createSafely(zk, '/a', data, policy, options));

describe('a delete', () => {
  it('is done where the znode is gone after a doubtful try, and only then', async () => {
    answers = [lost(), new NoNodeError('gone', {})];
    expect(await remove()).toBeUndefined();
    answers = [unanswered('connectionLoss', false), new NoNodeError('gone', {})];
    expect(await remove()).toBeInstanceOf(NoNodeError);
    answers = [new NoNodeError('gone', {})];
    expect(await remove()).toBeInstanceOf(NoNodeError);
  });

  it('keeps its doubt over further tries that certainly did nothing', async () => {
    answers = [lost(), unanswered('timeout', false), refused];
    expect(await remove()).toMatchObject({ code: 'CONNECTION_LOSS', mayHaveBeenApplied: true });
    answers = [lost(), unanswered('expired', false)];
    expect(await remove()).toMatchObject({ code: 'SESSION_EXPIRED', mayHaveBeenApplied: true });
    answers = [lost(), unanswered('timeout', false), new NoNodeError('gone', {})];
    expect(await remove()).toBeUndefined();
  });

  it('has no doubt where no try can have done anything', async () => {
    answers = [refused, refused, refused];
    expect(await remove()).toBe(refused);
    answers = [refused, unanswered('expired', false)];
    expect(await remove()).toMatchObject({ code: 'SESSION_EXPIRED', mayHaveBeenApplied: false });
  });

  it('rejects with what the server says of the znode that is there', async () => {
    answers = [lost(), new BadVersionError('another one', {})];
    expect(await remove(3)).toBeInstanceOf(BadVersionError);
  });
});

describe('a set', () => {
  it('is done where our data is there under the next version, and gives the stat', async () => {
    answers = [lost(), new BadVersionError('', {}), node({ version: 5 })];
    expect(await set()).toMatchObject({ version: 5 });
    answers = [lost(), new BadVersionError('', {}), node({ version: -(2 ** 31) }, null)];
    expect(await set(null, 2 ** 31 - 1)).toMatchObject({ version: -(2 ** 31) });
  });

  it.each([
    ['another version', node({ version: 6 })],
    ['other data', node({ version: 5 }, 'theirs')],
    ['no data', node({ version: 5 }, null)],
    ['nothing', new NoNodeError('', {})],
    ['what must not be read', new NoAuthError('', {})],
  ])('is refused where %s is there', async (_, found) => {
    const refusal = new BadVersionError('', {});
    answers = [lost(), refusal, found];
    expect(await set()).toBe(refusal);
  });

  it('looks again where the connection is lost during the look', async () => {
    answers = [lost(), new BadVersionError('', {}), unanswered('connectionLoss', false)];
    answers.push(new BadVersionError('', {}), node({ version: 5 }));
    expect(await set()).toMatchObject({ version: 5 });
    answers = [lost(), new BadVersionError('', {}), unanswered('closed', false)];
    expect(await set()).toMatchObject({ code: 'CLOSED', mayHaveBeenApplied: true });
  });

  it('is not looked for where no try was in doubt', async () => {
    const refusal = new BadVersionError('', {});
    answers = [refusal];
    expect(await set()).toBe(refusal);
    expect(calls).toEqual(['setData']);
  });
});

describe('a create', () => {
  const exists = new NodeExistsError('', {});

  it.each(['persistent', 'container', 'ttl'])('%s is done where our znode is there', async (mode) => {
    answers = [lost(), exists, node()];
    expect(await create({ mode })).toMatchObject({ path: '/a', name: 'a' });
  });

  it('ephemeral is done where our znode is of this session', async () => {
    answers = [lost(), exists, node({ ephemeralOwner: SESSION })];
    expect(await create({ mode: 'ephemeral' })).toMatchObject({ path: '/a' });
    answers = [lost(), exists, node({ ephemeralOwner: SESSION.add(1) })];
    expect(await create({ mode: 'ephemeral' })).toBe(exists);
  });

  it.each([
    ['persistent', node({ ephemeralOwner: SESSION.add(1) })],
    ['container', node({ ephemeralOwner: SESSION })],
    ['ephemeral', node()],
    ['persistent', node({ version: 1 })],
    ['persistent', node({}, 'theirs')],
    ['persistent', new NoNodeError('', {})],
    ['persistent', new NoAuthError('', {})],
  ])('%s is refused where the znode that is there is another one', async (mode, found) => {
    answers = [lost(), exists, found];
    expect(await create({ mode })).toBe(exists);
  });

  it('is not looked for where no try was in doubt', async () => {
    answers = [unanswered('connectionLoss', false), exists];
    expect(await create()).toBe(exists);
    expect(calls).toEqual(['create', 'create']);
  });

  it('is refused for sequential modes before anything is sent', () => {
    const options = { mode: 'persistentSequential' } as const;
    expect(() => createSafely(zk, '/a', null, policy, options)).toThrow('protected: true does');
    expect(calls).toEqual([]);
  });
});

describe('a guaranteed delete', () => {
  it('goes on after its caller has given up, and until it is done', async () => {
    answers = [lost(), lost(), lost(), lost(), lost(), undefined];
    const late = deleteForSure(zk, '/a', -1, { timeout: 1 }).catch((error: unknown) => error);
    await clock.advance(1);
    expect(await late).toMatchObject({ code: 'OPERATION_TIMEOUT', mayHaveBeenApplied: true });
    await clock.advance(60_000);
    expect(calls).toHaveLength(6);
    expect(clock.timers).toBe(0);
  });

  it.each(['closed', 'expired', 'authFailed'] as const)('ends quietly when the session is %s', async (kind) => {
    const unhandled = jest.fn();
    process.on('unhandledRejection', unhandled);
    answers = [lost(), unanswered(kind, false)];
    const late = deleteForSure(zk, '/a', -1, { timeout: 0 }).catch((error: unknown) => error);
    await clock.advance(60_000);
    expect(await late).toMatchObject({ code: 'OPERATION_TIMEOUT' });
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', unhandled);
    expect([calls.length, unhandled.mock.calls.length, clock.timers]).toEqual([2, 0, 0]);
  });

  it('is not begun where the signal has fired before', async () => {
    const limits = { signal: AbortSignal.abort() };
    await expect(deleteForSure(zk, '/a', -1, limits)).rejects.toMatchObject({
      code: 'ABORTED',
      mayHaveBeenApplied: false,
    });
    expect(calls).toEqual([]);
  });
});
