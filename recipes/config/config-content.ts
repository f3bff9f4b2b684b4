import { InvalidArgumentError, type ZooKeeper } from 'zookit';
import type { OptionSubject } from '../common/options.js';
import type { ConfigCodec } from './encoders.js';
import { absolutePath, DecryptionError, type ValueCipher } from './encryption.js';
import { InvalidConfigError } from './errors.js';
import { plainCopy } from './plain-values.js';
import { type ConfigSchema, describeIssue, keysOf } from './schema.js';
import { concealValue, type RevealedValue, revealValue, issuesToShow } from './secrets.js';

/** What makes bytes of a value and a value of bytes, for one znode. */
export interface ContentRule {
  readonly codec: ConfigCodec;
  readonly cipher: ValueCipher | undefined;
}

/** Nothing stands there. */
export const NOTHING: RevealedValue = { stored: undefined, value: undefined, texts: new Map() };

/** The content of a znode of a configuration. */
export class ConfigContent {
  readonly #znode: string;

  constructor(
    zk: ZooKeeper,
    private readonly rule: ContentRule,
    private readonly subject: OptionSubject,
  ) {
    this.#znode = absolutePath(zk, subject.path);
  }

  /** The value that bytes stand for. @throws InvalidConfigError, DecryptionError. */
  async read(bytes: Buffer): Promise<RevealedValue> {
    return await revealValue(await this.#decode(bytes), this.rule.cipher, this.#znode);
  }

  /** As {@link read}; nothing where the bytes are no value that can be read. */
  async tryRead(bytes: Buffer): Promise<RevealedValue> {
    try {
      return await this.read(bytes);
    } catch (error) {
      if (error instanceof InvalidConfigError || error instanceof DecryptionError) return NOTHING;
      throw error;
    }
  }

  /**
   * The bytes of a value, with what is secret encrypted. `secrets` is what was so anywhere in the configuration.
   *
   * @throws InvalidArgumentError if it cannot be written; DecryptionError.
   */
  async write(
    value: unknown,
    before: RevealedValue,
    secrets: ReadonlySet<unknown>,
    renew: boolean,
  ): Promise<{ readonly bytes: Buffer; readonly stored: unknown }> {
    const { cipher, codec } = this.rule;
    const rule = { cipher, znode: this.#znode, secrets, renew, subject: this.subject };
    const stored = await concealValue(value, before, rule);
    try {
      return { bytes: Buffer.from(await codec.encode(stored, this.subject.path)), stored };
    } catch (cause) {
      throw new InvalidArgumentError(`the value cannot be written as ${codec.name}`, { ...this.subject, cause });
    }
  }

  async #decode(bytes: Buffer): Promise<unknown> {
    const { codec } = this.rule;
    try {
      return await codec.decode(bytes, this.subject.path);
    } catch (cause) {
      throw new InvalidConfigError(`the data are no ${codec.name}`, { ...this.subject, cause }, 'undecodable');
    }
  }
}

/**
 * Refuses what the schema does not take. What it says may name values: those that were encrypted are taken out of it.
 *
 * @throws InvalidConfigError.
 */
export async function validate(
  schema: ConfigSchema<unknown> | undefined,
  value: unknown,
  secrets: ReadonlySet<unknown>,
  subject: OptionSubject,
): Promise<void> {
  if (schema === undefined) return;
  let said;
  try {
    // It may change what it is given.
    ({ issues: said } = await schema['~standard'].validate(plainCopy(value)));
  } catch (cause) {
    const context = secrets.size === 0 ? { ...subject, cause } : subject;
    throw new InvalidConfigError('its schema threw an error', context, 'schemaFailed');
  }
  if (said === undefined) return;
  const issues = issuesToShow(said, secrets);
  const [first] = issues;
  const problem = `the value is not valid: ${issues.map(describeIssue).join('; ')}`;
  const keyPath = first === undefined ? undefined : keysOf(first).join('.');
  throw new InvalidConfigError(problem, subject, 'schema', keyPath, issues);
}
