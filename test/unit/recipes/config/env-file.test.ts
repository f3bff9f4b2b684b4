import { describe, expect, it } from '@jest/globals';
import { parseEnv } from '../../../../recipes/config/env-file.js';

const parsed = (text: string): Record<string, string> => Object.fromEntries(parseEnv(text));

describe('a file of variables', () => {
  it.each<[string, Record<string, string>]>([
    ['', {}],
    ['A=1', { A: '1' }],
    ['A=1\r\nB=2\r\n', { A: '1', B: '2' }],
    ['\n\n  A = 1  \n\n', { A: '1' }],
    ['export A=1\nexport\tB=2', { A: '1', B: '2' }],
    ['exported=1', { exported: '1' }],
    ['# no\n  # neither\nA=1 # nor this\n#', { A: '1' }],
    ['A=1#2', { A: '1#2' }],
    ['A=#2', { A: '' }],
    ['A= # nothing', { A: '' }],
    ['A=', { A: '' }],
    ['A=a=b', { A: 'a=b' }],
    ['A=1\nA=2', { A: '2' }],
    [`A='$x \\n "y" # z'`, { A: '$x \\n "y" # z' }],
    [`A='a\nb' # two lines\nB=1`, { A: 'a\nb', B: '1' }],
    ['A="a\\nb\\t\\"c\\" \\$d \\\\"', { A: 'a\nb\t"c" $d \\' }],
    ['A="a\nb"', { A: 'a\nb' }],
    ['A=""', { A: '' }],
    [`A=it's`, { A: "it's" }],
    ['A=ä€😀', { A: 'ä€😀' }],
    ['a.b-c=1', { 'a.b-c': '1' }],
  ])('%j', (text, expected) => expect(parsed(text)).toEqual(expected));

  it.each([
    ['A', 'line 1: there is no KEY=value'],
    ['A=1\n\n=2', 'line 3: there is no KEY=value'],
    ['A=1\n1A=2', 'line 2: there is no KEY=value'],
    ['A="1\n2"\nB', 'line 3: there is no KEY=value'],
    ['A="1', 'line 1: the quote " is not closed'],
    [`B=1\nA='1\n`, "line 2: the quote ' is not closed"],
    ['A="1" 2', 'line 1: there is something behind the closing quote'],
  ])('%j is refused', (text, message) => expect(() => parsed(text)).toThrow(message));
});
