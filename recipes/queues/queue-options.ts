import { checkPath, InvalidArgumentError, type LeaseOptions } from 'zookit';
import { checkLease, checkNames, leaseNames, type OptionSubject } from '../common/options.js';
import type { DeadLetter } from './handout.js';
import type { ItemFormat } from './item-format.js';
import type { ReadName } from './item-names.js';
import type { QueuePaths } from './queue-paths.js';
import type { QueueSerializer } from './serializer.js';

/** How a queue behaves. All who use it must agree on `serializer`, `lockPath` and `maxAttempts`. */
export interface QueueOptions<T> extends LeaseOptions {
  /** Turns values into bytes, and back. Default: JSON. */
  readonly serializer?: QueueSerializer<T> | undefined;
  /** Where the locks of items under work stand; Java consumers name it by `lockPath()`. Default `PATH-locks`. */
  readonly lockPath?: string | undefined;
  /** Where dead letters go. Default `PATH-dead`. */
  readonly deadPath?: string | undefined;
  /**
   * How many items there may be, those under work included: a put waits until there is room. Several processes that put
   * at the same moment may go beyond it by as many. Default: as many as there is room for at the server.
   */
  readonly maxItems?: number | undefined;
  /**
   * After how many attempts an item becomes a dead letter. Each one is written down before the item is handed out, so
   * those whose process has died count, too. Default: without an end, and only those count that `nack()` has ended.
   */
  readonly maxAttempts?: number | undefined;
  /** Told of each dead letter that this process makes. */
  readonly onDeadLetter?: ((letter: DeadLetter) => void) | undefined;
}

/** What makes one kind of queue differ from another. */
export interface QueueKind {
  /** The class, for the errors. */
  readonly name: string;
  readonly read: ReadName;
  readonly format: ItemFormat;
  /** How many items are taken from one listing of the queue. */
  readonly perListing: number;
  /** Where the items and their locks are, below the path that the caller gives; default: the path, and `PATH-locks`. */
  readonly folders?: { readonly items: string; readonly locks: string } | undefined;
}

const optionNames = ['serializer', 'lockPath', 'deadPath', 'maxItems', 'maxAttempts', 'onDeadLetter', ...leaseNames];

/** Refuses what is no option, or out of range. @throws InvalidArgumentError, InvalidPathError. */
export function checkQueueOptions<T>(options: QueueOptions<T>, paths: QueuePaths, kind: QueueKind, path: string): void {
  const subject: OptionSubject = { operation: kind.name, path };
  checkNames(options, optionNames, subject);
  checkLease(options, subject);
  checkPath(paths.locks, kind.name);
  checkPath(paths.dead, kind.name);
  const { serializer, maxItems, maxAttempts, onDeadLetter } = options;
  const isCount = (count: number | undefined): boolean =>
    count === undefined || (Number.isInteger(count) && count >= 1);
  const problems = [
    serializer === undefined ||
      (typeof serializer.serialize === 'function' && typeof serializer.deserialize === 'function') ||
      'the serializer must have the functions serialize and deserialize',
    isCount(maxItems) || `maxItems is ${String(maxItems)}; it must be a whole number from 1 on`,
    isCount(maxAttempts) || `maxAttempts is ${String(maxAttempts)}; it must be a whole number from 1 on`,
    maxAttempts === undefined || kind.format.framed || 'maxAttempts has no place in the items of this layout',
    onDeadLetter === undefined || typeof onDeadLetter === 'function' || 'onDeadLetter is no function',
    new Set([paths.items, paths.locks, paths.puts, paths.dead]).size === 4 ||
      'items, locks and dead letters must be in different folders',
  ];
  for (const problem of problems) if (typeof problem === 'string') throw new InvalidArgumentError(problem, subject);
}
