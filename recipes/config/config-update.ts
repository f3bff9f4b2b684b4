import { InvalidArgumentError, type WaitOptions, ZooKeeperError } from 'zookit';
import { checkNames, type OptionSubject, waitNames } from '../common/options.js';
import type { ConfigDifference } from './plain-values.js';

/** How a configuration is updated. */
export interface ConfigUpdateOptions extends WaitOptions {
  /** Who makes the update, for the history. Default: the `author` of the editor. */
  readonly author?: string | undefined;
  /** Why, for the history. */
  readonly comment?: string | undefined;
  /** Whether it is only worked out and checked, and nothing is written. Default `false`. */
  readonly dryRun?: boolean | undefined;
}

/** What came of an update. */
export interface ConfigUpdate<T> {
  /** Whether a new version was written: not in a dry run, and not where nothing is different. */
  readonly written: boolean;
  /** The version of the znode after it; undefined where there is no znode. */
  readonly version: number | undefined;
  /** The id of the update in the history; undefined where nothing was written. */
  readonly id: string | undefined;
  /** The value before; undefined where there was none. */
  readonly before: T | undefined;
  readonly after: T;
  /** What is different. Encrypted values stand in it as the texts that they are encrypted to. */
  readonly diff: readonly ConfigDifference[];
  /** What was written, or, by a dry run, would have been: the bytes by the paths of the znodes; null: deleted. */
  readonly znodes: ReadonlyMap<string, Buffer | null>;
  /** How often it was tried: more than once where others have written meanwhile. */
  readonly tries: number;
}

/** A value is larger than what one znode is to hold. Nothing was written. */
export class ValueTooLargeError extends ZooKeeperError {
  readonly code = 'VALUE_TOO_LARGE';

  constructor(
    context: OptionSubject,
    /** Length of the value, bytes. */
    readonly size: number,
    /** The limit, bytes. */
    readonly limit: number,
    hint: string,
  ) {
    super(`the value has ${size} bytes, more than the limit of ${limit}; ${hint}`, context);
  }
}

/** The history has no such version, or its value is not kept any more. */
export class VersionNotKeptError extends ZooKeeperError {
  readonly code = 'VERSION_NOT_KEPT';
}

/** The longest author and comment, characters. */
const LONGEST_NOTE = 2_000;

/** Refuses what are no options of an update. */
export function checkUpdate(options: ConfigUpdateOptions, subject: OptionSubject): void {
  checkNames(options, [...waitNames, 'author', 'comment', 'dryRun'], subject);
  const { author, comment, dryRun } = options;
  checkNote('author', author, subject);
  checkNote('comment', comment, subject);
  if (dryRun !== undefined && typeof dryRun !== 'boolean')
    throw new InvalidArgumentError(`dryRun is ${String(dryRun)}; it must be true or false`, subject);
}

/** Refuses what is no author or comment. */
export function checkNote(name: string, note: unknown, subject: OptionSubject): void {
  if (note === undefined || (typeof note === 'string' && note.length <= LONGEST_NOTE)) return;
  throw new InvalidArgumentError(`the ${name} must be a text of at most ${LONGEST_NOTE} characters`, subject);
}
