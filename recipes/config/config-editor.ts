import { type Acl, checkPath, InvalidArgumentError, Long, type WaitOptions, type ZooKeeper } from 'zookit';
import type { OptionSubject } from '../common/options.js';
import { after, defer, now, Wait } from '../common/waiting.js';
import { ContentionError } from '../values/errors.js';
import { type ConfigEditorOptions, type EditorSetting, settingOf } from './config-editor-options.js';
import { type ConfigVersion, historyOf, type HistoryItem } from './config-history.js';
import type { ConfigDraft, ConfigPlan } from './config-target.js';
import { checkUpdate, type ConfigUpdate, type ConfigUpdateOptions, VersionNotKeptError } from './config-update.js';
import { setAclOfAll } from './editor-acl.js';
import { type ConfigRefusal, readRefusals } from './refusals.js';
import { readHistory } from './stored-state.js';
import { DamagedValueError, decodeManifest, wholeOf } from './stored-value.js';
import { UpdateWriter } from './update-writer.js';
import { untilDone } from './value-parts.js';

/** A version of the history with its value. */
export interface ConfigVersionValue<T> extends ConfigVersion {
  readonly value: T;
}

/** Which version is meant: the newest that has the number, or the one of a transaction. */
export type VersionReference = number | Long;

/** Makes the plan of one try; undefined: nothing is to change. */
type MakePlan = (draft: ConfigDraft, subject: OptionSubject, wait: Wait) => Promise<ConfigPlan | undefined>;

/**
 * Writes a configuration: each update is made of the newest value, checked before it is written, and none is lost. What
 * it has replaced is kept, with who did it and why.
 *
 * Znodes:
 *
 * - `PATH`: the value, or the manifest of its parts; with `shape: 'tree'` the root of a tree of values.
 * - `PATH-__history__`: ids of the last updates, and below it the last versions.
 * - `PATH-__parts__`: the parts of what does not fit into one znode, a generation for each value.
 *
 * - An update is one transaction on condition of what was read, history included: all of it or nothing. Over a lost
 *   connection and in a new session it goes on, and finds out whether it was made, by the ids; it is made at most once.
 * - No session owns anything that stays: an expiry changes nothing.
 */
export class ConfigEditor<T = unknown> {
  readonly #setting: EditorSetting;
  #acl: readonly Acl[] | undefined;

  /** @throws InvalidPathError, InvalidArgumentError. Does not connect. */
  constructor(
    private readonly zk: ZooKeeper,
    readonly path: string,
    options: ConfigEditorOptions<T> = {},
  ) {
    checkPath(path, 'ConfigEditor');
    const subject = { operation: 'ConfigEditor', path };
    if (path === '/') throw new InvalidArgumentError('there is no place beside the root for a history', subject);
    this.#setting = settingOf(zk, options, subject);
    this.#acl = this.#setting.acl;
  }

  /**
   * Makes the new value of the old one. `change` gets a copy, or undefined where there is no value; it is called again
   * when somebody else was faster. What it gives is checked by the schema and written, unless it is undefined or makes no
   * difference. What was encrypted stays so; {@link encrypt} marks what is to be. Two round trips where nobody else
   * writes.
   *
   * @throws InvalidConfigError, DecryptionError, DamagedValueError if the old or the new value is not good: nothing was
   * written. ValueTooLargeError; ContentionError when others were faster as often as `retry` allows; NoAuthError, with the
   * path of the znode that may not be written; OperationTimeoutError and AbortedError, which say `mayHaveBeenApplied`;
   * what `change` throws.
   */
  async update(
    change: (before: T | undefined) => T | undefined | Promise<T | undefined>,
    options: ConfigUpdateOptions = {},
  ): Promise<ConfigUpdate<T>> {
    if (typeof change !== 'function')
      throw new InvalidArgumentError('change must be a function', this.#subject('update'));
    return await this.#edit('update', options, async (draft) => {
      const next = await change((await draft.value()) as T | undefined);
      return next === undefined ? undefined : await draft.plan(next, false);
    });
  }

  /** Writes a value whatever stands there, also in the place of one that is not good. Throws as {@link update} does. */
  async set(value: T, options: ConfigUpdateOptions = {}): Promise<ConfigUpdate<T>> {
    return await this.#edit('set', options, (draft) => draft.plan(value, false));
  }

  /**
   * Encrypts anew what is encrypted with another key than the one in use. Former versions keep their texts, so the old
   * key is needed as long as they are. Throws as {@link update} does.
   */
  async reencrypt(options: ConfigUpdateOptions = {}): Promise<ConfigUpdate<T>> {
    return await this.#edit('reencrypt', options, async (draft) => {
      const value = await draft.value();
      return value === undefined ? undefined : await draft.plan(value, true);
    });
  }

  /**
   * Writes the value of a former version again, as a new one. It must be one that the schema takes now.
   *
   * @throws VersionNotKeptError if the history does not have it; and as {@link update} does.
   */
  async rollback(version: VersionReference, options: ConfigUpdateOptions = {}): Promise<ConfigUpdate<T>> {
    const { comment = `rollback to version ${String(version)}`, ...others } = options;
    checkVersion(version, this.#subject('rollback'));
    let bytes: Buffer | undefined;
    return await this.#edit('rollback', { ...others, comment }, async (draft, subject, wait) => {
      // What the number stands for at first is meant, whatever others write meanwhile.
      bytes ??= await this.#bytesOf(await this.#find(version, subject, wait), subject, wait);
      return await draft.planFormer(bytes);
    });
  }

  /**
   * The versions that are known of, the newest first. Those that others have written without an editor are among them as
   * far as anything is known of them; `missing` tells where there were more.
   *
   * @throws OperationTimeoutError, AbortedError; NoAuthError.
   */
  async history(options: WaitOptions = {}): Promise<ConfigVersion[]> {
    using wait = new Wait(options, this.#subject('history'));
    return (await this.#items(wait)).map(({ version }) => version);
  }

  /**
   * A version of the history with its value.
   *
   * @throws VersionNotKeptError; InvalidConfigError if it cannot be decoded; DecryptionError; DamagedValueError;
   * OperationTimeoutError, AbortedError; NoAuthError.
   */
  async at(version: VersionReference, options: WaitOptions = {}): Promise<ConfigVersionValue<T>> {
    const subject = this.#subject('at');
    checkVersion(version, subject);
    using wait = new Wait(options, subject);
    const item = await this.#find(version, subject, wait);
    const value = await this.#setting.target.valueOf(await this.#bytesOf(item, subject, wait), subject);
    return { ...item.version, value: value as T };
  }

  /**
   * Who does not take the version that stands there now, of those who report it by a {@link RefusalReport}. Give readers
   * a moment after an update.
   *
   * @throws OperationTimeoutError, AbortedError; NoAuthError.
   */
  async refusals(options: WaitOptions = {}): Promise<ConfigRefusal[]> {
    using wait = new Wait(options, this.#subject('refusals'));
    return await readRefusals(this.zk, this.path, wait);
  }

  /**
   * Sets the ACL of the configuration, its history and its parts, and of what this editor creates from now on. Not
   * atomic: done again, it goes on where it has failed.
   *
   * @throws NoAuthError, InvalidAclError; OperationTimeoutError, AbortedError.
   */
  async setAcl(acl: readonly Acl[], options: WaitOptions = {}): Promise<void> {
    using wait = new Wait(options, this.#subject('setAcl'));
    await setAclOfAll(this.zk, this.path, this.#setting.shape, acl, wait);
    this.#acl = acl;
  }

  async #edit(method: string, options: ConfigUpdateOptions, make: MakePlan): Promise<ConfigUpdate<T>> {
    const subject = this.#subject(method);
    checkUpdate(options, subject);
    const { timeout, signal, author = this.#setting.author, comment, dryRun } = options;
    using wait = new Wait({ timeout, signal }, subject);
    const begin = now();
    for (let tries = 1; ; tries++) {
      const draft = await this.#setting.target.open(subject, wait);
      const plan = await wait.race(make(draft, subject, wait));
      const idle = plan === undefined || plan.znodes.size === 0;
      if (!idle) plan.checkSize();
      if (idle || dryRun === true) return await unwritten<T>(draft, plan, tries);
      const rule = { ...this.#setting, acl: this.#acl, author, comment };
      const id = await new UpdateWriter(this.zk, draft, rule, subject, wait).write(plan);
      if (id !== undefined)
        return { ...outcomeOf<T>(plan), written: true, version: ((draft.version ?? -1) + 1) | 0, id, tries };
      const error = new ContentionError('somebody else was faster', subject);
      const pause = this.#setting.retry({ attempt: tries, elapsed: now() - begin, error });
      if (pause === undefined) throw new ContentionError(`others were faster ${tries} times`, subject);
      await sleep(pause, wait);
    }
  }

  async #items(wait: Wait): Promise<HistoryItem[]> {
    const { node, entries } = await readHistory(this.zk, this.path, wait);
    const current = await this.#setting.target.current(node, this.path, wait);
    return historyOf(node === undefined ? undefined : { stat: node.stat, body: current }, entries);
  }

  async #find(version: VersionReference, subject: OptionSubject, wait: Wait): Promise<HistoryItem> {
    const isIt = ({ version: each }: HistoryItem): boolean =>
      typeof version === 'number' ? each.version === version : each.zxid.equals(version);
    const item = (await this.#items(wait)).find(isIt);
    if (item !== undefined) return item;
    throw new VersionNotKeptError(`the history has no version ${String(version)}`, subject);
  }

  async #bytesOf({ body, version }: HistoryItem, subject: OptionSubject, wait: Wait): Promise<Buffer> {
    if (body === undefined)
      throw new VersionNotKeptError(`the value of version ${version.version} is not kept`, subject);
    const manifest = decodeManifest(body, subject);
    if (manifest === undefined) return body;
    const whole = await untilDone(this.zk, wait, () => wholeOf(this.zk, this.path, manifest, wait.signal));
    if (typeof whole !== 'string') return whole;
    throw new DamagedValueError(`version ${version.version} is in ${manifest.parts} parts, and ${whole}`, subject);
  }

  #subject(method: string): OptionSubject {
    return { operation: `ConfigEditor.${method}`, path: this.path };
  }
}

function checkVersion(version: VersionReference, subject: OptionSubject): void {
  if (Number.isInteger(version) || Long.isLong(version)) return;
  throw new InvalidArgumentError(
    `the version is ${String(version)}; it must be a number, or a zxid as a Long`,
    subject,
  );
}

/** What came of an update that has written nothing. */
async function unwritten<T>(draft: ConfigDraft, plan: ConfigPlan | undefined, tries: number): Promise<ConfigUpdate<T>> {
  const result = { written: false, version: draft.version, id: undefined, tries } as const;
  if (plan !== undefined) return { ...outcomeOf<T>(plan), ...result };
  const value = (await draft.value()) as T;
  return { before: value, after: value, diff: [], znodes: new Map(), ...result };
}

function outcomeOf<T>({
  before,
  after,
  diff,
  znodes,
}: ConfigPlan): Pick<ConfigUpdate<T>, 'before' | 'after' | 'diff' | 'znodes'> {
  return { before: before as T | undefined, after: after as T, diff, znodes };
}

async function sleep(milliseconds: number, wait: Wait): Promise<void> {
  const over = defer();
  const stop = after(milliseconds, () => over.resolve());
  try {
    await wait.race(over.promise);
  } finally {
    stop();
  }
}
