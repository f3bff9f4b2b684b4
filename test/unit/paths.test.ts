import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { InvalidPathError } from '../../src/errors.js';
import {
  checkPath,
  childPath,
  Chroot,
  compareSequences,
  nameOf,
  parentOf,
  parseSequence,
  sequenceOf,
} from '../../src/paths.js';

describe('paths that ZooKeeper takes', () => {
  it.each([
    '/',
    '/a',
    '/a/b/c',
    '/...',
    '/.a',
    '/a.',
    '/a..b',
    '/a b',
    '/ü/\u4e16\u754c',
    '/~',
    '/\u00a0',
    '/\ud7ff',
    '/\uf900',
    '/\uffef',
  ])('%j', (path) => {
    expect(() => checkPath(path)).not.toThrow();
  });

  it('are those of sequential znodes, too, whose name is empty', () => {
    expect(() => checkPath('/queue/', 'create', true)).not.toThrow();
    expect(() => checkPath('/', 'create', true)).not.toThrow();
  });
});

describe('paths that ZooKeeper refuses', () => {
  it.each([
    ['', 'it is empty; the root is "/"'],
    ['a', 'it must start with "/"'],
    ['a/b', 'it must start with "/"'],
    ['/a/', 'it must not end with "/"'],
    ['//', 'there is an empty part at index 1'],
    ['//a', 'there is an empty part at index 1'],
    ['/a//b', 'there is an empty part at index 3'],
    ['/.', 'the part "." at index 1 is relative'],
    ['/a/./b', 'the part "." at index 3 is relative'],
    ['/..', 'the part ".." at index 1 is relative'],
    ['/a/../b', 'the part ".." at index 3 is relative'],
    ['/a\0', 'the character U+0000 at index 2 is not allowed'],
    ['/a\u0001b', 'the character U+0001 at index 2 is not allowed'],
    ['/\u001f', 'the character U+001F at index 1 is not allowed'],
    ['/\u007f', 'the character U+007F at index 1 is not allowed'],
    ['/\u009f', 'the character U+009F at index 1 is not allowed'],
    ['/\ud800', 'the character U+D800 at index 1 is not allowed'],
    ['/a\u{1f600}', 'the character U+D83D at index 2 is not allowed'],
    ['/\ue000', 'the character U+E000 at index 1 is not allowed'],
    ['/\uf8ff', 'the character U+F8FF at index 1 is not allowed'],
    ['/\ufff0', 'the character U+FFF0 at index 1 is not allowed'],
    ['/\uffff', 'the character U+FFFF at index 1 is not allowed'],
  ])('%j', (path, problem) => {
    expect(() => checkPath(path)).toThrow(new InvalidPathError(path, problem));
  });

  it('have an error that names the operation and the path', () => {
    expect(() => checkPath('/a/', 'getData')).toThrow('getData /a/: not a path of a znode: it must not end with "/"');
  });

  it('end with a slash twice, also for sequential znodes', () => {
    expect(() => checkPath('/queue//', 'create', true)).toThrow('there is an empty part at index 7');
  });

  it('are no strings', () => {
    expect(() => checkPath(7 as unknown as string)).toThrow(new InvalidPathError('7', 'it must be a string'));
  });

  it('are exactly those that have a forbidden character, an empty part or a relative one', () => {
    const forbidden = [
      [0, 0x1f],
      [0x7f, 0x9f],
      [0xd800, 0xf8ff],
      [0xfff0, 0xffff],
    ] as const;
    const isForbidden = (unit: string): boolean =>
      forbidden.some(([from, to]) => from <= unit.charCodeAt(0) && unit.charCodeAt(0) <= to);
    const part = fc.oneof(fc.constantFrom('', '.', '..', '...', 'a'), fc.string({ unit: 'binary', maxLength: 4 }));
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
        const path = `/${parts.join('/')}`;
        const names = path.slice(1).split('/');
        const legal =
          path === '/' || (!path.split('').some(isForbidden) && names.every((name) => !['', '.', '..'].includes(name)));
        if (legal) expect(() => checkPath(path)).not.toThrow();
        else expect(() => checkPath(path)).toThrow(InvalidPathError);
      }),
    );
  });
});

describe('the parts of a path', () => {
  it.each([
    ['/', '', '/'],
    ['/a', 'a', '/'],
    ['/a/b', 'b', '/a'],
    ['/a/b/c', 'c', '/a/b'],
    ['/queue/', '', '/queue'],
  ])('%s', (path, name, parent) => {
    expect([nameOf(path), parentOf(path)]).toEqual([name, parent]);
  });

  it('come together again', () => {
    expect([childPath('/', 'a'), childPath('/a', 'b')]).toEqual(['/a', '/a/b']);
  });
});

describe('sequence numbers', () => {
  it.each([
    ['lock-0000000000', 0],
    ['lock-0000000017', 17],
    ['lock-2147483647', 2147483647],
    ['lock--2147483648', -2147483648],
    ['n_-2147483648', -2147483648],
    ['lock--2147483647', -2147483647],
    ['lock--1000000000', -1000000000],
    ['lock--000000005', -5],
    ['0000000003', 3],
    ['-000000001', -1],
    ['a0000000042', 42],
    ['_c_67d1bb72-94fd-4a43-aa5e-3eb0de7a0fd4-lock-0000000009', 9],
  ])('that of %s is %d', (name, sequence) => {
    expect(sequenceOf(name)).toBe(sequence);
  });

  // Case L4 of the regression list.
  it.each(['foo', 'lock-', 'x--1', 'lock-00000000010', '', 'lock-00000001', '000000000', 'lock-9999999999'])(
    'there is none in %j',
    (name) => {
      expect(sequenceOf(name)).toBeUndefined();
    },
  );

  it.each([
    ['lock-0000000001', 'lock-', 1],
    ['lock--2147483648', 'lock-', -2147483648],
    ['lock-2147483648', 'lock', -2147483648],
    ['lock-1234567890', 'lock', -1234567890],
    ['lock-lock-0000000002', 'lock-', 2],
    ['x__lock__0000000003', '__lock__', 3],
  ])('that of %s behind %j is %d', (name, marker, sequence) => {
    expect(sequenceOf(name, marker)).toBe(sequence);
  });

  it.each([
    ['read-0000000001', 'lock-'],
    ['lock-1', 'lock-'],
    ['lock-00000000010', 'lock-'],
    ['lock-0000000001x', 'lock-'],
    ['lock-2147483648', 'lock-'],
  ])('there is none in %j behind %j', (name, marker) => {
    expect(sequenceOf(name, marker)).toBeUndefined();
  });

  it('are read back from every text that a server appends', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), (sequence) => {
        // Java: String.format("%010d", sequence)
        const text = sequence < 0 ? `-${String(-sequence).padStart(9, '0')}` : String(sequence).padStart(10, '0');
        expect(parseSequence(text)).toBe(sequence);
        expect(sequenceOf(`lock-${text}`)).toBe(sequence);
        expect(sequenceOf(`lock-${text}`, 'lock-')).toBe(sequence);
      }),
    );
  });

  it('are in the order of creation across the wrap, whatever stands in front of them (L1)', () => {
    const inOrder = ['b-2147483646', 'z-2147483647', 'a--2147483648', 'c--2147483647'];
    fc.assert(
      fc.property(fc.shuffledSubarray(inOrder, { minLength: 4 }), (names) => {
        const sorted = names.toSorted((a, b) => compareSequences(sequenceOf(a) ?? NaN, sequenceOf(b) ?? NaN));
        expect(sorted).toEqual(inOrder);
      }),
    );
  });

  it('are compared by distance: any number comes before the next 2^31 - 1 that follow it', () => {
    const anyNumber = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
    fc.assert(
      fc.property(anyNumber, fc.integer({ min: 1, max: 2 ** 31 - 1 }), (first, distance) => {
        const later = (first + distance) | 0;
        expect(compareSequences(first, later)).toBeLessThan(0);
        expect(compareSequences(later, first)).toBeGreaterThan(0);
        expect(compareSequences(first, first)).toBe(0);
      }),
    );
  });
});

describe('a chroot', () => {
  const zoo = Chroot.of('/zoo');

  it.each([
    ['/', '/zoo'],
    ['/a', '/zoo/a'],
    ['/zoo', '/zoo/zoo'],
  ])('puts itself on %s: %s', (client, server) => {
    expect(zoo.toServer(client)).toBe(server);
    expect(zoo.toClient(server)).toBe(client);
  });

  it.each(['/zookeeper/config', '/zo', '/', '/zoology', '/x/zoo'])('leaves %s, which is outside, as it is', (path) => {
    expect(zoo.contains(path)).toBe(false);
    expect(zoo.toClient(path)).toBe(path);
  });

  it('comes off again whatever it and the path are', () => {
    const anyPath = fc.array(fc.constantFrom('a', 'ab', 'zoo'), { maxLength: 4 }).map((parts) => `/${parts.join('/')}`);
    fc.assert(
      fc.property(anyPath, anyPath, (prefix, path) => {
        const chroot = Chroot.of(prefix);
        expect(chroot.contains(chroot.toServer(path))).toBe(true);
        expect(chroot.toClient(chroot.toServer(path))).toBe(path);
      }),
    );
  });

  it.each(['', '/'])('of %j is none', (prefix) => {
    const none = Chroot.of(prefix);
    expect(none.prefix).toBe('');
    expect([none.toServer('/a'), none.toClient('/a'), none.toServer('/')]).toEqual(['/a', '/a', '/']);
  });

  it('can lie inside another one', () => {
    expect(zoo.within('/a').prefix).toBe('/zoo/a');
    expect(zoo.within('/').prefix).toBe('/zoo');
    expect(Chroot.of('').within('/a').toServer('/b')).toBe('/a/b');
  });

  it('must be a path', () => {
    expect(() => Chroot.of('/a/')).toThrow(InvalidPathError);
    expect(() => zoo.within('a')).toThrow(InvalidPathError);
  });

  it('keeps a sequential znode without a name at its root inside', () => {
    expect(zoo.toServer('/', true)).toBe('/zoo/');
    expect(Chroot.of('').toServer('/', true)).toBe('/');
    expect(zoo.toServer('/queue/', true)).toBe('/zoo/queue/');
  });
});
