import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { type ErrorContext, InvalidArgumentError, ZooKeeperError } from 'zookit';
import { checkNames, type OptionSubject } from '../common/options.js';

/** A key of 32 bytes: the bytes, or their hexadecimal or base64 digits. */
export type EncryptionKey = Uint8Array | string;

/** Where a key comes from: itself, or the variable of the environment that it is in. */
export type EncryptionKeySource = EncryptionKey | { readonly env: string };

/** How the encrypted values of a configuration are read and written. */
export interface EncryptionOptions {
  /** The key that values are encrypted with; or a function that is asked for the key of an id, and by whom keys are kept. */
  readonly key:
    EncryptionKeySource | ((keyId: string) => EncryptionKey | undefined | Promise<EncryptionKey | undefined>);
  /** The id of `key`, which stands in each text that is encrypted with it. Default `"1"`. */
  readonly keyId?: string | undefined;
  /** Keys by which older texts can still be read, by their ids. */
  readonly olderKeys?: Readonly<Record<string, EncryptionKeySource>> | undefined;
}

/** An encrypted value cannot be read: its key is missing or wrong, or the text was changed or stood elsewhere before. */
export class DecryptionError extends ZooKeeperError {
  readonly code = 'DECRYPTION';

  constructor(
    problem: string,
    context: ErrorContext,
    /** Where in the value the text stands, its keys joined by dots. Empty: it is the value. */
    readonly keyPath: string,
    /** The id of the key that the text names. */
    readonly keyId: string,
  ) {
    super(`${keyPath === '' ? 'the value' : keyPath} cannot be decrypted: ${problem}`, context);
  }
}

/** Where an encrypted value stands. Its text is good for that place only. */
export interface EncryptedPlace {
  /** The znode, as the server knows it, that is with the chroot: see {@link absolutePath}. */
  readonly znode: string;
  /** The keys that lead to it within the value. */
  readonly keys: readonly string[];
}

const PREFIX = 'enc:v1:';
const KEY_BYTES = 32;
/** NIST SP 800-38D: 96 bits, random, are good for 2^32 texts a key. */
const IV_BYTES = 12;
const TAG_BYTES = 16;
const KEY_ID = /^[\w.-]{1,64}$/;
const DEFAULT_KEY_ID = '1';

/** Whether a value is an encrypted text. */
export function isEncrypted(value: unknown): value is string {
  return typeof value === 'string' && value.startsWith(PREFIX);
}

/** The id of the key that an encrypted text names. */
export function keyIdOf(text: string): string {
  return text.slice(PREFIX.length).split(':', 1)[0] ?? '';
}

/** The path of a znode as the server knows it: the same for clients of any chroot. */
export function absolutePath(zk: { readonly root: string }, path: string): string {
  if (zk.root === '/') return path;
  return path === '/' ? zk.root : `${zk.root}${path}`;
}

/** Encrypts and decrypts single values with AES-256-GCM. No key ever stands in an error. */
export class ValueCipher {
  readonly #keyId: string;
  readonly #options: EncryptionOptions;

  /** @throws InvalidArgumentError. Keys are looked up when they are needed. */
  constructor(
    options: EncryptionOptions,
    private readonly subject: OptionSubject,
  ) {
    checkNames(options, ['key', 'keyId', 'olderKeys'], subject);
    const { key, keyId = DEFAULT_KEY_ID, olderKeys = {} } = options;
    this.#options = options;
    this.#keyId = keyId;
    if (typeof key !== 'function') checkSource(key, 'encryption.key', subject);
    for (const [id, source] of [[keyId, undefined] as const, ...Object.entries(olderKeys)]) {
      if (!KEY_ID.test(id)) throw this.#invalid(`the id of a key is ${JSON.stringify(id)}; it must be like ${KEY_ID}`);
      if (source !== undefined) checkSource(source, `encryption.olderKeys.${id}`, subject);
    }
  }

  /** The id of the key that it encrypts with. */
  get keyId(): string {
    return this.#keyId;
  }

  /** The text that stands for a value, which can be anything that JSON can hold. @throws InvalidArgumentError if there is no key. */
  async encrypt(value: unknown, place: EncryptedPlace): Promise<string> {
    const key = await this.#keyOf(this.#keyId);
    if (key === undefined) throw this.#invalid(`there is no encryption key with the id ${this.#keyId}`);
    const clear = plainText(value);
    if (clear === undefined) throw this.#invalid('a value that is encrypted must be what JSON can hold');
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
    cipher.setAAD(boundTo(place, this.#keyId));
    const text = Buffer.concat([iv, cipher.update(clear, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `${PREFIX}${this.#keyId}:${text.toString('base64')}`;
  }

  /** The value that a text stands for. @throws DecryptionError. */
  async decrypt(text: string, place: EncryptedPlace): Promise<unknown> {
    const keyId = keyIdOf(text);
    const digits = text.slice(PREFIX.length + keyId.length + 1);
    const fail = (problem: string): never => {
      throw new DecryptionError(problem, this.subject, place.keys.join('.'), keyId);
    };
    const bytes = Buffer.from(digits, 'base64');
    if (!KEY_ID.test(keyId) || bytes.length < IV_BYTES + TAG_BYTES) return fail('the text is not whole');
    const key = (await this.#keyOf(keyId)) ?? fail(`there is no key with the id ${keyId}`);
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(boundTo(place, keyId));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    try {
      const clear = [decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()];
      return JSON.parse(Buffer.concat(clear).toString('utf8')) as unknown;
    } catch {
      return fail('the key is another one, or the text was changed or was encrypted for another place');
    }
  }

  async #keyOf(keyId: string): Promise<Buffer | undefined> {
    const { key, olderKeys = {} } = this.#options;
    if (Object.hasOwn(olderKeys, keyId)) return this.#bytesOf(olderKeys[keyId], keyId);
    if (typeof key !== 'function') return keyId === this.#keyId ? this.#bytesOf(key, keyId) : undefined;
    return this.#bytesOf(await key(keyId), keyId);
  }

  #bytesOf(source: EncryptionKeySource | undefined, keyId: string): Buffer | undefined {
    if (source === undefined) return undefined;
    const isVariable = typeof source === 'object' && 'env' in source;
    const key = isVariable ? process.env[source.env] : source;
    if (key === undefined) return undefined;
    const bytes = keyBytes(key);
    if (bytes !== undefined) return bytes;
    const where = isVariable ? ` in the variable ${source.env}` : '';
    throw this.#invalid(
      `the encryption key ${keyId}${where} is not ${KEY_BYTES} bytes, nor their hexadecimal or base64 digits`,
    );
  }

  #invalid(problem: string): InvalidArgumentError {
    return new InvalidArgumentError(problem, this.subject);
  }
}

/** A value with some of what stands in it replaced; objects and arrays are copied. `replace` gives undefined where it leaves alone. */
export async function replaceValues(
  value: unknown,
  keys: readonly string[],
  replace: (value: unknown, keys: readonly string[]) => Promise<{ readonly value: unknown } | undefined>,
): Promise<unknown> {
  const replaced = await replace(value, keys);
  if (replaced !== undefined) return replaced.value;
  if (Array.isArray(value))
    return await Promise.all(value.map((item, index) => replaceValues(item, [...keys, String(index)], replace)));
  if (!isPlainObject(value)) return value;
  const entries = Object.entries(value).map(async ([key, item]): Promise<[string, unknown]> => [
    key,
    await replaceValues(item, [...keys, key], replace),
  ]);
  return Object.fromEntries(await Promise.all(entries));
}

/** Whether it is an object with keys of its own, and none of a class. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  // Objects of other realms, as structuredClone makes them in some test runners, have an Object.prototype of their own.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** JSON, because no two places come to the same text in it. */
function boundTo({ znode, keys }: EncryptedPlace, keyId: string): Buffer {
  return Buffer.from(JSON.stringify([PREFIX, keyId, znode, ...keys]));
}

function plainText(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

function keyBytes(key: EncryptionKey): Buffer | undefined {
  if (key instanceof Uint8Array) return key.length === KEY_BYTES ? Buffer.from(key) : undefined;
  const digits = key.trim();
  if (/^[\da-f]{64}$/i.test(digits)) return Buffer.from(digits, 'hex');
  return /^[\w+/-]{43}=?$/.test(digits) ? Buffer.from(digits, 'base64') : undefined;
}

function checkSource(source: unknown, name: string, subject: OptionSubject): void {
  const isVariable =
    typeof source === 'object' && source !== null && typeof (source as { env?: unknown }).env === 'string';
  if (isVariable || ((typeof source === 'string' || source instanceof Uint8Array) && keyBytes(source) !== undefined))
    return;
  const problem = 'must be 32 bytes, their hexadecimal or base64 digits, or { env: NAME }';
  throw new InvalidArgumentError(`${name} ${problem}`, subject);
}
