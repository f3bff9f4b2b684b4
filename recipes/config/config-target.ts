import type { Acl, Transaction, ZNode } from 'zookit';
import type { OptionSubject } from '../common/options.js';
import type { Wait } from '../common/waiting.js';
import type { ConfigDifference } from './plain-values.js';
import type { FormerVersion, LogState } from './update-log.js';
import type { DraftParts } from './value-parts.js';

/** Where a configuration stands: one znode, or a tree of them. */
export interface ConfigTarget {
  /** Reads what stands there now. */
  open(subject: OptionSubject, wait: Wait): Promise<ConfigDraft>;
  /** What the history shows of the version that stands there; `node` is the znode of the configuration. */
  current(node: ZNode | undefined, path: string, wait: Wait): Promise<Buffer | undefined>;
  /** The value that the bytes of a former version stand for. */
  valueOf(bytes: Buffer, subject: OptionSubject): Promise<unknown>;
}

/** What stands there, for one try of an update. */
export interface ConfigDraft {
  readonly log: LogState;
  /** The version of the znode; undefined where there is none. */
  readonly version: number | undefined;
  /** What the history is to keep. */
  readonly former: FormerContent;
  /** A copy of the value, and undefined where there is none. @throws InvalidConfigError, DecryptionError, DamagedValueError. */
  value(): Promise<unknown>;
  /** What is to be done for a value to stand there. `renew`: encrypted texts of older keys are made anew. */
  plan(next: unknown, renew: boolean): Promise<ConfigPlan>;
  /** As {@link plan}, for what stood there once. */
  planFormer(bytes: Buffer): Promise<ConfigPlan>;
}

/** A version that is replaced. */
export interface FormerContent {
  /** Null: there was none. */
  readonly version: FormerVersion | null;
  /** Its bytes, or the manifest of them. */
  readonly body: Buffer;
  /** The generation of the parts that the body names. */
  readonly generation: string | undefined;
}

/** What is to be written, checked and not begun. */
export interface ConfigPlan {
  readonly before: unknown;
  readonly after: unknown;
  readonly diff: readonly ConfigDifference[];
  /** What is written, by the paths of the znodes; null: it is deleted. Nothing: there is no difference. */
  readonly znodes: ReadonlyMap<string, Buffer | null>;
  /** Throws where it is larger than what may be written: ValueTooLargeError. */
  checkSize(): void;
  /** Writes what has to be there first. Undefined: to be begun anew. */
  prepare(acl: readonly Acl[] | undefined, wait: Wait): Promise<PreparedPlan | undefined>;
}

/** What is to be done in the transaction of an update. */
export interface PreparedPlan {
  /** The parts that the new version names. */
  readonly parts: DraftParts | undefined;
  /** How many bytes the transaction has for it. */
  readonly size: number;
  /** The first step is about the znode of the configuration. */
  add(transaction: Transaction<readonly unknown[]>): void;
}
