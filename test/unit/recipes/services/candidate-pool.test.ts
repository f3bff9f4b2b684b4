import { afterEach, beforeEach, describe, expect, it, jest, test } from '@jest/globals';
import fc from 'fast-check';
import type { ServiceInstance } from 'zookit/recipes';
import type { Candidate } from '../../../../recipes/services/candidate.js';
import { CandidatePool, type PoolRules } from '../../../../recipes/services/candidate-pool.js';
import { instanceOf } from './instances.js';

let told: string[];
let changes: string[];

beforeEach(() => {
  jest.useFakeTimers();
  told = [];
  changes = [];
});

afterEach(() => {
  jest.useRealTimers();
});

function poolOf(ids: readonly string[], rules: Partial<PoolRules<unknown>> = {}): CandidatePool<unknown> {
  const pool = new CandidatePool<unknown>({
    zone: undefined,
    setAside: { failures: 2, time: 1_000 },
    slowStart: 0,
    changed: (all) => changes.push(idsOf(all)),
    wasSetAside: ({ id }, error) => told.push(`${id} ${String(error)}`),
    ...rules,
  });
  for (const id of ids) put(pool, instanceOf(id));
  return pool;
}

function put(pool: CandidatePool<unknown>, instance: ServiceInstance, isNew = false): void {
  pool.put(instance.id, instance, instance.enabled, isNew);
}

const idsOf = (candidates: readonly Candidate[]): string => candidates.map(({ instance }) => instance.id).join('');
const candidate = (pool: CandidatePool<unknown>, id: string): Candidate => pool.of(instanceOf(id))!;
const fail = (pool: CandidatePool<unknown>, id: string, times = 1): void => {
  for (let time = 1; time <= times; time++) pool.failed(candidate(pool, id), `failure ${time}`);
};

test('is the same array as long as nothing has changed, and tells of changes once, when it is asked', () => {
  const pool = poolOf(['a', 'b']);
  const first = pool.candidates;
  expect([idsOf(first), changes]).toEqual(['ab', ['ab']]);
  expect(pool.candidates).toBe(first);
  put(pool, instanceOf('c'));
  put(pool, instanceOf('b', { enabled: false }));
  pool.remove('nobody');
  expect([idsOf(pool.candidates), idsOf(pool.candidates), changes]).toEqual(['ac', 'ac', ['ab', 'ac']]);
  pool.remove('a');
  pool.remove('c');
  expect(pool.candidates).toEqual([]);
});

test('knows an instance by itself, by a former version of it, and by a copy; not another process under its id', () => {
  const pool = poolOf([]);
  const first = instanceOf('a', { payload: 1 });
  put(pool, first);
  const known = pool.of(first);
  put(pool, instanceOf('a', { payload: 2 }));
  expect([pool.of(first), pool.of(structuredClone(first))]).toEqual([known, known]);
  expect(pool.of(instanceOf('a', { registrationTimeUTC: 2 }))).toBeUndefined();
  expect(pool.of(instanceOf('b'))).toBeUndefined();
});

describe('one that fails', () => {
  it('is set aside after so many failures in a row, and comes back after a while', () => {
    const pool = poolOf(['a', 'b']);
    fail(pool, 'a');
    expect([idsOf(pool.candidates), told]).toEqual(['ab', []]);
    fail(pool, 'a');
    expect([idsOf(pool.candidates), idsOf(pool.setAside), told]).toEqual(['b', 'a', ['a failure 1']]);
    jest.advanceTimersByTime(999);
    expect(idsOf(pool.candidates)).toBe('b');
    jest.advanceTimersByTime(1);
    expect(idsOf(pool.candidates)).toBe('ab');
  });

  it('is forgiven by a success, and when its failures are old', () => {
    const pool = poolOf(['a', 'b']);
    for (let round = 0; round < 3; round++) {
      fail(pool, 'a');
      pool.succeeded(candidate(pool, 'a'));
    }
    fail(pool, 'a');
    jest.advanceTimersByTime(1_001);
    fail(pool, 'a');
    expect([idsOf(pool.candidates), told]).toEqual(['ab', []]);
    fail(pool, 'a');
    expect(idsOf(pool.candidates)).toBe('b');
    pool.succeeded(candidate(pool, 'a'));
    expect(idsOf(pool.candidates)).toBe('ab');
  });

  it('gets one call on trial first, and is back when that succeeds', () => {
    const pool = poolOf(['a', 'b']);
    fail(pool, 'a', 2);
    jest.advanceTimersByTime(1_000);
    expect(idsOf(pool.candidates)).toBe('ab');
    pool.chose(candidate(pool, 'b'));
    expect(idsOf(pool.candidates)).toBe('ab');
    pool.chose(candidate(pool, 'a'));
    expect(idsOf(pool.candidates)).toBe('b');
    pool.succeeded(candidate(pool, 'a'));
    expect([idsOf(pool.candidates), idsOf(pool.setAside)]).toEqual(['ab', '']);
  });

  it('is set aside again by the first failure of its trial', () => {
    const pool = poolOf(['a', 'b']);
    fail(pool, 'a', 2);
    jest.advanceTimersByTime(1_500);
    pool.chose(candidate(pool, 'a'));
    fail(pool, 'a');
    expect([idsOf(pool.candidates), told.length]).toEqual(['b', 2]);
    jest.advanceTimersByTime(999);
    expect(idsOf(pool.candidates)).toBe('b');
    jest.advanceTimersByTime(1);
    expect(idsOf(pool.candidates)).toBe('ab');
  });

  it('is tried by another call where the first one ended without a word, and after a while where it never ended', () => {
    const pool = poolOf(['a', 'b']);
    fail(pool, 'a', 2);
    jest.advanceTimersByTime(1_000);
    pool.chose(candidate(pool, 'a'));
    pool.unknown(candidate(pool, 'a'));
    expect(idsOf(pool.candidates)).toBe('ab');
    pool.chose(candidate(pool, 'a'));
    jest.advanceTimersByTime(999);
    expect(idsOf(pool.candidates)).toBe('b');
    jest.advanceTimersByTime(1);
    expect(idsOf(pool.candidates)).toBe('ab');
  });

  it('is not kept away for longer by calls that had begun before, nor told of again', () => {
    const pool = poolOf(['a', 'b']);
    fail(pool, 'a', 2);
    jest.advanceTimersByTime(600);
    fail(pool, 'a', 5);
    jest.advanceTimersByTime(400);
    expect([idsOf(pool.candidates), told]).toEqual(['ab', ['a failure 2']]);
  });

  it('is called all the same where all are set aside', () => {
    const pool = poolOf(['a', 'b']);
    fail(pool, 'a', 2);
    fail(pool, 'b', 2);
    expect([idsOf(pool.candidates), idsOf(pool.setAside)]).toEqual(['ab', 'ab']);
    pool.chose(candidate(pool, 'a'));
    expect(idsOf(pool.candidates)).toBe('ab');
    pool.succeeded(candidate(pool, 'a'));
    expect(idsOf(pool.candidates)).toBe('a');
  });

  it('is a new one when another process has taken its place, and the same after an update', () => {
    const pool = poolOf(['a', 'b']);
    fail(pool, 'a', 2);
    put(pool, instanceOf('a', { payload: 'new' }));
    expect(idsOf(pool.candidates)).toBe('b');
    put(pool, instanceOf('a', { registrationTimeUTC: 2 }));
    expect(idsOf(pool.candidates)).toBe('ab');
  });

  it('counts for nothing once it is gone', () => {
    const pool = poolOf(['a', 'b']);
    const gone = candidate(pool, 'a');
    pool.remove('a');
    for (let time = 0; time < 5; time++) pool.failed(gone, 'late');
    expect([idsOf(pool.candidates), told]).toEqual(['b', []]);
  });

  it('is never set aside where that is switched off', () => {
    const pool = poolOf(['a', 'b'], { setAside: undefined });
    fail(pool, 'a', 50);
    pool.chose(candidate(pool, 'a'));
    expect([idsOf(pool.candidates), told]).toEqual(['ab', []]);
  });
});

describe('zones', () => {
  const zoned = (pool: CandidatePool<unknown>, ids: Record<string, string | null>): void => {
    for (const [id, zone] of Object.entries(ids)) put(pool, instanceOf(id, { zone }));
  };

  it('prefers its own, and spills over where none is left there', () => {
    const pool = poolOf([], { zone: { name: 'eu', atLeast: 1 } });
    zoned(pool, { a: 'eu', b: 'eu', c: 'us', d: null });
    expect(idsOf(pool.candidates)).toBe('ab');
    fail(pool, 'a', 2);
    expect(idsOf(pool.candidates)).toBe('b');
    fail(pool, 'b', 2);
    expect(idsOf(pool.candidates)).toBe('cd');
    pool.succeeded(candidate(pool, 'b'));
    expect(idsOf(pool.candidates)).toBe('b');
  });

  it('spills over where too few are left', () => {
    const pool = poolOf([], { zone: { name: 'eu', atLeast: 2 } });
    zoned(pool, { a: 'eu', b: 'eu', c: 'us' });
    expect(idsOf(pool.candidates)).toBe('ab');
    pool.remove('a');
    expect(idsOf(pool.candidates)).toBe('bc');
  });
});

describe('those that are not wanted', () => {
  it('are passed over for those of the zone, then of others, then those that are set aside', () => {
    const pool = poolOf([], { zone: { name: 'eu', atLeast: 1 } });
    for (const [id, zone] of Object.entries({ a: 'eu', b: 'eu', c: 'us', d: 'us' }))
      put(pool, instanceOf(id, { zone }));
    fail(pool, 'd', 2);
    const without = (...ids: string[]): string => idsOf(pool.without(new Set(ids)));
    expect([without('a'), without('a', 'b'), without('a', 'b', 'c')]).toEqual(['b', 'c', 'd']);
    // Nobody else is there.
    expect(without('a', 'b', 'c', 'd')).toBe('ab');
  });
});

test('a newcomer is warming up, those of the first look and former ones are not', () => {
  const pool = poolOf(['a'], { slowStart: 10_000 });
  put(pool, instanceOf('b'), true);
  expect([candidate(pool, 'a').weight, candidate(pool, 'b').weight]).toEqual([1, 0.1]);
  jest.advanceTimersByTime(5_000);
  put(pool, instanceOf('b', { weight: 4 }), true);
  expect(candidate(pool, 'b').weight).toBeCloseTo(2);
  jest.advanceTimersByTime(5_000);
  expect(candidate(pool, 'b').weight).toBe(4);
});

test('property: whatever happens, there are candidates as long as any is usable, and none that is not', () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant('put' as const), id: fc.nat(5), enabled: fc.boolean(), zone: fc.boolean() }),
    fc.record({ do: fc.constantFrom('remove', 'fail', 'succeed', 'end', 'choose'), id: fc.nat(5) }),
    fc.record({ do: fc.constant('wait' as const), time: fc.nat(1_500) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const pool = poolOf([], { zone: { name: 'eu', atLeast: 2 } });
      const usable = new Map<string, boolean>();
      for (const each of steps) {
        if (each.do === 'wait') jest.advanceTimersByTime(each.time);
        else {
          const id = `i${each.id}`;
          const known = pool.of(instanceOf(id));
          if (each.do === 'put') {
            put(pool, instanceOf(id, { enabled: each.enabled, zone: each.zone ? 'eu' : null }));
            usable.set(id, each.enabled);
          } else if (each.do === 'remove') {
            pool.remove(id);
            usable.delete(id);
          } else if (known !== undefined) {
            if (each.do === 'fail') pool.failed(known, undefined);
            else if (each.do === 'succeed') pool.succeeded(known);
            else if (each.do === 'end') pool.unknown(known);
            else pool.chose(known);
          }
        }
        const picked = pool.candidates.map(({ instance }) => instance.id);
        expect(picked.every((id) => usable.get(id) === true)).toBe(true);
        expect(picked.length > 0).toBe([...usable.values()].includes(true));
        expect(new Set(picked).size).toBe(picked.length);
      }
    }),
    { numRuns: 200 },
  );
});
