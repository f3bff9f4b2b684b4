import { randomBytes } from 'node:crypto';
import type { Acl, Transaction, ZooKeeper } from 'zookit';
import type { OptionSubject } from '../common/options.js';
import type { Wait } from '../common/waiting.js';
import type { ConfigDraft, ConfigPlan, FormerContent, PreparedPlan } from './config-target.js';
import { encodeManifest } from './stored-value.js';
import { commitUpdate } from './update-commit.js';
import { addToLog, generationOf, type LogRecord, type NewEntry, prunedOf } from './update-log.js';
import { type DraftParts, sweepParts, writeParts } from './value-parts.js';

/** How updates are written. */
export interface WritingRule {
  /** How many former versions are kept. */
  readonly history: number;
  /** The most bytes for one request. */
  readonly limit: number;
  readonly split: boolean;
  readonly acl: readonly Acl[] | undefined;
  readonly author: string | undefined;
  readonly comment: string | undefined;
}

/** Writes one try of an update, with all that belongs to it. */
export class UpdateWriter {
  readonly #id = randomBytes(8).toString('hex');
  /** Written, and named by nothing before the transaction. */
  readonly #parts: DraftParts[] = [];

  constructor(
    private readonly zk: ZooKeeper,
    private readonly draft: ConfigDraft,
    private readonly rule: WritingRule,
    private readonly subject: OptionSubject,
    private readonly wait: Wait,
  ) {}

  /** The id of the update; undefined if it was not made, because somebody else was faster. */
  async write(plan: ConfigPlan): Promise<string | undefined> {
    let made = false;
    try {
      made = await this.#write(plan);
    } finally {
      // What was named after all is not deleted by it.
      if (!made) for (const parts of this.#parts) parts.discard();
    }
    return made ? this.#id : undefined;
  }

  async #write(plan: ConfigPlan): Promise<boolean> {
    const { zk, draft, rule, wait } = this;
    const prepared = await plan.prepare(rule.acl, wait);
    if (prepared === undefined) return false;
    if (prepared.parts !== undefined) this.#parts.push(prepared.parts);
    const former = await this.#formerBeside(prepared);
    if (former === undefined) return false;
    const entry = rule.history === 0 ? undefined : { ...former, record: this.#record() };
    const add = (transaction: Transaction<readonly unknown[]>): void => {
      prepared.add(transaction);
      addToLog(transaction, draft.log, this.#id, entry, rule.history, rule.acl);
      for (const { marker } of this.#parts) transaction.delete(marker);
    };
    const { path } = this.subject;
    if (!(await commitUpdate(zk, { path, id: this.#id, log: draft.log, add }, wait))) return false;
    await this.#sweep(prepared, entry);
    return true;
  }

  #record(): LogRecord {
    const { draft, rule } = this;
    const { author = null, comment = null } = rule;
    return { id: this.#id, version: this.#version, author, comment, former: draft.former.version };
  }

  get #version(): number {
    return ((this.draft.version ?? -1) + 1) | 0;
  }

  /** The former version as the history is to have it: in parts, where it and the new one are too much for one request. */
  async #formerBeside({ size }: PreparedPlan): Promise<Omit<FormerContent, 'version'> | undefined> {
    const { zk, draft, rule, wait } = this;
    const { body, generation } = draft.former;
    if (rule.history === 0 || size + body.length <= rule.limit) return { body, generation };
    const parts = await writeParts(zk, this.subject.path, body, rule, wait);
    if (parts === undefined) return undefined;
    this.#parts.push(parts);
    return { body: encodeManifest(parts.manifest), generation: parts.manifest.generation };
  }

  /** Parts that nothing names any more, of this update or of a writer that crashed. What cannot be done now, a later writer does. */
  async #sweep(prepared: PreparedPlan, entry: NewEntry | undefined): Promise<void> {
    const { zk, draft, rule, wait } = this;
    const pruned = prunedOf(draft.log, rule.history);
    const former = draft.former.generation;
    const isFreed = pruned.some((name) => generationOf(name) !== undefined);
    if (!isFreed && !rule.split && (former === undefined || former === entry?.generation)) return;
    const kept = draft.log.entries.filter((name) => !pruned.includes(name)).map(generationOf);
    const needed = [...kept, entry?.generation, prepared.parts?.manifest.generation];
    try {
      const generations = new Set(needed.filter((each) => each !== undefined));
      await sweepParts(zk, this.subject.path, this.#version, generations, wait);
    } catch {
      // The update is made.
    }
  }
}
