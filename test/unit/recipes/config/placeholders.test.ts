import { describe, expect, it } from '@jest/globals';
import { resolvePlaceholders } from '../../../../recipes/config/placeholders.js';

const env = { HOME: '/srv', EMPTY: '' };
const resolved = (value: unknown): unknown => resolvePlaceholders(value, env);

describe('placeholders', () => {
  it.each<[string, object, object]>([
    ['none', { a: 'x', b: 1, c: [null, true] }, { a: 'x', b: 1, c: [null, true] }],
    ['within a text', { a: 'x', b: '<${a}|${a}>' }, { a: 'x', b: '<x|x>' }],
    [
      'deep',
      { db: { host: 'h', port: 5 }, url: 'pg://${db.host}:${db.port}/' },
      { db: { host: 'h', port: 5 }, url: 'pg://h:5/' },
    ],
    [
      'alone, with its type',
      { n: 5, o: { x: [1] }, a: '${n}', b: '${o}', c: '${o.x.0}' },
      { n: 5, o: { x: [1] }, a: 5, b: { x: [1] }, c: 1 },
    ],
    ['of placeholders', { a: '${b}', b: '${c}!', c: 'x' }, { a: 'x!', b: 'x!', c: 'x' }],
    ['in arrays', { a: ['${b}', ['${b}']], b: 1 }, { a: [1, [1]], b: 1 }],
    ['a default', { a: '${no:yes}', b: '${no.way:}', c: '${b:unused}' }, { a: 'yes', b: '', c: '' }],
    ['a default with colons', { a: '${no:http://x:1}' }, { a: 'http://x:1' }],
    ['a default with placeholders', { a: '${no:${b:${c}}}', c: 'x' }, { a: 'x', c: 'x' }],
    [
      'null, false and 0 are something',
      { n: null, f: false, z: 0, a: '${n:1}', b: '${f:1}', c: '${z:1}', d: '${n}${z}' },
      { n: null, f: false, z: 0, a: null, b: false, c: 0, d: 'null0' },
    ],
    [
      'the environment',
      { a: '${env:HOME}/x', b: '${env:NONE:d}', c: '${env:EMPTY}', d: '${env:EMPTY:d}' },
      { a: '/srv/x', b: 'd', c: '', d: '' },
    ],
    ['escaped', { a: '$${b}', b: 1, c: 'x$${b}y${b}', d: '$5 $$ $' }, { a: '${b}', b: 1, c: 'x${b}y1', d: '$5 $$ $' }],
    ['keys stay', { '${a}': 1 }, { '${a}': 1 }],
  ])('%s', (_, value, expected) => expect(resolved(value)).toEqual(expected));

  it.each<[string, object, string]>([
    ['nothing there', { a: '${b}' }, '${b} stands for nothing, and has no default'],
    ['no variable', { a: '${env:NONE}' }, '${env:NONE} stands for nothing, and has no default'],
    ['no own key', { a: '${constructor}', b: '${toString}' }, '${constructor} stands for nothing'],
    ['no own variable', { a: '${env:toString}' }, '${env:toString} stands for nothing'],
    ['not closed', { a: 'x${b' }, 'a placeholder is not closed'],
    ['itself', { a: '${a}' }, 'placeholders stand for themselves: a -> a'],
    [
      'a circle',
      { a: '${b.c}', b: { c: 'x${d:1}' }, d: '${a}' },
      'placeholders stand for themselves: a -> b.c -> d -> a',
    ],
    ['what it is in', { a: { b: '${a}' } }, 'placeholders stand for themselves: a -> a.b -> a'],
    ['an object in a text', { a: 'x${b}', b: {} }, '${b} stands for no text'],
  ])('%s is refused', (_, value, message) => expect(() => resolved(value)).toThrow(message));

  it('say where they are wrong', () => {
    expect.assertions(1);
    try {
      resolved({ a: [{ b: '${no}' }] });
    } catch (error) {
      expect(error).toMatchObject({ keys: ['a', '0', 'b'], reason: 'placeholder' });
    }
  });

  it('do not look at the environment where that is not allowed', () => {
    expect(() => resolvePlaceholders({ a: '${env:HOME:x}' }, false)).toThrow('${env:HOME} is not allowed');
  });

  it('cannot be made to fill the memory, nor the stack', () => {
    const texts: Record<string, string> = { a0: 'x'.repeat(10) };
    const objects: Record<string, unknown> = { a0: { x: 1 } };
    for (let index = 1; index < 60; index++) {
      texts[`a${index}`] = `\${a${index - 1}}\${a${index - 1}}`;
      objects[`a${index}`] = { x: `\${a${index - 1}}`, y: `\${a${index - 1}}` };
    }
    expect(() => resolved(texts)).toThrow('more than 10000000 characters');
    expect(() => resolved(objects)).toThrow('more than 10000000 characters');
    const chain = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`a${index}`, `\${a${index + 1}}`]));
    expect(() => resolved(chain)).toThrow('more than 500 values refer to each other');
  });
});
