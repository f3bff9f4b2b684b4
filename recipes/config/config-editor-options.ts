import { type Acl, InvalidArgumentError, retries, type RetryPolicy, type ZooKeeper } from 'zookit';
import { checkNames, type OptionSubject } from '../common/options.js';
import type { ConfigShape } from './config-source.js';
import type { ConfigTarget } from './config-target.js';
import { checkNote } from './config-update.js';
import { type ConfigFormat, decoderChoice } from './decoders.js';
import { checkIndent, type ConfigCodec, codecFor } from './encoders.js';
import { type EncryptionOptions, ValueCipher } from './encryption.js';
import type { ConfigSchema } from './schema.js';
import { TreeTarget } from './tree-target.js';
import { ValueTarget } from './value-target.js';

/** How a {@link ConfigEditor} writes. */
export interface ConfigEditorOptions<T> {
  /** What a value must be to be written. It sees what readers will see: what it makes of that is not written. */
  readonly schema?: ConfigSchema<T> | undefined;
  /** What the data are. Default `'auto'`: by the extension of the znode's name, where it has none JSON. */
  readonly codec?: ConfigFormat | ConfigCodec | undefined;
  /** Spaces for each level of JSON and YAML. Default 2; 0: JSON in one line. */
  readonly indent?: number | undefined;
  /** `'tree'`: all znodes below the path, as one object, written in one transaction. Default `'value'`: the znode. */
  readonly shape?: ConfigShape | undefined;
  /** How many former versions are kept, up to 1,000. Default 10; 0: none. */
  readonly history?: number | undefined;
  /** The most bytes that are put into one znode. Default 1,000,000: what fits into the `jute.maxbuffer` that servers have. */
  readonly limit?: number | undefined;
  /** Whether a value above the limit is written in parts. Default `false`: it is refused with ValueTooLargeError. */
  readonly split?: boolean | undefined;
  /** How single values are encrypted. Without it encrypted texts are left as they are. */
  readonly encryption?: EncryptionOptions | undefined;
  /** The ACL of the znodes that are created. Default: that of the client. */
  readonly acl?: readonly Acl[] | undefined;
  /** Who makes the updates, for the history. Default: nobody is named. */
  readonly author?: string | undefined;
  /**
   * What comes after a try for which somebody else was faster: a pause in milliseconds and another try, or `undefined`:
   * ContentionError. Default: pauses that grow to half a second, 100 tries.
   */
  readonly retry?: RetryPolicy | undefined;
}

/** The options, checked. */
export interface EditorSetting {
  readonly target: ConfigTarget;
  readonly shape: ConfigShape;
  readonly history: number;
  readonly limit: number;
  readonly split: boolean;
  readonly acl: readonly Acl[] | undefined;
  readonly author: string | undefined;
  readonly retry: RetryPolicy;
}

const names = [
  ...(['schema', 'codec', 'indent', 'shape', 'history', 'limit', 'split', 'encryption', 'acl', 'author'] as const),
  'retry',
] as const satisfies readonly (keyof ConfigEditorOptions<never>)[];

/** A request of this size, with paths and all else that belongs to it, is below the 1,048,575 bytes that servers take. */
const DEFAULT_LIMIT = 1_000_000;
const SMALLEST_LIMIT = 1_024;
const DEFAULT_HISTORY = 10;
const LONGEST_HISTORY = 1_000;

const patient = retries.exponential({ first: 10, longest: 500, attempts: 100 });

/** @throws InvalidArgumentError. */
export function settingOf<T>(zk: ZooKeeper, options: ConfigEditorOptions<T>, subject: OptionSubject): EditorSetting {
  checkNames(options, names, subject);
  const { schema, codec = 'auto', indent = 2, shape = 'value', history = DEFAULT_HISTORY } = options;
  const { limit = DEFAULT_LIMIT, split = false, encryption, acl, author, retry = patient } = options;
  const refuse = (problem: string): never => {
    throw new InvalidArgumentError(problem, subject);
  };
  if (schema !== undefined && typeof (schema as Partial<typeof schema>)['~standard']?.validate !== 'function')
    refuse('the schema has no "~standard" interface; one of ajv is made by ajvSchema(validate)');
  if (!(Number.isInteger(history) && history >= 0 && history <= LONGEST_HISTORY))
    refuse(`history is ${String(history)}; it must be a whole number from 0 to ${LONGEST_HISTORY}`);
  if (!(Number.isInteger(limit) && limit >= SMALLEST_LIMIT))
    refuse(`limit is ${String(limit)}; it must be a whole number of bytes, ${SMALLEST_LIMIT} or more`);
  if (typeof split !== 'boolean') refuse(`split is ${String(split)}; it must be true or false`);
  if (typeof retry !== 'function') refuse('retry must be a function, such as retries.exponential()');
  if (!['value', 'tree'].includes(shape)) refuse(`shape is ${shape}; it must be "value" or "tree"`);
  if (acl !== undefined && !Array.isArray(acl)) refuse("acl must be a list, such as [acl.world('read')]");
  if (shape === 'tree' && split) refuse('split is for single values: a tree is written in one transaction');
  checkNote('author', author, subject);
  checkIndent(indent, subject);
  const cipher = encryption === undefined ? undefined : new ValueCipher(encryption, subject);
  const codecOf = (path: string): ConfigCodec => codecFor(codec, path, { indent }, { ...subject, path });
  const rule = { codec: codecOf(subject.path), cipher, schema, limit, split };
  const choose = decoderChoice(codec, subject);
  const target = shape === 'tree' ? new TreeTarget(zk, { ...rule, codecOf, choose }) : new ValueTarget(zk, rule);
  return { target, shape, history, limit, split, acl, author, retry };
}
