import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { acl, allPermissions, digestId, type Permission, permissionBits, permissionsOf } from '../../src/acl.js';

describe('permissions', () => {
  it.each<[Permission, number]>([
    ['read', 1],
    ['write', 2],
    ['create', 4],
    ['delete', 8],
    ['admin', 16],
  ])('%s is the bit %d', (permission, bit) => {
    expect(permissionBits([permission])).toBe(bit);
    expect(permissionsOf(bit)).toEqual([permission]);
  });

  it('are 31 all together', () => {
    expect(permissionBits(allPermissions)).toBe(31);
  });

  it('come back from their bits', () => {
    fc.assert(
      fc.property(fc.subarray([...allPermissions]), (permissions) => {
        expect(permissionsOf(permissionBits(permissions))).toEqual(permissions);
      }),
    );
  });

  it('count once, however often and in whatever order they are given', () => {
    expect(permissionBits(['write', 'read', 'write'])).toBe(3);
  });

  it('are read past bits that have no meaning', () => {
    expect(permissionsOf(0x7fffffe0 | 1)).toEqual(['read']);
  });
});

describe('digest ids', () => {
  it('have the hash that the server computes', () => {
    expect(digestId('u', 'p')).toBe('u:Jq7wMyA/w2Vd5WIDAKdu4OIIFEQ=');
  });

  it('hash the UTF-8 of the text', () => {
    // printf 'jürgen:grün' | openssl sha1 -binary | base64
    expect(digestId('jürgen', 'grün')).toBe('jürgen:P5VfzXPovXZ1Nj5yc+mmS1gHp+o=');
  });
});

describe('ready-made lists', () => {
  it('open: anybody may do anything', () => {
    expect(acl.open).toEqual([{ scheme: 'world', id: 'anyone', permissions: allPermissions }]);
  });

  it('readOnly: anybody may read', () => {
    expect(acl.readOnly).toEqual([{ scheme: 'world', id: 'anyone', permissions: ['read'] }]);
  });

  it('creatorAll: who has created it may do anything', () => {
    expect(acl.creatorAll).toEqual([{ scheme: 'auth', id: '', permissions: allPermissions }]);
  });
});

describe('entries', () => {
  it('grant everything unless permissions are given', () => {
    expect(acl.world()).toEqual({ scheme: 'world', id: 'anyone', permissions: allPermissions });
    expect(acl.world('read', 'write').permissions).toEqual(['read', 'write']);
  });

  it('can be made for every scheme', () => {
    expect(acl.auth('read')).toEqual({ scheme: 'auth', id: '', permissions: ['read'] });
    expect(acl.digest('u', 'p', 'read')).toEqual({ scheme: 'digest', id: digestId('u', 'p'), permissions: ['read'] });
    expect(acl.ip('10.0.0.0/8', 'read')).toEqual({ scheme: 'ip', id: '10.0.0.0/8', permissions: ['read'] });
    expect(acl.x509('CN=a', 'read')).toEqual({ scheme: 'x509', id: 'CN=a', permissions: ['read'] });
    expect(acl.sasl('bob', 'read')).toEqual({ scheme: 'sasl', id: 'bob', permissions: ['read'] });
  });

  it('of digests do not hold the password', () => {
    expect(JSON.stringify(acl.digest('user', 'secret'))).not.toContain('secret');
  });
});
