import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import Long from 'long';
import { acl } from '../../src/acl.js';
import { BadVersionError, InvalidArgumentError, InvalidPathError, ProtocolError } from '../../src/errors.js';
import type { MultiOperation, MultiResult } from '../../src/operations/multi.js';
import { Chroot } from '../../src/paths.js';
import type { RequestLimits } from '../../src/session/pending-request.js';
import { type CommitTransaction, Transaction } from '../../src/transaction.js';
import { someStat } from './support/stats.js';

const options = { defaultAcl: () => acl.open, schema: undefined };

const zxid = Long.fromNumber(77);
const stat = someStat();

let results: readonly MultiResult[];
let sent: { readonly operations: readonly MultiOperation[]; readonly limits: RequestLimits }[];

const commitAll: CommitTransaction = async (operations, limits, read) => {
  sent.push({ operations, limits });
  return read({ zxid, results });
};

function begin(chroot = '/app'): Transaction {
  return new Transaction(Chroot.of(chroot), commitAll, options);
}

beforeEach(() => {
  results = [];
  sent = [];
});

describe('a transaction', () => {
  it('sends its operations as one request, with the paths of the server', async () => {
    results = [
      { kind: 'done' },
      { kind: 'created', path: '/app/b', stat: undefined },
      { kind: 'set', stat },
      { kind: 'done' },
    ];
    await begin()
      .check('/a', 7)
      .create('/b', 'x', { mode: 'ephemeral', acl: acl.creatorAll })
      .setData('/c', null, 3)
      .delete('/d')
      .commit();
    expect(sent).toEqual([
      {
        limits: {},
        operations: [
          { kind: 'check', path: '/app/a', version: 7 },
          { kind: 'create', withStat: false, path: '/app/b', data: 'x', acl: acl.creatorAll, flags: 1 },
          { kind: 'setData', path: '/app/c', data: null, version: 3 },
          { kind: 'delete', path: '/app/d', version: -1 },
        ],
      },
    ]);
  });

  it('checks a path of a client with another root', async () => {
    results = [{ kind: 'done' }, { kind: 'done' }];
    await begin().check('/a', undefined, { root: '/other' }).check('/', 2, { root: '/' }).commit();
    expect(sent[0]?.operations).toEqual([
      { kind: 'check', path: '/other/a', version: -1 },
      { kind: 'check', path: '/', version: 2 },
    ]);
  });

  it('creates every kind of znode', async () => {
    results = new Array<MultiResult>(4).fill({ kind: 'created', path: '/app/a', stat });
    const ttl = Long.fromNumber(5_000);
    await begin()
      .create('/a', null, { stat: true })
      .create('/b', null, { mode: 'container' })
      .create('/c', null, { mode: 'ttl', ttl: 5_000 })
      .create('/d-', null, { mode: 'ttlSequential', ttl: 5_000 })
      .commit();
    const common = { data: null, acl: acl.open };
    expect(sent[0]?.operations).toEqual([
      { kind: 'create', withStat: true, path: '/app/a', flags: 0, ...common },
      { kind: 'createContainer', path: '/app/b', flags: 4, ...common },
      { kind: 'createTtl', path: '/app/c', flags: 5, ttl, ...common },
      { kind: 'createTtl', path: '/app/d-', flags: 6, ttl, ...common },
    ]);
  });

  it('keeps a sequential znode without a name at the root of a chroot inside', async () => {
    results = [{ kind: 'created', path: '/app/0000000003', stat: undefined }];
    const [created] = await begin().create('/', null, { mode: 'persistentSequential' }).commit();
    expect(sent[0]?.operations).toMatchObject([{ path: '/app/' }]);
    expect(created).toMatchObject({ path: '/0000000003', sequence: 3 });
  });

  it('resolves with the results in their order, with the paths of the client and the common zxid', async () => {
    results = [
      { kind: 'done' },
      { kind: 'created', path: '/app/q-0000000012', stat: undefined },
      { kind: 'set', stat },
      { kind: 'created', path: '/app/b', stat },
    ];
    const outcome = await begin()
      .check('/a')
      .create('/q-', null, { mode: 'persistentSequential' })
      .setData('/c', 'x')
      .create('/b', null, { stat: true })
      .commit();
    expect(outcome).toEqual([
      undefined,
      { path: '/q-0000000012', name: 'q-0000000012', zxid, sequence: 12 },
      stat,
      { path: '/b', name: 'b', zxid, stat },
    ]);
  });

  it('passes its limits on', async () => {
    results = [{ kind: 'done' }];
    const limits = { timeout: 5, signal: new AbortController().signal };
    await begin().delete('/a').commit(limits);
    expect(sent[0]?.limits).toBe(limits);
  });

  it('without operations asks no server', async () => {
    expect(await begin().commit()).toEqual([]);
    expect(sent).toEqual([]);
  });

  it('can be committed once', async () => {
    results = [{ kind: 'done' }];
    const transaction = begin().delete('/a');
    await transaction.commit();
    await expect(transaction.commit()).rejects.toThrow(
      new InvalidArgumentError('a transaction can be committed once; build another one', { operation: 'commit' }),
    );
    expect(sent).toHaveLength(1);
  });
});

describe('a transaction that failed', () => {
  const failed: readonly MultiResult[] = [
    { kind: 'error', code: 0 },
    { kind: 'error', code: -103 },
    { kind: 'error', code: -2 },
  ];

  it('rejects with the error of the operation that failed: its class, its path, its place', async () => {
    results = failed;
    const error = await begin()
      .create('/a')
      .check('/b', 7)
      .delete('/c')
      .commit()
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(BadVersionError);
    expect(error).toMatchObject({
      operation: 'check',
      path: '/b',
      serverCode: -103,
      transaction: { index: 1, outcomes: ['rolledBack', 'failed', 'notTried'] },
      message:
        'check /b: the version is not the one given (operation 1 of a transaction, of which nothing was applied)',
    });
  });

  it.each([
    ['container', 'create'],
    ['persistent', 'create'],
  ] as const)('names the operation as the caller called it: %s is a %s', async (mode, operation) => {
    results = [{ kind: 'error', code: -110 }];
    await expect(begin().create('/a', null, { mode }).commit()).rejects.toMatchObject({ operation });
  });

  it('is told from one that was carried out, also where the server names no operation that failed', async () => {
    results = [
      { kind: 'error', code: 0 },
      { kind: 'error', code: -2 },
    ];
    await expect(begin().delete('/a').delete('/b').commit()).rejects.toThrow(ProtocolError);
  });

  it.each([0, 1, 3])('is one of two operations with %d results: the server talks nonsense', async (count) => {
    results = new Array<MultiResult>(count).fill({ kind: 'done' });
    await expect(begin().delete('/a').delete('/b').commit()).rejects.toThrow(ProtocolError);
  });

  const done: MultiResult = { kind: 'done' };
  const set: MultiResult = { kind: 'set', stat: someStat() };
  const created: MultiResult = { kind: 'created', path: '/a', stat: undefined };
  const kinds: readonly [string, () => Transaction<readonly unknown[]>, readonly MultiResult[]][] = [
    ['create', () => begin().create('/a'), [set, done]],
    ['create of a container', () => begin().create('/a', null, { mode: 'container' }), [set, done]],
    ['create with a ttl', () => begin().create('/a', null, { mode: 'ttl', ttl: 5 }), [set, done]],
    ['setData', () => begin().setData('/a', 'x'), [created, done]],
    ['delete', () => begin().delete('/a'), [created, set]],
    ['check', () => begin().check('/a'), [created, set]],
  ];
  it.each(kinds)('is a %s with a result of another kind: the server talks nonsense', async (_, build, wrong) => {
    for (const result of wrong) {
      results = [result];
      await expect(build().commit()).rejects.toThrow(ProtocolError);
    }
  });
});

describe('what is wrong is refused where it is written', () => {
  it.each<[string, () => unknown]>([
    ['create', () => begin().create('a')],
    ['setData', () => begin().setData('/a/', 'x')],
    ['delete', () => begin().delete('//')],
    ['check', () => begin().check('')],
  ])('a path in %s', (operation, write) => {
    const error = thrownBy(write);
    expect(error).toBeInstanceOf(InvalidPathError);
    expect(error).toMatchObject({ operation });
  });

  it.each<[string, () => unknown]>([
    ['data', () => begin().create('/a', 7 as unknown as string)],
    ['data', () => begin().setData('/a', undefined as unknown as string)],
    ['a version', () => begin().check('/a', 0.5)],
    ['a version', () => begin().delete('/a', NaN)],
    ['a version', () => begin().setData('/a', 'x', 2 ** 40)],
    ['a mode', () => begin().create('/a', null, { mode: 'other' as 'ephemeral' })],
    ['an ACL', () => begin().create('/a', null, { acl: [] })],
    ['a ttl', () => begin().create('/a', null, { mode: 'ttl', ttl: 0 })],
  ])('%s', (_, write) => {
    expect(thrownBy(write)).toBeInstanceOf(InvalidArgumentError);
  });
});

it('sends nothing before it is committed', () => {
  const commit = jest.fn<CommitTransaction>();
  new Transaction(Chroot.of(''), commit, options).create('/a').delete('/b');
  expect(commit).not.toHaveBeenCalled();
});

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
