import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decodeCandidate, encodeCandidate } from '../../../recipes/leaders/candidate-data.js';

describe('the data of a candidate', () => {
  it('is the id alone where there is nothing else to tell, as Curator has it', () => {
    expect(encodeCandidate({ id: 'billing-1' })).toBe('billing-1');
    expect(encodeCandidate({ id: '' })).toBe('');
    expect(decodeCandidate('billing-1')).toEqual({ id: 'billing-1' });
    expect(decodeCandidate('')).toEqual({ id: '' });
  });

  it('has one more line for the rest', () => {
    const data = { id: 'b', ready: false, payload: { port: 80 }, key: 'k' };
    expect(encodeCandidate(data)).toBe('b\n{"ready":false,"payload":{"port":80},"key":"k"}');
    expect(decodeCandidate(encodeCandidate(data))).toEqual(data);
    expect(encodeCandidate({ id: 'b', payload: undefined })).toBe('b');
    expect(decodeCandidate('b\n{"payload":null}')).toEqual({ id: 'b', payload: null });
  });

  it('comes back as it was, whatever the id is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.jsonValue(), fc.boolean(), (id, payload, ready) => {
        const { payload: read, ...others } = decodeCandidate(encodeCandidate({ id, payload, ready }));
        expect(others).toEqual({ id, ready });
        // JSON has no minus before a zero.
        expect(JSON.stringify(read)).toBe(JSON.stringify(payload));
      }),
    );
  });

  it.each([
    'two\nlines',
    'a\n{}x',
    'a\n[]',
    'a\nnull',
    'a\n17',
    'a\n{"ready":1}',
    'a\n{"key":1}',
    'a\n{"other":1}',
    '\n',
  ])('takes what others have written for an id: %j', (text) => expect(decodeCandidate(text)).toEqual({ id: text }));
});
