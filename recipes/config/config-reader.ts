import { nameOf, parentOf } from 'zookit';
import type { ConfigLayer } from './config-layers.js';
import type { ConfigShape } from './config-source.js';
import type { DecoderChoice } from './decoders.js';
import { DecryptionError, isPlainObject, type ValueCipher } from './encryption.js';
import { InvalidConfigError } from './errors.js';
import { mergeLayers } from './merge.js';
import { PlaceholderError, type PlaceholderEnvironment, resolvePlaceholders } from './placeholders.js';
import { frozenCopy, plainCopy, UnfitValueError, valueAt } from './plain-values.js';
import { issuesToShow, type RevealedValue, revealValue, secretsIn } from './secrets.js';
import { type ConfigSchema, describeIssue, keysOf, type SchemaResult } from './schema.js';
import { TreeShape } from './tree-values.js';

/** A znode with the bytes of its value, wherever those stood. */
export interface StoredZNode {
  readonly path: string;
  readonly data: Buffer;
  /** Whether it holds null, which differs from no bytes. */
  readonly isNull: boolean;
}

/** A layer as it stands in ZooKeeper, or in a snapshot. */
export interface StoredLayer extends ConfigLayer {
  /** Parents before their children; none where there is no such layer. */
  readonly znodes: readonly StoredZNode[];
}

/** Where a value comes from. */
export interface ConfigOrigin {
  /** The name of the layer: `global`, `service`, `zone`, `instance`, or the one that was given; `defaults`. */
  readonly layer: string;
  /** The znode; undefined for defaults. */
  readonly path: string | undefined;
}

/** How a configuration is made out of what is stored. */
export interface ReadSetting<T> {
  readonly shape: ConfigShape;
  readonly choose: DecoderChoice;
  readonly schema: ConfigSchema<T> | undefined;
  readonly defaults: object | undefined;
  /** The value where there is neither a znode nor defaults. */
  readonly defaultValue: T | undefined;
  /** Undefined: placeholders are left as they are. */
  readonly environment: PlaceholderEnvironment | undefined;
  readonly cipher: ValueCipher | undefined;
  /** The path of a znode as the server knows it. */
  readonly absolute: (path: string) => string;
}

/** What a layer says, decoded. */
interface DecodedLayer {
  readonly layer: string;
  /** Undefined where there is no such layer. */
  readonly value: unknown;
  /** The znode that what stands at a place comes from. */
  readonly pathOf: (keys: readonly string[]) => string | undefined;
}

/** A version of a configuration that is good. */
export class ReadConfig<T> {
  constructor(
    /** Nobody can change it. */
    readonly value: T | undefined,
    /** Whether any of it was stored, and is not only a default. */
    readonly isStored: boolean,
    private readonly layers: readonly DecodedLayer[],
  ) {}

  /** The last layer that says something at a place; undefined where none does, or a later one takes it away. */
  originOf(keys: readonly string[]): ConfigOrigin | undefined {
    return originIn(this.layers, keys);
  }
}

/** Makes configurations out of what is stored. */
export class ConfigReader<T> {
  /** What was made of znodes so far: those that have not changed are not decoded again. */
  readonly #decoded = new WeakMap<StoredZNode, RevealedValue>();

  constructor(
    private readonly setting: ReadSetting<T>,
    /** What errors name where no znode in particular is wrong. */
    private readonly path: string,
  ) {}

  /** @throws InvalidConfigError. */
  async read(stored: readonly StoredLayer[]): Promise<ReadConfig<T>> {
    const { defaults, defaultValue } = this.setting;
    const decoded = await Promise.all(stored.map((layer) => this.#layer(layer)));
    const isStored = decoded.some(({ value }) => value !== undefined);
    if (!isStored && defaults === undefined) return new ReadConfig(frozenCopy(defaultValue), false, []);
    if (defaults !== undefined) decoded.unshift({ layer: 'defaults', value: defaults, pathOf: () => undefined });
    const value = this.#resolved(this.#merged(decoded), decoded);
    const good = await this.#validated(value, decoded, this.#secretsIn(stored));
    return new ReadConfig(frozenCopy(good), isStored, decoded);
  }

  /** What says whether a value would be taken that is stored. */
  asSchema<Stored>(): ConfigSchema<Stored> {
    const validate = async (value: unknown): Promise<SchemaResult<Stored>> => {
      try {
        await this.#check(value);
        return { value: value as Stored };
      } catch (error) {
        if (!(error instanceof InvalidConfigError) || error.reason === 'schemaFailed') throw error;
        return { issues: error.issues.length > 0 ? error.issues : [{ message: error.message }] };
      }
    };
    return { '~standard': { version: 1, vendor: 'zookit', validate } };
  }

  async #check(value: unknown): Promise<void> {
    const { defaults } = this.setting;
    const decoded: DecodedLayer[] = [{ layer: this.path, value, pathOf: () => this.path }];
    if (defaults !== undefined) decoded.unshift({ layer: 'defaults', value: defaults, pathOf: () => undefined });
    await this.#validated(this.#resolved(this.#merged(decoded), decoded), decoded, new Set());
  }

  #merged(decoded: readonly DecodedLayer[]): unknown {
    const copies = decoded.map((layer) => {
      try {
        return plainCopy(layer.value);
      } catch (error) {
        if (!(error instanceof UnfitValueError)) throw error;
        throw this.#invalid(error.message, error.reason, [layer], error.keys);
      }
    });
    // One layer is as it stands, with null for null.
    if (copies.length === 1) return copies[0];
    return mergeLayers(copies.filter((copy) => copy !== undefined));
  }

  #resolved(value: unknown, decoded: readonly DecodedLayer[]): unknown {
    const { environment } = this.setting;
    if (environment === undefined) return value;
    try {
      return resolvePlaceholders(value, environment);
    } catch (error) {
      if (!(error instanceof PlaceholderError)) throw error;
      throw this.#invalid(error.message, error.reason, decoded, error.keys);
    }
  }

  /** What was encrypted: not to be shown. */
  #secretsIn(stored: readonly StoredLayer[]): ReadonlySet<unknown> {
    const revealed = stored.flatMap(({ znodes }) => znodes.map((znode) => this.#decoded.get(znode)));
    return secretsIn(revealed.filter((each) => each !== undefined));
  }

  async #validated(value: unknown, decoded: readonly DecodedLayer[], secrets: ReadonlySet<unknown>): Promise<T> {
    const { schema } = this.setting;
    if (schema === undefined) return value as T;
    let result: SchemaResult<T>;
    try {
      result = await schema['~standard'].validate(value);
    } catch (cause) {
      const context = secrets.size === 0 ? { path: this.path, cause } : { path: this.path };
      throw new InvalidConfigError('its schema threw an error', context, 'schemaFailed');
    }
    if (result.issues === undefined) return result.value;
    const issues = issuesToShow(result.issues, secrets);
    const keys = issues[0] === undefined ? [] : keysOf(issues[0]);
    const path = this.#pathOf(decoded, keys);
    const problem = `the value is not valid: ${issues.map(describeIssue).join('; ')}`;
    throw new InvalidConfigError(problem, { path }, 'schema', keys.join('.'), issues);
  }

  #invalid(
    problem: string,
    reason: InvalidConfigError['reason'],
    decoded: readonly DecodedLayer[],
    keys: readonly string[],
  ): InvalidConfigError {
    const where = keys.length === 0 ? '' : `${keys.join('.')}: `;
    return new InvalidConfigError(where + problem, { path: this.#pathOf(decoded, keys) }, reason, keys.join('.'));
  }

  /** The znode that is to be mended: the one of the place, or of what is above it. */
  #pathOf(decoded: readonly DecodedLayer[], keys: readonly string[]): string {
    // Of several layers, none is the one that has the value as a whole.
    const least = decoded.length === 1 ? 0 : 1;
    for (let length = keys.length; length >= least; length--) {
      const origin = originIn(decoded, keys.slice(0, length));
      if (origin?.path !== undefined) return origin.path;
    }
    return this.path;
  }

  async #layer({ name, path, znodes }: StoredLayer): Promise<DecodedLayer> {
    const [root] = znodes;
    if (root === undefined) return { layer: name, value: undefined, pathOf: () => undefined };
    if (this.setting.shape === 'value') return { layer: name, value: await this.#decode(root), pathOf: () => path };
    const parents = new Set(znodes.filter((znode) => znode !== root).map((znode) => parentOf(znode.path)));
    const values = new Map<string, unknown>();
    const decoding = znodes.map(async (znode) => {
      // Null is nothing, and neither are no bytes above others: so stand znodes that are there for those below them.
      const isFolder = znode.isNull || (znode.data.length === 0 && parents.has(znode.path));
      if (!isFolder) values.set(znode.path, await this.#decode(znode));
    });
    await Promise.all(decoding);
    const shape = new TreeShape(path, this.setting.choose, { operation: 'LiveConfig', path });
    const paths = znodes.map((znode) => znode.path);
    const places = shape.placesOf(paths);
    return { layer: name, value: shape.join(paths, values), pathOf: (keys) => nearest(places, keys) };
  }

  async #decode(znode: StoredZNode): Promise<unknown> {
    const known = this.#decoded.get(znode);
    if (known !== undefined) return known.value;
    const { path, data } = znode;
    const { choose } = this.setting;
    const { decoder } = choose(nameOf(path));
    let value: unknown;
    try {
      value = await decoder.decode(data, path);
    } catch (cause) {
      throw new InvalidConfigError(`the data is no ${decoder.name}`, { path, cause }, 'undecodable');
    }
    const revealed = await this.#reveal(value, path);
    this.#decoded.set(znode, revealed);
    return revealed.value;
  }

  async #reveal(value: unknown, path: string): Promise<RevealedValue> {
    const { cipher, absolute } = this.setting;
    if (cipher === undefined) return { stored: value, value, texts: new Map() };
    try {
      return await revealValue(plainCopy(value), cipher, absolute(path));
    } catch (cause) {
      if (cause instanceof UnfitValueError) throw new InvalidConfigError(cause.message, { path }, cause.reason);
      const keyPath = cause instanceof DecryptionError ? cause.keyPath : undefined;
      throw new InvalidConfigError('a value cannot be decrypted', { path, cause }, 'undecodable', keyPath);
    }
  }
}

function originIn(layers: readonly DecodedLayer[], keys: readonly string[]): ConfigOrigin | undefined {
  for (const { layer, value, pathOf } of layers.toReversed()) {
    if (value === undefined) continue;
    const found = valueAt(value, keys);
    if (found === null && layers.length > 1) return undefined;
    if (found !== undefined) return { layer, path: pathOf(keys) };
    if (hides(value, keys)) return undefined;
  }
  return undefined;
}

/** Whether something stands above the place in this layer that leaves nothing of what earlier layers say there. */
function hides(value: unknown, keys: readonly string[]): boolean {
  for (let length = keys.length - 1; length >= 0; length--) {
    const above = valueAt(value, keys.slice(0, length));
    if (above !== undefined) return !isPlainObject(above);
  }
  return false;
}

/** The znode of a place, or of the nearest place above it. */
function nearest(places: ReadonlyMap<string, string>, keys: readonly string[]): string | undefined {
  for (let length = keys.length; length >= 0; length--) {
    const path = places.get(JSON.stringify(keys.slice(0, length)));
    if (path !== undefined) return path;
  }
  return undefined;
}
