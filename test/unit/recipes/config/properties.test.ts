import { describe, expect, it } from '@jest/globals';
import { nested } from '../../../../recipes/config/decoders.js';
import { parseProperties } from '../../../../recipes/config/properties.js';

const parsed = (text: string): Record<string, string> => Object.fromEntries(parseProperties(text));

describe('a .properties file', () => {
  // Each as java.util.Properties reads it.
  it.each<[string, Record<string, string>]>([
    ['', {}],
    ['a=1', { a: '1' }],
    ['a = 1', { a: '1' }],
    ['a:1', { a: '1' }],
    ['a : 1', { a: '1' }],
    ['a 1', { a: '1' }],
    ['a\t1', { a: '1' }],
    ['a\f=\f1', { a: '1' }],
    ['  a=1', { a: '1' }],
    ['a=1 ', { a: '1 ' }],
    ['a==1', { a: '=1' }],
    ['a=:1', { a: ':1' }],
    ['a = = 1', { a: '= 1' }],
    ['a', { a: '' }],
    ['a=', { a: '' }],
    ['=1', { '': '1' }],
    ['# no\n! neither\na=1\n  # nor this', { a: '1' }],
    ['a=1#2', { a: '1#2' }],
    ['a=1\nb=2\r\nc=3\rd=4', { a: '1', b: '2', c: '3', d: '4' }],
    ['a=1\na=2', { a: '2' }],
    ['a=1,\\\n  2,\\\r\n\t3', { a: '1,2,3' }],
    ['a=1\\\n#2', { a: '1#2' }],
    ['# goes not on \\\na=1', { a: '1' }],
    ['a=1\\\\\nb=2', { a: '1\\', b: '2' }],
    ['a=1\\\\\\\nb=2', { a: '1\\b=2' }],
    ['a=1\\', { a: '1' }],
    ['a=1\\\n\nb=2', { a: '1', b: '2' }],
    ['key\\ with\\ spaces=1', { 'key with spaces': '1' }],
    ['a\\=b=c', { 'a=b': 'c' }],
    ['a\\:b:c', { 'a:b': 'c' }],
    ['\\#a=1', { '#a': '1' }],
    ['a=\\t\\n\\r\\f\\z\\"\\\\', { a: '\t\n\r\fz"\\' }],
    ['a=\\u00e4\\u20AC\\uD83D\\uDE00', { a: 'ä€😀' }],
    ['\\u0061\\u0020b=1', { 'a b': '1' }],
    ['grün=ja', { grün: 'ja' }],
    ['a=\\ 1', { a: ' 1' }],
    ['😀=\\😀', { '😀': '😀' }],
  ])('%j', (text, expected) => expect(parsed(text)).toEqual(expected));

  it('says where an escape is wrong', () => {
    expect(() => parsed('a=1\n\nb=\\u12g4')).toThrow('line 3: there are no four hexadecimal digits behind \\u');
    expect(() => parsed('a=\\u')).toThrow('line 1');
  });

  it('of a thousand lines and of one long one is read in no time', () => {
    const text = Array.from({ length: 50_000 }, (_, index) => `key.${index} = ${index}`).join('\n');
    expect(parseProperties(text).size).toBe(50_000);
    expect(parsed(`a=${'\\\\'.repeat(100_000)}`).a).toHaveLength(100_000);
  });
});

describe('nested', () => {
  it('makes objects of keys with dots', () => {
    expect(nested(parseProperties('a.b=1\na.c.d=2\ne=3'))).toEqual({ a: { b: '1', c: { d: '2' } }, e: '3' });
    expect(Object.keys(nested(parseProperties('__proto__.x=1')))).toEqual(['__proto__']);
    expect(({} as { x?: unknown }).x).toBeUndefined();
  });

  it('refuses a key that has a value and keys below it', () => {
    expect(() => nested(parseProperties('a=1\na.b=2'))).toThrow('a.b has a value, and so has a key above it');
    expect(() => nested(parseProperties('a.b=2\na=1'))).toThrow('a has a value, and so has a key below it');
  });
});
