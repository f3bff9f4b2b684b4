import { type Acl, BadVersionError, parentOf, type ZNode, type ZooKeeper } from 'zookit';
import type { OptionSubject } from '../common/options.js';
import type { Wait } from '../common/waiting.js';
import { ConfigContent, type ContentRule, NOTHING, validate } from './config-content.js';
import type { ConfigDraft, ConfigPlan, ConfigTarget, FormerContent, PreparedPlan } from './config-target.js';
import { ValueTooLargeError } from './config-update.js';
import { differencesOf, plainCopy } from './plain-values.js';
import type { ConfigSchema } from './schema.js';
import { type RevealedValue, secretsIn } from './secrets.js';
import { generationIn, readState, type StoredState } from './stored-state.js';
import { encodeManifest, isManifest } from './stored-value.js';
import { formerOf } from './update-log.js';
import { untilDone, writeParts } from './value-parts.js';

/** How a configuration in one znode is written. */
export interface ValueRule extends ContentRule {
  /** The most bytes for one znode. */
  readonly limit: number;
  readonly schema: ConfigSchema<unknown> | undefined;
  /** Whether larger values are written in parts. */
  readonly split: boolean;
}

/** The version that a server takes for any: what has it cannot be written on condition. */
const ANY_VERSION = -1;

const NO_BYTES = Buffer.alloc(0);

/** A configuration in one znode. */
export class ValueTarget implements ConfigTarget {
  constructor(
    private readonly zk: ZooKeeper,
    private readonly rule: ValueRule,
  ) {}

  async open(subject: OptionSubject, wait: Wait): Promise<ConfigDraft> {
    const state = await readState(this.zk, subject.path, wait);
    if (state.node?.stat.version === ANY_VERSION) {
      const problem = 'the version has come to -1, which stands for any: no condition can be put on it';
      throw new BadVersionError(`${problem}; write to the znode once while nobody else does`, subject);
    }
    return new ValueDraft(this.zk, this.rule, state, subject);
  }

  current(node: ZNode | undefined): Promise<Buffer | undefined> {
    return Promise.resolve(node === undefined || node.isNull ? undefined : node.data);
  }

  async valueOf(bytes: Buffer, subject: OptionSubject): Promise<unknown> {
    return (await new ConfigContent(this.zk, this.rule, subject).read(bytes)).value;
  }
}

class ValueDraft implements ConfigDraft {
  readonly #content: ConfigContent;

  constructor(
    private readonly zk: ZooKeeper,
    private readonly rule: ValueRule,
    private readonly state: StoredState,
    private readonly subject: OptionSubject,
  ) {
    this.#content = new ConfigContent(zk, rule, subject);
  }

  get log(): StoredState['log'] {
    return this.state.log;
  }

  get version(): number | undefined {
    return this.state.node?.stat.version;
  }

  get former(): FormerContent {
    const { node } = this.state;
    if (node === undefined) return { version: null, body: NO_BYTES, generation: undefined };
    return { version: formerOf(node.stat, node.isNull), body: node.data, generation: generationIn(node.data) };
  }

  async value(): Promise<unknown> {
    const { damage, bytes } = this.state;
    if (damage !== undefined) throw damage;
    return bytes === undefined ? undefined : plainCopy((await this.#content.read(bytes)).value);
  }

  async plan(next: unknown, renew: boolean): Promise<ConfigPlan> {
    const before = await this.#before();
    const { bytes } = await this.#content.write(next, before, secretsIn([before]), renew);
    return await this.#planOf(before, bytes);
  }

  async planFormer(bytes: Buffer): Promise<ConfigPlan> {
    return await this.#planOf(await this.#before(), bytes);
  }

  async #before(): Promise<RevealedValue> {
    const { bytes } = this.state;
    return bytes === undefined ? NOTHING : await this.#content.tryRead(bytes);
  }

  async #planOf(before: RevealedValue, bytes: Buffer): Promise<ConfigPlan> {
    // What counts is what readers will see.
    const next = await this.#content.read(bytes);
    await validate(this.rule.schema, next.value, secretsIn([next]), this.subject);
    const diff = differencesOf(before.stored, next.stored);
    return {
      before: before.value,
      after: next.value,
      diff,
      znodes: new Map(diff.length === 0 ? [] : [[this.subject.path, bytes]]),
      checkSize: () => this.#checkSize(bytes),
      prepare: (acl, wait) => this.#prepare(bytes, acl, wait),
    };
  }

  #checkSize(bytes: Buffer): void {
    const { limit, split } = this.rule;
    if (bytes.length <= limit || split) return;
    throw new ValueTooLargeError(
      this.subject,
      bytes.length,
      limit,
      'with the option split it is written in parts; readers must know of them',
    );
  }

  async #prepare(bytes: Buffer, acl: readonly Acl[] | undefined, wait: Wait): Promise<PreparedPlan | undefined> {
    const { zk, subject, rule } = this;
    const { path } = subject;
    const isLarge = bytes.length > rule.limit;
    // Nobody is to take a value for a manifest.
    const inParts = isLarge || isManifest(bytes);
    const parts = inParts ? await writeParts(zk, path, bytes, { limit: rule.limit, acl }, wait) : undefined;
    if (inParts && parts === undefined) return undefined;
    const data = parts === undefined ? bytes : encodeManifest(parts.manifest);
    const { version } = this;
    if (version === undefined) await ensureParent(zk, path, wait);
    return {
      parts,
      size: data.length,
      add: (transaction) => {
        if (version === undefined) transaction.create(path, data, { acl });
        else transaction.setData(path, data, version);
      },
    };
  }
}

/** Sees to it that a znode can be created. */
export async function ensureParent(zk: ZooKeeper, path: string, wait: Wait): Promise<void> {
  const parent = parentOf(path);
  if (parent !== '/') await untilDone(zk, wait, () => zk.ensurePath(parent, 'persistent', { signal: wait.signal }));
}
