import { beforeEach, describe, expect, it } from '@jest/globals';
import Long from 'long';
import type { OneShotEvent, WatchedChange, WatchEvent } from '../../../src/events.js';
import type { OneShotKind } from '../../../src/operations/operation.js';
import { type PersistentListener, WatchRegistry } from '../../../src/session/watch-registry.js';

type ChangeType = WatchedChange['type'];

const types: readonly ChangeType[] = ['created', 'deleted', 'dataChanged', 'childrenChanged'];

let watches: WatchRegistry;
/** What was told, as `name type path`. */
let told: string[];

beforeEach(() => {
  watches = new WatchRegistry();
  told = [];
});

function note(name: string, event: OneShotEvent | WatchEvent): void {
  told.push(
    [name, event.type, 'path' in event ? event.path : undefined].filter((part) => part !== undefined).join(' '),
  );
}

function oneShot(kind: OneShotKind, path: string, name = kind as string, key: unknown = Symbol(name)): void {
  watches.addOneShot(kind, path, { key, tell: (event) => note(name, event) });
}

function persistent(path: string, { recursive = false, armed = true, name = 'persistent' } = {}): PersistentListener {
  const listener: PersistentListener = { path, recursive, armed, tell: (event) => note(name, event) };
  watches.addPersistent(listener);
  return listener;
}

function recursive(path: string, name = 'recursive'): PersistentListener {
  return persistent(path, { recursive: true, name });
}

/** A change happens, and everybody concerned is told. */
function change(type: ChangeType, path: string): void {
  for (const call of watches.match({ type, path, zxid: undefined })) call();
}

/** Whether a watch is told of a change of each type at `/a`. */
function toldOf(watch: () => void): Record<ChangeType, boolean> {
  const reached = types.map((type) => {
    watches = new WatchRegistry();
    told = [];
    watch();
    change(type, '/a');
    return [type, told.length > 0] as const;
  });
  return Object.fromEntries(reached) as Record<ChangeType, boolean>;
}

describe('which change reaches which watch', () => {
  it.each<[string, () => void, Record<ChangeType, boolean>]>([
    [
      'a data watch',
      () => oneShot('data', '/a'),
      { created: true, deleted: true, dataChanged: true, childrenChanged: false },
    ],
    [
      'an exists watch',
      () => oneShot('exists', '/a'),
      { created: true, deleted: true, dataChanged: true, childrenChanged: false },
    ],
    [
      'a children watch',
      () => oneShot('children', '/a'),
      { created: false, deleted: true, dataChanged: false, childrenChanged: true },
    ],
    [
      'a persistent watch',
      () => persistent('/a'),
      { created: true, deleted: true, dataChanged: true, childrenChanged: true },
    ],
    [
      'a recursive watch at the same path',
      () => recursive('/a'),
      { created: true, deleted: true, dataChanged: true, childrenChanged: false },
    ],
    [
      'a recursive watch at the root',
      () => recursive('/'),
      { created: true, deleted: true, dataChanged: true, childrenChanged: false },
    ],
    [
      'a persistent watch on the parent',
      () => persistent('/'),
      { created: false, deleted: false, dataChanged: false, childrenChanged: false },
    ],
    [
      'a data watch on a path that only begins alike',
      () => oneShot('data', '/ab'),
      { created: false, deleted: false, dataChanged: false, childrenChanged: false },
    ],
    [
      'a recursive watch on a path that only begins alike',
      () => recursive('/ab'),
      { created: false, deleted: false, dataChanged: false, childrenChanged: false },
    ],
    [
      'a recursive watch below',
      () => recursive('/a/b'),
      { created: false, deleted: false, dataChanged: false, childrenChanged: false },
    ],
    [
      'a persistent watch that the server has not confirmed yet',
      () => persistent('/a', { armed: false }),
      { created: false, deleted: false, dataChanged: false, childrenChanged: false },
    ],
  ])('%s', (_, watch, expected) => {
    expect(toldOf(watch)).toEqual(expected);
  });
});

describe('an event', () => {
  it('has type, path and zxid of the change, also for a recursive watch far above', () => {
    const events: unknown[] = [];
    watches.addPersistent({ path: '/', recursive: true, armed: true, tell: (event) => events.push(event) });
    const event = { type: 'created', path: '/a/b/c', zxid: Long.ONE } as const;
    for (const call of watches.match(event)) call();
    expect(events).toEqual([event]);
  });

  it('uses up one-shot watches', () => {
    oneShot('data', '/a');
    oneShot('exists', '/a');
    oneShot('children', '/a');
    change('deleted', '/a');
    change('created', '/a');
    change('childrenChanged', '/a');
    expect(told).toEqual(['data deleted /a', 'exists deleted /a', 'children deleted /a']);
    expect(watches.has('/a')).toBe(false);
  });

  it('leaves one-shot watches that it does not concern', () => {
    oneShot('children', '/a');
    change('dataChanged', '/a');
    change('childrenChanged', '/a');
    expect(told).toEqual(['children childrenChanged /a']);
  });

  it('leaves persistent watches, over a deletion, too', () => {
    persistent('/a');
    for (const type of ['created', 'deleted', 'created'] as const) change(type, '/a');
    expect(told).toEqual(['persistent created /a', 'persistent deleted /a', 'persistent created /a']);
  });

  it('reaches recursive watches at the path and at each of its parents', () => {
    for (const path of ['/', '/a', '/a/b', '/a/b/c']) recursive(path, path);
    change('dataChanged', '/a/b/c');
    expect(told).toEqual(['/a/b/c', '/a/b', '/a', '/'].map((path) => `${path} dataChanged /a/b/c`));
  });

  it('is worked out before anybody is told, so that what listeners do changes nothing', () => {
    oneShot('data', '/a');
    const calls = watches.match({ type: 'dataChanged', path: '/a', zxid: undefined });
    oneShot('data', '/a', 'later');
    for (const call of calls) call();
    expect(told).toEqual(['data dataChanged /a']);
    expect(watches.has('/a')).toBe(true);
  });
});

describe('the same function', () => {
  const listener = (): void => undefined;

  it('on the same path twice is called once (B5)', () => {
    oneShot('data', '/a', 'first', listener);
    oneShot('data', '/a', 'second', listener);
    change('dataChanged', '/a');
    expect(told).toEqual(['second dataChanged /a']);
  });

  it('is called once, too, where reads of different kinds left it', () => {
    oneShot('data', '/a', 'data', listener);
    oneShot('exists', '/a', 'exists', listener);
    oneShot('children', '/a', 'children', listener);
    change('deleted', '/a');
    expect(told).toEqual(['data deleted /a']);
  });

  it('on two paths is called for each', () => {
    oneShot('data', '/a', 'a', listener);
    oneShot('data', '/b', 'b', listener);
    change('dataChanged', '/a');
    change('dataChanged', '/b');
    expect(told).toEqual(['a dataChanged /a', 'b dataChanged /b']);
  });

  it('is no other one: two functions are both called', () => {
    oneShot('data', '/a', 'first');
    oneShot('data', '/a', 'second');
    change('dataChanged', '/a');
    expect(told).toEqual(['first dataChanged /a', 'second dataChanged /a']);
  });
});

describe('a recursive watch beside others', () => {
  it('never gets childrenChanged that a child watch brings (B8)', () => {
    recursive('/r');
    oneShot('children', '/r/a');
    change('created', '/r/a/b');
    change('childrenChanged', '/r/a');
    expect(told).toEqual(['recursive created /r/a/b', 'children childrenChanged /r/a']);
  });

  it('at the path of a persistent one: the children are told from its events, once', () => {
    recursive('/p');
    persistent('/p');
    change('created', '/p/x');
    // Sent by servers from 3.9 on, which keep both watches; earlier ones keep the recursive one only.
    change('childrenChanged', '/p');
    expect(told).toEqual(['recursive created /p/x', 'persistent childrenChanged /p']);
  });

  it('at the path of a persistent one: no children are told from changes of data, or from further below', () => {
    recursive('/p');
    persistent('/p');
    change('dataChanged', '/p/x');
    change('created', '/p/x/y');
    expect(told).toEqual(['recursive dataChanged /p/x', 'recursive created /p/x/y']);
  });

  it('at the path of a persistent one: the children are told of a deletion, too, with the zxid', () => {
    const events: WatchEvent[] = [];
    recursive('/p');
    watches.addPersistent({ path: '/p', recursive: false, armed: true, tell: (event) => events.push(event) });
    for (const call of watches.match({ type: 'deleted', path: '/p/x', zxid: Long.ONE })) call();
    expect(events).toEqual([{ type: 'childrenChanged', path: '/p', zxid: Long.ONE }]);
  });

  it('serves a one-shot child watch, too, for which a persistent one at the path was to stand in', () => {
    persistent('/p');
    oneShot('children', '/p');
    recursive('/p');
    change('created', '/p/x');
    expect(told.sort()).toEqual([
      'children childrenChanged /p',
      'persistent childrenChanged /p',
      'recursive created /p/x',
    ]);
  });

  it('that is not confirmed yet takes nothing over', () => {
    persistent('/p', { recursive: true, armed: false, name: 'recursive' });
    persistent('/p');
    change('created', '/p/x');
    change('childrenChanged', '/p');
    expect(told).toEqual(['persistent childrenChanged /p']);
  });

  it('at the root: the children of the root are told, but none of the parent of the root', () => {
    recursive('/');
    persistent('/');
    change('created', '/a');
    told = [];
    change('deleted', '/');
    expect(told).toEqual(['persistent deleted /', 'recursive deleted /']);
  });
});

describe('whether the server must be asked for a watch', () => {
  it.each<[string, () => void, Record<OneShotKind, boolean>]>([
    ['nothing', () => undefined, { data: false, exists: false, children: false }],
    ['a one-shot watch', () => oneShot('data', '/a'), { data: false, exists: false, children: false }],
    ['a persistent watch', () => persistent('/a'), { data: true, exists: true, children: true }],
    ['a recursive watch', () => recursive('/a'), { data: true, exists: true, children: false }],
    ['a recursive watch on the parent', () => recursive('/'), { data: false, exists: false, children: false }],
  ])('beside %s', (_, watch, covered) => {
    watch();
    const kinds = ['data', 'exists', 'children'] as const;
    expect(Object.fromEntries(kinds.map((kind) => [kind, watches.coversOneShot(kind, '/a')]))).toEqual(covered);
  });

  it('for a persistent one: not beside a recursive one, whose place it would take', () => {
    expect(watches.coversPersistent('/a')).toBe(false);
    persistent('/a');
    expect(watches.coversPersistent('/a')).toBe(false);
    recursive('/a');
    expect(watches.coversPersistent('/a')).toBe(true);
  });
});

describe('whether the watch of the server is still needed without one listener', () => {
  it.each<[string, () => PersistentListener, boolean]>([
    ['a persistent one that was the only one', () => persistent('/a'), false],
    [
      'a persistent one beside another',
      () => {
        persistent('/a');
        return persistent('/a');
      },
      true,
    ],
    [
      'a persistent one beside a recursive one',
      () => {
        recursive('/a');
        return persistent('/a');
      },
      true,
    ],
    [
      'a recursive one beside a persistent one, which needs less',
      () => {
        persistent('/a');
        return recursive('/a');
      },
      false,
    ],
    [
      'a recursive one beside another',
      () => {
        recursive('/a');
        return recursive('/a');
      },
      true,
    ],
  ])('%s', (_, watch, needed) => {
    const listener = watch();
    expect(watches.removePersistent(listener)).toBe(true);
    expect(watches.stillNeeded(listener)).toBe(needed);
  });
});

describe('a watch that is taken away', () => {
  it('is told nothing any more', () => {
    const listener = persistent('/a');
    expect(watches.removePersistent(listener)).toBe(true);
    change('dataChanged', '/a');
    expect(told).toEqual([]);
    expect(watches.has('/a')).toBe(false);
  });

  it('was not there the second time', () => {
    const listener = persistent('/a');
    watches.removePersistent(listener);
    expect(watches.removePersistent(listener)).toBe(false);
  });

  it('of one shot is taken from every kind, by its function', () => {
    const key = (): void => undefined;
    oneShot('data', '/a', 'data', key);
    oneShot('children', '/a', 'children', key);
    oneShot('data', '/a', 'other');
    expect(watches.removeOneShot('/a', key)).toBe(true);
    expect(watches.removeOneShot('/a', key)).toBe(false);
    change('deleted', '/a');
    expect(told).toEqual(['other deleted /a']);
  });

  it('leaves nothing at its path', () => {
    const key = (): void => undefined;
    oneShot('exists', '/a', 'exists', key);
    watches.removeOneShot('/a', key);
    expect(watches.has('/a')).toBe(false);
  });
});

describe('the paths to watch again', () => {
  beforeEach(() => {
    oneShot('data', '/data');
    oneShot('exists', '/missing');
    oneShot('children', '/parent');
    persistent('/persistent');
    recursive('/recursive');
    persistent('/unconfirmed', { armed: false });
    recursive('/both');
    persistent('/both');
    oneShot('data', '/both');
  });

  it('are those of every kind, but for persistent ones that a recursive one covers', () => {
    expect(watches.paths()).toEqual({
      data: ['/data', '/both'],
      exists: ['/missing'],
      children: ['/parent'],
      persistent: ['/persistent'],
      recursive: ['/recursive', '/both'],
    });
  });

  it('can be those of one path', () => {
    expect(watches.paths('/both')).toEqual({
      data: ['/both'],
      exists: [],
      children: [],
      persistent: [],
      recursive: ['/both'],
    });
    expect(watches.paths('/nothing')).toEqual({ data: [], exists: [], children: [], persistent: [], recursive: [] });
  });
});

it('tells persistent watches, and no others, that changes may have been missed', () => {
  oneShot('data', '/a');
  persistent('/a');
  recursive('/b');
  persistent('/c', { armed: false });
  for (const call of watches.matchResync()) call();
  expect(told).toEqual(['persistent resync', 'recursive resync']);
  expect(watches.has('/a')).toBe(true);
});

describe('the end', () => {
  it('is told to every watch once, and nothing is watched afterwards (B4)', () => {
    oneShot('data', '/a');
    oneShot('children', '/b');
    persistent('/a');
    recursive('/b');
    persistent('/c', { armed: false, name: 'unconfirmed' });
    for (const call of watches.end('expired')) call();
    expect(told.sort()).toEqual([
      'children ended',
      'data ended',
      'persistent ended',
      'recursive ended',
      'unconfirmed ended',
    ]);
    expect(watches.end('expired')).toEqual([]);
    expect(['/a', '/b', '/c'].some((path) => watches.has(path))).toBe(false);
  });

  it('has its reason', () => {
    const events: unknown[] = [];
    watches.addOneShot('data', '/a', { key: 1, tell: (event) => events.push(event) });
    for (const call of watches.end('authFailed')) call();
    expect(events).toEqual([{ type: 'ended', reason: 'authFailed' }]);
  });

  it('can be that of one path', () => {
    oneShot('data', '/a');
    oneShot('data', '/ab');
    persistent('/a');
    const kinds = ['data', 'exists', 'children', 'persistent'] as const;
    for (const call of watches.end('removed', { path: '/a', kinds })) call();
    expect(told).toEqual(['data ended', 'persistent ended']);
    expect(watches.has('/ab')).toBe(true);
  });

  it('can be that of some kinds', () => {
    oneShot('data', '/a');
    oneShot('exists', '/a');
    oneShot('children', '/a');
    persistent('/a');
    for (const call of watches.end('removed', { path: '/a', kinds: ['data', 'exists'] })) call();
    expect(told).toEqual(['data ended', 'exists ended']);
    expect(watches.paths('/a')).toMatchObject({ children: ['/a'], persistent: ['/a'] });
  });
});
