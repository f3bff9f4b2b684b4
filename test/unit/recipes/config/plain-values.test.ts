import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  type ConfigDifference,
  differencesOf,
  frozenCopy,
  keysOfPath,
  plainCopy,
  valueAt,
} from '../../../../recipes/config/plain-values.js';

/** `before` with the differences made in it. */
function applied(before: unknown, differences: readonly ConfigDifference[]): unknown {
  let value: unknown = JSON.parse(JSON.stringify(before));
  for (const { type, keys, after } of differences) {
    const last = keys.at(-1);
    if (last === undefined) value = after;
    else {
      const parent = valueAt(value, keys.slice(0, -1)) as Record<string, unknown>;
      if (type === 'removed') Reflect.deleteProperty(parent, last);
      else parent[last] = after;
    }
  }
  return value;
}

describe('differences', () => {
  it.each<[string, unknown, unknown, unknown[]]>([
    ['none', { a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }, []],
    ['a change', { a: 1 }, { a: 2 }, [['changed', 'a', 1, 2]]],
    ['deep', { a: { b: { c: 1 }, d: 1 } }, { a: { b: { c: 2 }, d: 1 } }, [['changed', 'a.b.c', 1, 2]]],
    ['an addition', {}, { a: { b: 1 } }, [['added', 'a', undefined, { b: 1 }]]],
    ['a removal', { a: { b: 1 } }, {}, [['removed', 'a', { b: 1 }, undefined]]],
    ['arrays as a whole', { a: [1, 2] }, { a: [1, 3] }, [['changed', 'a', [1, 2], [1, 3]]]],
    ['an object for a value', { a: 1 }, { a: { b: 1 } }, [['changed', 'a', 1, { b: 1 }]]],
    ['null for nothing', {}, { a: null }, [['added', 'a', undefined, null]]],
    ['undefined for nothing', {}, { a: undefined }, [['added', 'a', undefined, undefined]]],
    ['a value at first', undefined, { a: 1 }, [['added', '', undefined, { a: 1 }]]],
    ['no value any more', { a: 1 }, undefined, [['removed', '', { a: 1 }, undefined]]],
    ['dates', { a: new Date(1) }, { a: new Date(2) }, [['changed', 'a', new Date(1), new Date(2)]]],
    ['same dates', { a: new Date(1) }, { a: new Date(1) }, []],
  ])('%s', (_, before, after, expected) => {
    const found = differencesOf(before, after);
    expect(found.map(({ type, path, before: was, after: is }) => [type, path, was, is])).toEqual(expected);
  });

  it('name keys with dots as they are', () => {
    expect(differencesOf({ 'a.b': 1 }, { 'a.b': 2 })).toMatchObject([{ path: 'a.b', keys: ['a.b'] }]);
  });

  it('are none where nothing differs, and make one value of the other', () => {
    const plain = fc.jsonValue({ maxDepth: 1 }).filter((each) => !JSON.stringify(each).includes('__proto__'));
    const key = fc.constantFrom('a', 'b', 'c', 'x.y');
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 4 }, plain, fc.dictionary(key, tie('value'), { noNullPrototype: true })),
    }));
    fc.assert(
      fc.property(value, value, (before, after) => {
        const differences = differencesOf(before, after);
        expect(differences.length === 0).toBe(isDeepStrictEqual(before, after));
        expect(applied(before, differences)).toEqual(after);
        expect(differencesOf(before, JSON.parse(JSON.stringify(before)))).toEqual([]);
        for (const { keys, before: was, after: is } of differences)
          expect([valueAt(before, keys), valueAt(after, keys)]).toEqual([was, is]);
      }),
    );
  });
});

describe('copies', () => {
  it('refuse a key __proto__, wherever it stands', () => {
    expect(() => plainCopy(JSON.parse('{"a":[{"__proto__":{"x":1}}]}'))).toThrow('a key __proto__ is not allowed');
    expect(plainCopy(JSON.parse('{"constructor":{"prototype":{"x":1}}}'))).toEqual({
      constructor: { prototype: { x: 1 } },
    });
    expect(({} as { x?: unknown }).x).toBeUndefined();
  });

  it('refuse what is too deep', () => {
    const nest = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));
    expect(plainCopy(nest(100))).toEqual(nest(100));
    expect(() => plainCopy(nest(101))).toThrow('there are more than 100 levels of objects');
    expect(() => plainCopy(nest(100_000))).toThrow('there are more than 100 levels of objects');
  });

  it('that are frozen share nothing that can be changed, and keep what is of a class', () => {
    const date = new Date(1);
    const shared = { x: 1 };
    const value: Record<string, unknown> = { a: [shared, shared], date };
    value.self = value;
    const copy = frozenCopy(value) as { a: object[]; date: Date; self: unknown };
    expect([Object.isFrozen(copy), Object.isFrozen(copy.a), Object.isFrozen(copy.a[0])]).toEqual([true, true, true]);
    expect([copy.a[0] === copy.a[1], copy.a[0] === shared, copy.self === copy, copy.date === date]).toEqual([
      true,
      false,
      true,
      true,
    ]);
    expect([Object.isFrozen(value), Object.isFrozen(shared), Object.isFrozen(date)]).toEqual([false, false, false]);
  });
});

describe('places', () => {
  it('are told by keys', () => {
    const value = { a: { b: [{ c: 1 }] }, 'x.y': 2 };
    expect(valueAt(value, keysOfPath('a.b.0.c'))).toBe(1);
    expect(valueAt(value, keysOfPath(['x.y']))).toBe(2);
    expect(valueAt(value, keysOfPath(''))).toBe(value);
    for (const none of ['x.y', 'a.c', 'a.b.c', 'a.b.0.c.d', 'toString', 'a.constructor'])
      expect(valueAt(value, keysOfPath(none))).toBeUndefined();
  });
});
