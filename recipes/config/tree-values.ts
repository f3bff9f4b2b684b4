import { childPath, InvalidArgumentError, nameOf, parentOf } from 'zookit';
import type { OptionSubject } from '../common/options.js';
import type { DecoderChoice } from './decoders.js';
import { isPlainObject } from './encryption.js';
import { InvalidConfigError, type InvalidConfigReason } from './errors.js';
import { setOwn } from './plain-values.js';
import { isBesideConfig } from './stored-value.js';

/**
 * How one object stands in a tree of znodes. What a znode holds and what is below it are one object; a znode that holds
 * null, or nothing and has children, is a folder: what is new in it becomes a znode. What is new in a znode that holds an
 * object becomes a part of that.
 */
export class TreeShape {
  constructor(
    private readonly root: string,
    private readonly choose: DecoderChoice,
    private readonly subject: OptionSubject,
  ) {}

  /**
   * The object that the znodes stand for. `values` are those of the znodes that hold one.
   *
   * @throws InvalidConfigError where two stand for one key, or a znode with children holds no object; at a key `__proto__`.
   */
  join(paths: Iterable<string>, values: ReadonlyMap<string, unknown>): unknown {
    const all = [...paths];
    return all.includes(this.root) ? this.#join(this.root, childrenIn(all), values) : undefined;
  }

  /** The znodes by the places of the object that they stand for: the keys as JSON. */
  placesOf(paths: Iterable<string>): ReadonlyMap<string, string> {
    const keys = new Map<string, readonly string[]>();
    // Parents come before what is below them.
    for (const path of [...paths].sort())
      keys.set(path, path === this.root ? [] : [...(keys.get(parentOf(path)) ?? []), this.choose(nameOf(path)).key]);
    return new Map(Array.from(keys, ([path, place]) => [JSON.stringify(place), path]));
  }

  /**
   * What each znode has to hold for a value to stand there; undefined: it is a folder. Znodes that are not named are to
   * go. `folders` and `others` are those that are there.
   *
   * @throws InvalidArgumentError if a key can be no name of a znode.
   */
  split(value: unknown, folders: ReadonlySet<string>, others: ReadonlySet<string>): Map<string, unknown> {
    const wanted = new Map<string, unknown>();
    const isNew = !folders.has(this.root) && !others.has(this.root);
    const children = childrenIn([...folders, ...others]);
    this.#split(this.root, value, isNew ? new Set([this.root]) : folders, children, wanted);
    return wanted;
  }

  #join(path: string, children: ReadonlyMap<string, readonly string[]>, values: ReadonlyMap<string, unknown>): unknown {
    const below = children.get(path) ?? [];
    const own = values.has(path) ? values.get(path) : {};
    if (below.length === 0) return own;
    if (!isPlainObject(own)) throw this.#invalid('it has children, and its data is no object', path);
    const value = { ...own };
    for (const child of below) {
      const { key } = this.choose(nameOf(child));
      if (Object.hasOwn(value, key))
        throw this.#invalid(`the key ${JSON.stringify(key)} stands somewhere else, too`, child);
      if (key === '__proto__') throw this.#invalid('a key __proto__ is not allowed', child, 'forbidden');
      setOwn(value, key, this.#join(child, children, values));
    }
    return value;
  }

  #split(
    path: string,
    value: unknown,
    folders: ReadonlySet<string>,
    children: ReadonlyMap<string, readonly string[]>,
    wanted: Map<string, unknown>,
  ): void {
    if (!isPlainObject(value)) {
      wanted.set(path, value);
      return;
    }
    const rest = new Map(Object.entries(value).filter(([, item]) => item !== undefined));
    wanted.set(path, undefined);
    for (const child of children.get(path) ?? []) {
      const { key } = this.choose(nameOf(child));
      if (rest.has(key)) this.#split(child, rest.get(key), folders, children, wanted);
      rest.delete(key);
    }
    if (!folders.has(path)) {
      wanted.set(path, Object.fromEntries(rest));
      return;
    }
    for (const [key, item] of rest) wanted.set(this.#pathOf(path, key), item);
  }

  #pathOf(parent: string, key: string): string {
    const isName = key !== '' && key !== '.' && key !== '..' && !key.includes('/') && !key.includes('\0');
    if (isName && !isBesideConfig(key) && this.choose(key).key === key) return childPath(parent, key);
    throw new InvalidArgumentError(`${JSON.stringify(key)} can be no znode below ${parent}`, this.subject);
  }

  #invalid(problem: string, path: string, reason: InvalidConfigReason = 'ambiguous'): InvalidConfigError {
    return new InvalidConfigError(problem, { ...this.subject, path }, reason);
  }
}

/** The children of each znode, in one order. */
function childrenIn(paths: readonly string[]): Map<string, string[]> {
  const children = new Map<string, string[]>();
  for (const path of [...paths].sort()) {
    // The root of all is its own parent, and no child.
    if (path === '/') continue;
    const siblings = children.get(parentOf(path)) ?? [];
    siblings.push(path);
    children.set(parentOf(path), siblings);
  }
  return children;
}
