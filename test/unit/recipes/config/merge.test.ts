import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { mergeLayers } from '../../../../recipes/config/merge.js';

describe('layers', () => {
  // The first ones are those of RFC 7396, appendix A.
  it.each<[string, unknown[], unknown]>([
    ['a value', [{ a: 'b' }, { a: 'c' }], { a: 'c' }],
    ['a new key', [{ a: 'b' }, { b: 'c' }], { a: 'b', b: 'c' }],
    ['null', [{ a: 'b' }, { a: null }], {}],
    ['null among others', [{ a: 'b', b: 'c' }, { a: null }], { b: 'c' }],
    ['an array for a text', [{ a: 'c' }, { a: ['b'] }], { a: ['b'] }],
    ['deep', [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }], { a: { b: 'd' } }],
    ['arrays as a whole', [{ a: [{ b: 'c' }] }, { a: [1] }], { a: [1] }],
    ['null in an array', [{ a: 1 }, { a: [null] }], { a: [null] }],
    ['null where nothing was', [{ e: null }, { a: 1 }], { a: 1 }],
    ['null deep where nothing was', [{}, { a: { bb: { ccc: null } } }], { a: { bb: {} } }],
    ['no object over an object', [{ a: 1 }, ['c']], ['c']],
    ['an object over none', [[1], { a: 1 }], { a: 1 }],
    ['null over all', [{ a: 1 }, null], null],
    ['three', [{ a: { x: 1, y: 1 } }, { a: { x: 2 } }, { a: { y: 3, z: 3 } }], { a: { x: 2, y: 3, z: 3 } }],
    ['taken away and given again', [{ a: { x: 1 } }, { a: null }, { a: { y: 2 } }], { a: { y: 2 } }],
    [
      'keys of all objects',
      [{ a: 1 }, { constructor: 2, toString: { x: 3 } }],
      { a: 1, constructor: 2, toString: { x: 3 } },
    ],
  ])('%s', (_, layers, merged) => expect(mergeLayers(layers)).toEqual(merged));

  it('are as any two of them merged first, and none is changed', () => {
    const value = fc.jsonValue({ maxDepth: 3 }).filter((each) => !JSON.stringify(each).includes('__proto__'));
    const layer = fc.dictionary(fc.constantFrom('a', 'b', 'c'), value, { noNullPrototype: true });
    fc.assert(
      fc.property(layer, layer, (one, two) => {
        const before = JSON.stringify([one, two]);
        const merged = mergeLayers([one, two]);
        expect(JSON.stringify([one, two])).toBe(before);
        // What is merged already changes nothing when it comes again, and has no null but in arrays.
        expect(mergeLayers([merged, merged])).toEqual(merged);
        expect(mergeLayers([one, two, two])).toEqual(merged);
      }),
    );
  });
});
