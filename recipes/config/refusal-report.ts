import { type Acl, checkPath, childPath, InvalidArgumentError, type ZooKeeper } from 'zookit';
import { checkNames } from '../common/options.js';
import { PersistentNode } from '../members/persistent-node.js';
import type { InvalidConfigError } from './errors.js';
import type { LiveConfig } from './live-config.js';
import { encodeRefusal } from './refusals.js';
import { REFUSALS_SUFFIX } from './stored-value.js';

/** How refusals are reported. */
export interface RefusalReportOptions {
  /** Who reports, for people to read: a name of a znode, of its own for each process. */
  readonly id: string;
  /** The ACL of the report. Default: that of the client. */
  readonly acl?: readonly Acl[] | undefined;
  /** Told why there can be no report, such as NoAuthError. Default: the process is warned. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

/**
 * Tells writers of a configuration when a reader does not take the version that stands there, until it takes one:
 * `editor.refusals()` shows who, why and where. What the value is, is not told: it may be secret.
 *
 * Znode: `PATH-__refused__/<id>`, ephemeral, only as long as the version that stands there is refused.
 *
 * - While disconnected: the report stands as long as the session lives.
 * - After an expiry: it is gone until the new session has made it again.
 */
export class RefusalReport implements AsyncDisposable {
  readonly #path: string;
  /** The report, while there is one. */
  #node: PersistentNode | undefined;
  /** What is told by it. */
  #told: InvalidConfigError | undefined;
  #work: Promise<void> = Promise.resolve();
  #isClosed = false;

  /** Begins to report. @throws InvalidArgumentError, InvalidPathError. */
  constructor(
    private readonly zk: ZooKeeper,
    private readonly config: LiveConfig<unknown>,
    private readonly options: RefusalReportOptions,
  ) {
    const subject = { operation: 'RefusalReport', path: config.path };
    checkNames(options, ['id', 'acl', 'onError'] satisfies (keyof RefusalReportOptions)[], subject);
    const { id } = options;
    if (typeof id !== 'string' || id === '' || id.includes('/'))
      throw new InvalidArgumentError(`the id is ${JSON.stringify(id)}; it must be the name of a znode`, subject);
    this.#path = childPath(`${config.path}${REFUSALS_SUFFIX}`, id);
    checkPath(this.#path, subject.operation);
    config.on('invalid', this.#look);
    void this.#followGood();
    this.#look();
  }

  /** Stops reporting, and takes the report away. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.config.off('invalid', this.#look);
    this.#look();
    await this.#work;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  readonly #look = (): void => {
    this.#work = this.#work.then(() => this.#settle()).catch((error: unknown) => this.#failed(error));
  };

  /** Each good version takes the report away. With the configuration it ends, too. */
  async #followGood(): Promise<void> {
    try {
      for await (const _ of this.config) {
        if (this.#isClosed) return;
        this.#look();
      }
    } catch {
      // The configuration has ended: whoever has opened it is told.
    }
    await this.close();
  }

  async #settle(): Promise<void> {
    const invalid = this.#isClosed ? undefined : this.config.invalid;
    if (invalid === this.#told) return;
    this.#told = invalid;
    if (invalid === undefined) {
      const node = this.#node;
      this.#node = undefined;
      await node?.close();
      return;
    }
    const { acl } = this.options;
    const data = encodeRefusal(invalid, this.config.path);
    if (this.#node === undefined) {
      this.#node = new PersistentNode(this.zk, this.#path, data, { acl, parents: 'persistent' }).start();
      this.#node.published().catch((error: unknown) => this.#failed(error));
    } else this.#node.setData(data).catch((error: unknown) => this.#failed(error));
  }

  #failed(error: unknown): void {
    if (this.#isClosed) return;
    const { onError } = this.options;
    if (onError !== undefined) queueMicrotask(() => onError(error));
    else process.emitWarning(`zookit: that ${this.config.path} is refused cannot be reported: ${String(error)}`);
  }
}
