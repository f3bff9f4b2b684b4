import { isDeepStrictEqual } from 'node:util';
import { InvalidArgumentError } from 'zookit';
import type { OptionSubject } from '../common/options.js';
import { isEncrypted, keyIdOf, replaceValues, type ValueCipher } from './encryption.js';
import { type ConfigIssue, keysOf } from './schema.js';

/** A value that is to be encrypted at the place where it stands. It shows its content to nobody. */
export class Secret {
  readonly #value: unknown;

  constructor(value: unknown) {
    this.#value = value;
  }

  /** What is to be encrypted. @internal */
  reveal(): unknown {
    return this.#value;
  }

  toJSON(): string {
    return '[secret]';
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '[secret]';
  }
}

/**
 * Says of a value in an update that it is to stand encrypted in the znode: `{ ...before, password: encrypt('s3cret') }`.
 * Whatever stood encrypted before stays so, also when it is changed, without it.
 */
export function encrypt<T>(value: T): T {
  return new Secret(value) as T;
}

/** A value as it stands in the znode, and as it is meant. */
export interface RevealedValue {
  /** With the encrypted texts as they are. */
  readonly stored: unknown;
  /** With what they stand for. */
  readonly value: unknown;
  /** The texts and what they stand for, by their places. */
  readonly texts: ReadonlyMap<string, { readonly text: string; readonly value: unknown }>;
}

/** Decrypts what is encrypted in a decoded value. Without a cipher, all stays as it is. @throws DecryptionError. */
export async function revealValue(
  stored: unknown,
  cipher: ValueCipher | undefined,
  znode: string,
): Promise<RevealedValue> {
  const texts = new Map<string, { text: string; value: unknown }>();
  if (cipher === undefined) return { stored, value: stored, texts };
  const value = await replaceValues(stored, [], async (item, keys) => {
    if (!isEncrypted(item)) return undefined;
    const clear = await cipher.decrypt(item, { znode, keys });
    texts.set(placeOf(keys), { text: item, value: clear });
    return { value: clear };
  });
  return { stored, value, texts };
}

/** What was encrypted in values. The empty text is no secret: it stands in many places. */
export function secretsIn(values: Iterable<RevealedValue>): ReadonlySet<unknown> {
  return new Set(
    Array.from(values, ({ texts }) => [...texts.values()].map(({ value }) => value))
      .flat()
      .filter((value) => value !== ''),
  );
}

/** A text in which nothing stands that was encrypted, nor any part of it that has a place of its own. */
function withoutSecrets(text: string, secrets: ReadonlySet<unknown>): string {
  // The longest first: one may be a part of another.
  const texts = [...new Set([...secrets].flatMap(textsIn))].sort((a, b) => b.length - a.length);
  return texts.reduce((masked, secret) => masked.replaceAll(secret, '[secret]'), text);
}

/** What a schema says, without the values that some libraries add to it: of the path only the keys. */
export function issuesToShow(issues: readonly ConfigIssue[], secrets: ReadonlySet<unknown>): ConfigIssue[] {
  return issues.map((issue) => ({ message: withoutSecrets(issue.message, secrets), path: keysOf(issue) }));
}

function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return value === '' ? [] : [value];
  if (typeof value === 'number') return [String(value)];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

/** How a value is made ready for its znode. */
export interface ConcealRule {
  readonly cipher: ValueCipher | undefined;
  /** The znode, as the server knows it. */
  readonly znode: string;
  /** What was encrypted before, anywhere in the configuration: {@link secretsIn}. */
  readonly secrets: ReadonlySet<unknown>;
  /** Whether texts of other keys than the one in use are encrypted anew. */
  readonly renew: boolean;
  readonly subject: OptionSubject;
}

/**
 * The value as it is to stand in the znode. Encrypted is what is marked by {@link encrypt}; what stood encrypted at the
 * same place before; and each text that is the same as one which was encrypted, wherever it stands now, so that moving it
 * does not lay it open. A value that has not changed keeps its text.
 */
export async function concealValue(next: unknown, before: RevealedValue, rule: ConcealRule): Promise<unknown> {
  const { cipher, znode, secrets, renew, subject } = rule;
  return await replaceValues(next, [], async (item, keys) => {
    const known = before.texts.get(placeOf(keys));
    const isMoved = typeof item === 'string' && secrets.has(item);
    if (!(item instanceof Secret) && known === undefined && !isMoved) {
      // A text of another place could not be read here.
      if (cipher !== undefined && isEncrypted(item)) await cipher.decrypt(item, { znode, keys });
      return undefined;
    }
    if (cipher === undefined)
      throw new InvalidArgumentError('there is a value to encrypt, and no option encryption', subject);
    const clear = item instanceof Secret ? item.reveal() : item;
    if (clear === undefined) return { value: undefined };
    const isCurrent = known !== undefined && isDeepStrictEqual(clear, known.value);
    if (isCurrent && !(renew && keyIdOf(known.text) !== cipher.keyId)) return { value: known.text };
    return { value: await cipher.encrypt(clear, { znode, keys }) };
  });
}

function placeOf(keys: readonly string[]): string {
  return JSON.stringify(keys);
}
