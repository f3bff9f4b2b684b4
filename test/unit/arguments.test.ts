import { describe, expect, it } from '@jest/globals';
import { type Acl, acl } from '../../src/acl.js';
import { checkAcl, checkData, checkFields, checkMode, checkTtl, checkVersion } from '../../src/arguments.js';
import { InvalidArgumentError } from '../../src/errors.js';
import type { CreateMode } from '../../src/operations/create.js';
import type { Data } from '../../src/protocol/records.js';

/** The error that a check of `setData /a` throws with this message. */
function refusal(message: string): InvalidArgumentError {
  return new InvalidArgumentError(message, { operation: 'setData', path: '/a' });
}

describe('data', () => {
  it.each<[string, Data]>([
    ['text', 'text'],
    ['bytes', new Uint8Array(2)],
    ['a Buffer', Buffer.alloc(1)],
    ['null', null],
  ])('can be %s', (_, data) => {
    expect(() => checkData(data, 'setData', '/a')).not.toThrow();
  });

  it.each([
    [1, 'number'],
    [undefined, 'undefined'],
    [{}, 'object'],
    [[1], 'object'],
  ])('cannot be %j', (data, type) => {
    expect(() => checkData(data as unknown as Data, 'setData', '/a')).toThrow(
      refusal(`the data is of type ${type}; it must be a string, a Uint8Array or null`),
    );
  });
});

describe('a version', () => {
  it.each([-1, 0, 5, 2 ** 31 - 1, -(2 ** 31)])('can be %d', (version) => {
    expect(() => checkVersion(version, 'setData', '/a')).not.toThrow();
  });

  it.each([1.5, NaN, Infinity, 2 ** 31, -(2 ** 31) - 1, '1' as unknown as number])('cannot be %p', (version) => {
    expect(() => checkVersion(version, 'setData', '/a')).toThrow(
      refusal(`the version ${version} is not a whole number of 32 bits; -1 stands for any`),
    );
  });
});

describe('a mode', () => {
  it('is one of seven', () => {
    const modes = [
      'persistent',
      'ephemeral',
      'persistentSequential',
      'ephemeralSequential',
      'container',
      'ttl',
      'ttlSequential',
    ] as const;
    for (const mode of modes) expect(() => checkMode(mode, 'setData', '/a')).not.toThrow();
  });

  it.each(['EPHEMERAL', 'toString', ''])('is not %j', (mode) => {
    expect(() => checkMode(mode as CreateMode, 'setData', '/a')).toThrow(
      refusal(
        `there is no mode "${mode}"; known are persistent, ephemeral, persistentSequential, ephemeralSequential, container, ttl, ttlSequential`,
      ),
    );
  });
});

describe('a time to live', () => {
  it.each([1, 1000, 2 ** 40 - 1])('can be %d', (ttl) => {
    expect(checkTtl(ttl, 'setData', '/a').toNumber()).toBe(ttl);
  });

  it.each([0, -1, 1.5, NaN, 2 ** 40, undefined])('cannot be %p', (ttl) => {
    expect(() => checkTtl(ttl, 'setData', '/a')).toThrow(
      refusal(`the ttl is ${ttl}; it must be a whole number of milliseconds from 1 to 1099511627775`),
    );
  });
});

describe('an ACL', () => {
  it.each([
    ['open', acl.open],
    ['creatorAll', acl.creatorAll],
    ['of several entries', [acl.digest('u', 'p'), acl.ip('10.0.0.1', 'read')]],
  ])('can be %s', (_, entries) => {
    expect(() => checkAcl(entries, 'setData', '/a')).not.toThrow();
  });

  const hint = '; acl.open, acl.creatorAll and acl.digest(...) are examples';
  it.each<[string, unknown, string]>([
    ['an empty list', [], 'the ACL must be a list with at least one entry'],
    ['no list', acl.world(), 'the ACL must be a list with at least one entry'],
    ['an entry without a scheme', [{ id: 'x', permissions: [] }], 'an entry of the ACL has no scheme or no id'],
    ['an empty scheme', [{ scheme: '', id: 'x', permissions: [] }], 'an entry of the ACL has no scheme or no id'],
    ['an entry without an id', [{ scheme: 'ip', permissions: [] }], 'an entry of the ACL has no scheme or no id'],
    ['no permissions', [{ scheme: 'ip', id: 'x' }], 'the entry ip:x of the ACL has no permissions'],
    [
      'an unknown permission',
      [{ scheme: 'ip', id: 'x', permissions: ['read', 'own'] }],
      'there is no permission "own"; known are read, write, create, delete, admin',
    ],
  ])('cannot have %s', (_, entries, problem) => {
    expect(() => checkAcl(entries as readonly Acl[], 'setData', '/a')).toThrow(refusal(problem + hint));
  });
});

describe('the fields of a request', () => {
  it('are checked where it has them', () => {
    expect(() => checkFields({}, 'setData', '/a')).not.toThrow();
    expect(() => checkFields({ data: 1 as unknown as Data }, 'setData', '/a')).toThrow(InvalidArgumentError);
    expect(() => checkFields({ data: undefined as unknown as Data }, 'setData', '/a')).toThrow(InvalidArgumentError);
    expect(() => checkFields({ version: 0.5 }, 'setData', '/a')).toThrow(InvalidArgumentError);
    expect(() => checkFields({ acl: [] }, 'setData', '/a')).toThrow(InvalidArgumentError);
  });
});
