import { expect, it } from '@jest/globals';
import { closeSession, ping } from '../../../src/operations/keep-alive.js';
import { readReply, written } from '../support/codec.js';

it.each([ping, closeSession])('$name is a bare header, and so is its answer', (operation) => {
  expect(written(operation, undefined)).toEqual(Buffer.alloc(0));
  expect(readReply(operation, Buffer.alloc(0)).result).toBeUndefined();
});
