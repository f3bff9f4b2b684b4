import { isDeepStrictEqual } from 'node:util';
import { isPlainObject } from './encryption.js';

/** Values made of plain objects, arrays and whatever stands in them: copied, frozen, looked into. */

/** An object with keys of its own. */
export type PlainObject = Readonly<Record<string, unknown>>;

/** The most objects and arrays within each other that a configuration may have. */
const MOST_LEVELS = 100;

/** What makes a value unfit to be a configuration. */
export class UnfitValueError extends Error {
  constructor(
    message: string,
    readonly reason: 'forbidden' | 'tooDeep',
    readonly keys: readonly string[],
  ) {
    super(message);
  }
}

/** Sets a key of an object itself, whatever the key is. */
export function setOwn(object: object, key: string, value: unknown): void {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}

/**
 * A copy of plain objects and arrays, all other values as they are.
 *
 * @throws UnfitValueError where objects are too deep, and at a key `__proto__`: it would change what the objects of
 * whoever merges or copies the value carelessly are made of.
 */
export function plainCopy(value: unknown, keys: readonly string[] = []): unknown {
  const isArray = Array.isArray(value);
  if (!isArray && !isPlainObject(value)) return value;
  if (keys.length >= MOST_LEVELS)
    throw new UnfitValueError(`there are more than ${MOST_LEVELS} levels of objects`, 'tooDeep', keys);
  if (isArray) return value.map((item, index) => plainCopy(item, [...keys, String(index)]));
  const copy: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    if (key === '__proto__') throw new UnfitValueError('a key __proto__ is not allowed', 'forbidden', keys);
    copy[key] = plainCopy(item, [...keys, key]);
  }
  return copy;
}

/** A copy of plain objects and arrays that nobody can change, all other values as they are. What stands twice in it, or within itself, does so in the copy. */
export function frozenCopy<T>(value: T, known = new Map<unknown, unknown>()): T {
  const isArray = Array.isArray(value);
  if (!isArray && !isPlainObject(value)) return value;
  const earlier = known.get(value);
  if (earlier !== undefined) return earlier as T;
  const copy: object = isArray ? [] : {};
  known.set(value, copy);
  if (isArray) for (const item of value) (copy as unknown[]).push(frozenCopy(item, known));
  else for (const [key, item] of Object.entries(value as PlainObject)) setOwn(copy, key, frozenCopy(item, known));
  return Object.freeze(copy) as T;
}

/** Where in a value: keys joined by dots, or a list of them where a key has a dot in it. */
export type KeyPath = string | readonly string[];

/** The keys of a path; none for the value itself, which is the empty path. */
export function keysOfPath(path: KeyPath): readonly string[] {
  if (typeof path !== 'string') return path;
  return path === '' ? [] : path.split('.');
}

/** What stands at a place; undefined where nothing does. Only keys of the objects themselves count. */
export function valueAt(value: unknown, keys: readonly string[]): unknown {
  let at: unknown = value;
  for (const key of keys) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as PlainObject)[key];
  }
  return at;
}

/** A difference between two versions of a value. */
export interface ConfigDifference {
  readonly type: 'added' | 'changed' | 'removed';
  /** Where, keys joined by dots; empty: the value itself. */
  readonly path: string;
  /** Where, key by key. */
  readonly keys: readonly string[];
  /** What stood there; undefined where nothing did. */
  readonly before: unknown;
  /** What stands there now; undefined where nothing does. */
  readonly after: unknown;
}

/** The differences between two values, the topmost places only: an object that is new is one, and so is an array that differs. */
export function differencesOf(before: unknown, after: unknown, keys: readonly string[] = []): ConfigDifference[] {
  if (before === after) return [];
  if (!isPlainObject(before) || !isPlainObject(after)) {
    if (isDeepStrictEqual(before, after)) return [];
    return [differenceAt(keys, before, after, typeOf(before, after))];
  }
  const found: ConfigDifference[] = [];
  for (const [key, value] of Object.entries(before)) {
    const at = [...keys, key];
    if (Object.hasOwn(after, key)) found.push(...differencesOf(value, after[key], at));
    else found.push(differenceAt(at, value, undefined, 'removed'));
  }
  for (const [key, value] of Object.entries(after))
    if (!Object.hasOwn(before, key)) found.push(differenceAt([...keys, key], undefined, value, 'added'));
  return found;
}

function typeOf(before: unknown, after: unknown): ConfigDifference['type'] {
  if (before === undefined) return 'added';
  return after === undefined ? 'removed' : 'changed';
}

function differenceAt(
  keys: readonly string[],
  before: unknown,
  after: unknown,
  type: ConfigDifference['type'],
): ConfigDifference {
  return { type, path: keys.join('.'), keys, before, after };
}
