import { type ErrorContext, ZooKeeperError } from 'zookit';
import type { ConfigIssue } from './schema.js';

/**
 * Why a version of a configuration is not taken:
 *
 * - `undecodable`: the data are not what the decoder reads, or values in parts or encrypted ones have come to harm;
 * - `unreadable`: a znode of it may not be read, or is too large;
 * - `ambiguous`: two znodes of a tree stand for one key, or a znode with children holds no object;
 * - `forbidden`: a key `__proto__`;
 * - `tooDeep`: objects and arrays within each other beyond all use, or placeholders that grow so;
 * - `placeholder`: one that stands for nothing, for itself, or is not closed;
 * - `schema`: the schema does not take it; `schemaFailed`: it threw an error.
 */
export type InvalidConfigReason =
  'undecodable' | 'unreadable' | 'ambiguous' | 'forbidden' | 'tooDeep' | 'placeholder' | 'schema' | 'schemaFailed';

/** A version of a configuration that is not taken; `path` is the znode that is to be mended, as far as that is known. */
export class InvalidConfigError extends ZooKeeperError {
  readonly code = 'INVALID_CONFIG';

  constructor(
    message: string,
    context: ErrorContext,
    readonly reason: InvalidConfigReason,
    /** Where in the value it is wrong, its keys joined by dots; undefined where that cannot be said. */
    readonly keyPath?: string,
    /** What the schema says; none for other reasons. */
    readonly issues: readonly ConfigIssue[] = [],
  ) {
    super(message, { operation: 'LiveConfig', ...context });
  }
}

/** The last good configuration could not be kept on the disk, or what is there is not taken. */
export class ConfigSnapshotError extends ZooKeeperError {
  readonly code = 'CONFIG_SNAPSHOT';

  constructor(
    problem: string,
    /** The file. */
    readonly file: string,
    context: ErrorContext,
  ) {
    super(`the snapshot ${file} ${problem}`, { operation: 'LiveConfig', ...context });
  }
}
