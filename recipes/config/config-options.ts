import { InvalidArgumentError, type WaitOptions, type ZooKeeper } from 'zookit';
import { checkDelay, checkNames, type OptionSubject, waitNames } from '../common/options.js';
import type { ReadSetting } from './config-reader.js';
import type { ConfigShape, ConfigWatches } from './config-source.js';
import { type ConfigDecoder, type ConfigFormat, decoderChoice } from './decoders.js';
import { absolutePath, type EncryptionOptions, isPlainObject, ValueCipher } from './encryption.js';
import type { ConfigSnapshotError, InvalidConfigError } from './errors.js';
import type { PlaceholderEnvironment } from './placeholders.js';
import { plainCopy } from './plain-values.js';
import type { ConfigSchema } from './schema.js';

/** How placeholders are replaced. */
export interface PlaceholderOptions {
  /** What `${env:NAME}` looks up. `false`: such placeholders are refused. Default: `process.env`. */
  readonly env?: PlaceholderEnvironment | undefined;
}

/** How the last good configuration is kept on the disk, for a start without a server. */
export interface SnapshotOptions {
  /** The file. It is replaced as a whole, and is for its owner alone (mode 0600). Folders that are missing are made. */
  readonly file: string;
  /** How old it may be, milliseconds since it was current. Default: any age. */
  readonly maxAge?: number | undefined;
  /** For how long `open()` waits for a server before it takes the snapshot, milliseconds. Default 3,000. */
  readonly wait?: number | undefined;
  /** Told when it cannot be written, or is not taken: torn, too old, of another configuration. Default: the process is warned. */
  readonly onError?: ((error: ConfigSnapshotError) => void) | undefined;
}

/** How a {@link LiveConfig} behaves. */
export interface LiveConfigOptions<T> extends WaitOptions {
  /** Validates what is read, and types it. It may be asynchronous, and may change the value. Without it everything is taken. */
  readonly schema?: ConfigSchema<T> | undefined;
  /** The value where there is no znode, as it is: neither merged nor validated. Default: undefined. */
  readonly defaultValue?: T | undefined;
  /** What counts where no layer says anything else: the lowest layer. It is validated with them. */
  readonly defaults?: object | undefined;
  /** `'tree'`: all znodes below the path, as one object. Default `'value'`: the znode. */
  readonly shape?: ConfigShape | undefined;
  /**
   * How changes of a tree are learned of: by one persistent recursive watch, where the server has them (3.6), else by
   * one-shot watches, two for each znode; or always by those. Default `'auto'`.
   */
  readonly watches?: ConfigWatches | undefined;
  /** What the data are. Default `'auto'`: by the extension of the znode's name, where it has none JSON. */
  readonly decoder?: ConfigFormat | ConfigDecoder | undefined;
  /** Whether `${a.b}` and `${env:NAME}` in values are replaced. Default `false`. */
  readonly placeholders?: boolean | PlaceholderOptions | undefined;
  /** How encrypted values are read, see `config.update`. Without it they stay as they are. */
  readonly encryption?: EncryptionOptions | undefined;
  /** Keeps the last good configuration in a file, and begins with it where no server can be reached. */
  readonly snapshot?: SnapshotOptions | undefined;
  /** Told of every version that is not valid. The last good value stays. */
  readonly onInvalid?: ((error: InvalidConfigError) => void) | undefined;
  /** Told, once, of each error that a listener throws or rejects with. Default: the process is warned. */
  readonly onListenerError?: ((error: unknown) => void) | undefined;
}

/** The options, checked. */
export interface LiveConfigSetting<T> extends ReadSetting<T> {
  readonly watches: ConfigWatches;
  readonly decoder: ConfigFormat | ConfigDecoder;
  readonly encryption: EncryptionOptions | undefined;
  readonly snapshot: SnapshotOptions | undefined;
  readonly onInvalid: ((error: InvalidConfigError) => void) | undefined;
  readonly onListenerError: ((error: unknown) => void) | undefined;
}

const names = [
  ...waitNames,
  ...([
    'schema',
    'defaultValue',
    'defaults',
    'shape',
    'watches',
    'decoder',
    'placeholders',
    'encryption',
    'snapshot',
  ] as const),
  ...(['onInvalid', 'onListenerError'] as const),
] as const satisfies readonly (keyof LiveConfigOptions<never>)[];

/** @throws InvalidArgumentError. */
export function readSetting<T>(
  zk: Pick<ZooKeeper, 'root'>,
  options: LiveConfigOptions<T>,
  subject: OptionSubject,
): LiveConfigSetting<T> {
  checkNames(options, names, subject);
  const { schema, defaultValue, defaults, shape = 'value', decoder = 'auto', snapshot } = options;
  const { watches = 'auto', placeholders = false, encryption, onInvalid, onListenerError } = options;
  const refuse = (problem: string): never => {
    throw new InvalidArgumentError(problem, subject);
  };
  if (schema !== undefined && typeof (schema as Partial<typeof schema>)['~standard']?.validate !== 'function')
    refuse('the schema has no "~standard" interface; one of ajv is made by ajvSchema(validate)');
  if (defaults !== undefined && !isPlainObject(defaults)) refuse('defaults must be a plain object');
  if (defaults !== undefined && defaultValue !== undefined) refuse('defaults and defaultValue exclude each other');
  if (!['value', 'tree'].includes(shape)) refuse(`shape is ${shape}; it must be "value" or "tree"`);
  if (!['auto', 'oneShot'].includes(watches)) refuse(`watches is ${watches}; it must be "auto" or "oneShot"`);
  for (const [name, hook] of Object.entries({ onInvalid, onListenerError, 'snapshot.onError': snapshot?.onError }))
    if (hook !== undefined && typeof hook !== 'function') refuse(`${name} is no function`);
  if (snapshot !== undefined) checkSnapshot(snapshot, subject);
  return {
    ...{ schema, defaultValue, shape, watches, decoder, encryption, snapshot, onInvalid, onListenerError },
    // What the caller does to its own later is its own affair.
    defaults: defaults === undefined ? undefined : (plainCopy(defaults) as object),
    choose: decoderChoice(decoder, subject),
    environment: environmentOf(placeholders, subject),
    cipher: encryption === undefined ? undefined : new ValueCipher(encryption, subject),
    absolute: (path) => absolutePath(zk, path),
  };
}

function environmentOf(
  placeholders: boolean | PlaceholderOptions,
  subject: OptionSubject,
): PlaceholderEnvironment | undefined {
  if (placeholders === false) return undefined;
  if (placeholders === true) return process.env;
  if (!isPlainObject(placeholders))
    throw new InvalidArgumentError('placeholders must be true, false or { env }', subject);
  checkNames(placeholders, ['env'] satisfies (keyof PlaceholderOptions)[], subject);
  const { env = process.env } = placeholders;
  if (env === false || (typeof env === 'object' && env !== null)) return env as PlaceholderEnvironment;
  throw new InvalidArgumentError('placeholders.env must be an object of texts, or false', subject);
}

function checkSnapshot(snapshot: SnapshotOptions, subject: OptionSubject): void {
  const known = ['file', 'maxAge', 'wait', 'onError'] as const satisfies readonly (keyof SnapshotOptions)[];
  checkNames(snapshot, known, subject);
  const { file, maxAge, wait } = snapshot;
  if (typeof file !== 'string' || file === '')
    throw new InvalidArgumentError('snapshot.file must be the path of a file', subject);
  if (maxAge !== undefined && !(typeof maxAge === 'number' && maxAge > 0))
    throw new InvalidArgumentError(`snapshot.maxAge is ${String(maxAge)}; it must be milliseconds, above 0`, subject);
  checkDelay('snapshot.wait', wait, subject);
}
