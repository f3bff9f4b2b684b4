import { InvalidPathError } from './errors.js';

const SLASH = 0x2f;
const DOT = 0x2e;

/**
 * Throws `InvalidPathError` unless `path` is one that ZooKeeper takes: absolute, no empty, `.` or `..` part, no slash
 * at the end, no character that ZooKeeper forbids. The name of a sequential znode may be empty: `/queue/`.
 */
export function checkPath(path: string, operation?: string, sequential = false): void {
  // Callers without types may hand in anything.
  const given: unknown = path;
  const problem = typeof given === 'string' ? pathProblem(given, sequential) : 'it must be a string';
  if (problem !== undefined) throw new InvalidPathError(String(given), problem, operation);
}

function pathProblem(path: string, sequential: boolean): string | undefined {
  if (path.length === 0) return 'it is empty; the root is "/"';
  if (path.charCodeAt(0) !== SLASH) return 'it must start with "/"';
  let partStart = 1;
  for (let index = 1; index < path.length; index++) {
    const unit = path.charCodeAt(index);
    if (unit === SLASH) {
      const problem = partProblem(path, partStart, index);
      if (problem !== undefined) return problem;
      partStart = index + 1;
    } else if (isForbidden(unit)) {
      return `the character U+${unit.toString(16).toUpperCase().padStart(4, '0')} at index ${index} is not allowed`;
    }
  }
  if (partStart < path.length) return partProblem(path, partStart, path.length);
  return path.length === 1 || sequential ? undefined : 'it must not end with "/"';
}

function partProblem(path: string, start: number, end: number): string | undefined {
  if (end === start) return `there is an empty part at index ${start}`;
  const onlyDots =
    path.charCodeAt(start) === DOT && (end - start === 1 || (end - start === 2 && path.charCodeAt(start + 1) === DOT));
  return onlyDots ? `the part "${path.slice(start, end)}" at index ${start} is relative` : undefined;
}

// The ranges that the server's PathUtils refuses; the surrogates D800..DFFF among them shut out all above U+FFFF.
function isForbidden(unit: number): boolean {
  if (unit < 0x20) return true;
  if (unit < 0x7f) return false;
  return unit <= 0x9f || (unit >= 0xd800 && unit <= 0xf8ff) || unit >= 0xfff0;
}

/** The last part of a path: `c` of `/a/b/c`, the empty string of `/`. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** The path of the parent: `/a/b` of `/a/b/c`. The root is its own parent. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? '/' : path.slice(0, slash);
}

/** The path of a child: `/a/b` of `/a` and `b`, `/b` of `/` and `b`. */
export function childPath(parent: string, name: string): string {
  return parent === '/' ? `/${name}` : `${parent}/${name}`;
}

/**
 * The number that the server appended to the name of a sequential znode: ten digits, or a minus and nine or ten of
 * them, because the counter is a signed 32-bit number that wraps. `undefined` if the name does not end so.
 *
 * `marker` is what stands right before the number, `lock-` for example; everything up to its last occurrence is
 * ignored. Without it a single minus before ten digits counts as a part of the name, since both readings are possible.
 */
export function sequenceOf(name: string, marker?: string): number | undefined {
  if (marker === undefined) return trailingSequence(name);
  const at = name.lastIndexOf(marker);
  return at === -1 ? undefined : parseSequence(name.slice(at + marker.length));
}

/** The number in a text that is nothing but what a server appends. */
export function parseSequence(text: string): number | undefined {
  return /^(?:\d{10}|-\d{9,10})$/.test(text) ? toInt32(text) : undefined;
}

function toInt32(digits: string | undefined): number | undefined {
  const value = Number(digits);
  return value === (value | 0) ? value : undefined;
}

function trailingSequence(name: string): number | undefined {
  const [, negative, positive, short] = /(?:-(-\d{10})|(?:^|\D)(\d{10})|(-\d{9}))$/.exec(name) ?? [];
  const sequence = toInt32(negative ?? positive ?? short);
  // Above 2^31 - 1 a minus before it can only be its sign.
  const isNegative = sequence === undefined && name.at(-11) === '-';
  return isNegative ? toInt32(name.slice(-11)) : sequence;
}

/**
 * Orders two sequence numbers by distance (RFC 1982): negative if `a` came before `b`, also when the counter wrapped
 * between them. Right as long as fewer than 2^31 numbers lie between them.
 */
export function compareSequences(a: number, b: number): number {
  return (a - b) | 0;
}

/** The part of the tree that a client sees as its root. */
export class Chroot {
  /** `prefix` is an absolute path; empty or `/` for the whole tree. */
  static of(prefix: string): Chroot {
    if (prefix === '' || prefix === '/') return new Chroot('');
    checkPath(prefix, 'chroot');
    return new Chroot(prefix);
  }

  private constructor(readonly prefix: string) {}

  /** The chroot at `path` inside this one. */
  within(path: string): Chroot {
    checkPath(path, 'chroot');
    return path === '/' ? this : new Chroot(this.prefix + path);
  }

  /** The server's path of the client's path. `sequential`: of a znode to which the server appends a number. */
  toServer(path: string, sequential = false): string {
    if (this.prefix === '') return path;
    // A number is appended to `/chroot/`: without the slash, the znode would lie beside the chroot.
    return path === '/' && !sequential ? this.prefix : this.prefix + path;
  }

  /** Whether a path of the server lies at or below this chroot. */
  contains(serverPath: string): boolean {
    if (!serverPath.startsWith(this.prefix)) return false;
    return (
      this.prefix === '' ||
      serverPath.length === this.prefix.length ||
      serverPath.charCodeAt(this.prefix.length) === SLASH
    );
  }

  /** The client's path of the server's path. Paths outside, such as that of the ensemble's configuration, stay as they are. */
  toClient(serverPath: string): string {
    if (this.prefix === '' || !this.contains(serverPath)) return serverPath;
    return serverPath.length === this.prefix.length ? '/' : serverPath.slice(this.prefix.length);
  }
}
