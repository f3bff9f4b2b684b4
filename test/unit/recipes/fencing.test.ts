import { expect, test } from '@jest/globals';
import { Long } from 'zookit';
import { acceptsToken } from '../../../recipes/common/fencing.js';

test('a resource accepts the first token, the same one again, and higher ones; never a lower one', () => {
  const [low, high] = [Long.fromString('8589934593'), Long.fromString('12884901889')];
  expect(acceptsToken(low, undefined)).toBe(true);
  expect(acceptsToken(low, low)).toBe(true);
  expect(acceptsToken(high, low)).toBe(true);
  expect(acceptsToken(low, high)).toBe(false);
});

test('tokens are compared as 64 bits', () => {
  // The lower halves alone would say the opposite.
  const [old, young] = [new Long(-1, 1), new Long(0, 2)];
  expect(acceptsToken(old, young)).toBe(false);
  expect(acceptsToken(young, old)).toBe(true);
});
