import { type Acl, type Transaction, type ZNode, type ZooKeeper } from 'zookit';
import type { OptionSubject } from '../common/options.js';
import type { Wait } from '../common/waiting.js';
import { ConfigContent, NOTHING, validate } from './config-content.js';
import type { ConfigDraft, ConfigPlan, FormerContent, PreparedPlan } from './config-target.js';
import { ValueTooLargeError } from './config-update.js';
import type { DecoderChoice } from './decoders.js';
import type { ConfigCodec } from './encoders.js';
import type { ValueCipher } from './encryption.js';
import { InvalidConfigError } from './errors.js';
import { differencesOf, plainCopy } from './plain-values.js';
import type { ConfigSchema } from './schema.js';
import { type RevealedValue, secretsIn } from './secrets.js';
import { bytesOf, decodeTree, encodeTree, isSame, type TreeBytes, type TreeZNode } from './tree-bytes.js';
import { TreeShape } from './tree-values.js';
import { formerOf, type LogState } from './update-log.js';
import { ensureParent } from './value-target.js';

/** How a configuration in a tree is written. */
export interface TreeRule {
  readonly codecOf: (path: string) => ConfigCodec;
  readonly choose: DecoderChoice;
  readonly cipher: ValueCipher | undefined;
  readonly schema: ConfigSchema<unknown> | undefined;
  /** The most bytes for one transaction. */
  readonly limit: number;
}

const NO_BYTES = Buffer.alloc(0);

/** What a transaction has for a step beside data and path, bytes, at the most. */
const STEP_BYTES = 128;

/** Makes one value of the bytes in a tree. */
export class TreeReader {
  readonly shape: TreeShape;

  constructor(
    private readonly zk: ZooKeeper,
    private readonly rule: TreeRule,
    private readonly subject: OptionSubject,
  ) {
    this.shape = new TreeShape(subject.path, rule.choose, subject);
  }

  /** What reads and writes a znode of the tree. */
  contentOf(path: string): ConfigContent {
    const { codecOf, cipher } = this.rule;
    return new ConfigContent(this.zk, { codec: codecOf(path), cipher }, { ...this.subject, path });
  }

  /** The values of the znodes that are no folders. @throws InvalidConfigError, DecryptionError, unless `lenient`. */
  async read(tree: TreeBytes, lenient = false): Promise<Map<string, RevealedValue>> {
    const read = [...tree].map(async ([path, bytes]): Promise<[string, RevealedValue][]> => {
      if (bytes === null) return [];
      const content = this.contentOf(path);
      return [[path, await (lenient ? content.tryRead(bytes) : content.read(bytes))]];
    });
    return new Map((await Promise.all(read)).flat());
  }

  /** The object that the znodes stand for. @throws InvalidConfigError. */
  valueOf(paths: Iterable<string>, values: ReadonlyMap<string, RevealedValue>): unknown {
    return this.shape.join(paths, new Map(Array.from(values, ([path, { value }]) => [path, value])));
  }

  /** As {@link valueOf}, with the encrypted texts as they are. */
  storedOf(paths: Iterable<string>, values: ReadonlyMap<string, RevealedValue>): unknown {
    return this.shape.join(paths, new Map(Array.from(values, ([path, { stored }]) => [path, stored])));
  }
}

/** A tree as it was read, for one try of an update. */
export class TreeDraft implements ConfigDraft {
  readonly #reader: TreeReader;
  readonly #current: TreeBytes;

  constructor(
    private readonly zk: ZooKeeper,
    private readonly rule: TreeRule,
    private readonly znodes: ReadonlyMap<string, TreeZNode>,
    readonly log: LogState,
    private readonly subject: OptionSubject,
  ) {
    this.#reader = new TreeReader(zk, rule, subject);
    this.#current = bytesOf(znodes);
  }

  get version(): number | undefined {
    return this.#root?.stat.version;
  }

  get former(): FormerContent {
    const root = this.#root;
    if (root === undefined) return { version: null, body: NO_BYTES, generation: undefined };
    const body = encodeTree(this.subject.path, this.#current);
    return { version: formerOf(root.stat, false), body, generation: undefined };
  }

  async value(): Promise<unknown> {
    return plainCopy(this.#reader.valueOf(this.#current.keys(), await this.#reader.read(this.#current)));
  }

  async plan(next: unknown, renew: boolean): Promise<ConfigPlan> {
    const before = await this.#reader.read(this.#current, true);
    const folders = new Set([...this.#current].filter(([, bytes]) => bytes === null).map(([path]) => path));
    const wanted = this.#reader.shape.split(next, folders, new Set(before.keys()));
    const secrets = secretsIn(before.values());
    const tree = new Map<string, Buffer | null>();
    for (const [path, value] of wanted) {
      const own = before.get(path) ?? NOTHING;
      const { bytes, stored } =
        value === undefined
          ? { bytes: null, stored: undefined }
          : await this.#reader.contentOf(path).write(value, own, secrets, renew);
      // A znode whose value is the same keeps its bytes, however they are laid out.
      const isSame = bytes !== null && own !== NOTHING && differencesOf(own.stored, stored).length === 0;
      tree.set(path, isSame ? (this.#current.get(path) ?? bytes) : bytes);
    }
    return await this.#planTo(tree, before);
  }

  async planFormer(bytes: Buffer): Promise<ConfigPlan> {
    return await this.#planTo(decodeTree(this.subject.path, bytes), await this.#reader.read(this.#current, true));
  }

  get #root(): ZNode | undefined {
    return this.znodes.get(this.subject.path)?.node;
  }

  async #planTo(tree: TreeBytes, before: ReadonlyMap<string, RevealedValue>): Promise<ConfigPlan> {
    const reader = this.#reader;
    const next = await reader.read(tree);
    const after = reader.valueOf(tree.keys(), next);
    await validate(this.rule.schema, after, secretsIn(next.values()), this.subject);
    const znodes = this.#changesTo(tree);
    return {
      before: unlessInvalid(() => reader.valueOf(this.#current.keys(), before)),
      after,
      diff: differencesOf(
        unlessInvalid(() => reader.storedOf(this.#current.keys(), before)),
        reader.storedOf(tree.keys(), next),
      ),
      znodes,
      checkSize: () => this.#checkSize(znodes),
      prepare: (acl, wait) => this.#prepare(tree, znodes, acl, wait),
    };
  }

  #changesTo(tree: TreeBytes): Map<string, Buffer | null> {
    const changes = new Map<string, Buffer | null>();
    for (const [path, bytes] of tree) if (!isSame(this.#current.get(path), bytes)) changes.set(path, bytes ?? NO_BYTES);
    for (const path of this.#current.keys()) if (!tree.has(path)) changes.set(path, null);
    return changes;
  }

  #checkSize(znodes: ReadonlyMap<string, Buffer | null>): void {
    const size = this.#sizeOf(znodes);
    const { limit } = this.rule;
    if (size <= limit) return;
    throw new ValueTooLargeError(
      this.subject,
      size,
      limit,
      'what is written in one transaction has to fit into one request',
    );
  }

  #sizeOf(znodes: ReadonlyMap<string, Buffer | null>): number {
    const paths = new Set([...znodes.keys(), ...this.znodes.keys()]);
    const steps = [...paths].reduce((sum, path) => sum + Buffer.byteLength(path) + STEP_BYTES, 0);
    const root = this.#root?.data.length ?? 0;
    return [...znodes.values()].reduce((sum, bytes) => sum + (bytes?.length ?? 0), steps + root);
  }

  async #prepare(
    tree: TreeBytes,
    znodes: ReadonlyMap<string, Buffer | null>,
    acl: readonly Acl[] | undefined,
    wait: Wait,
  ): Promise<PreparedPlan> {
    if (this.#root === undefined) await ensureParent(this.zk, this.subject.path, wait);
    return {
      parts: undefined,
      size: this.#sizeOf(znodes),
      add: (transaction) => this.#add(transaction, tree, znodes, acl),
    };
  }

  /** The root comes first, and is written in any case: by its version, two who write at once notice each other. */
  #add(
    transaction: Transaction<readonly unknown[]>,
    tree: TreeBytes,
    znodes: ReadonlyMap<string, Buffer | null>,
    acl: readonly Acl[] | undefined,
  ): void {
    const { path: root } = this.subject;
    const paths = [...new Set([...tree.keys(), ...this.znodes.keys()])].sort();
    for (const path of [root, ...paths.filter((each) => each !== root)]) {
      const known = this.znodes.get(path)?.node;
      if (!tree.has(path)) continue;
      const isChanged = znodes.has(path);
      const data = isChanged || known === undefined ? (tree.get(path) ?? null) : known.isNull ? null : known.data;
      if (known === undefined) transaction.create(path, data, { acl });
      else if (isChanged || path === root) transaction.setData(path, data, known.stat.version);
      else transaction.check(path, known.stat.version);
    }
    for (const path of paths.reverse()) {
      const known = this.znodes.get(path)?.node;
      if (known !== undefined && !tree.has(path)) transaction.delete(path, known.stat.version);
    }
  }
}

/** What stands there may be no value: then there is none. */
function unlessInvalid(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    if (error instanceof InvalidConfigError) return undefined;
    throw error;
  }
}
