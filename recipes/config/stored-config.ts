import { isPassing, ServerError, type ZNode, type ZooKeeper } from 'zookit';
import { canTryAgain, isEndOfSession, pause } from '../common/waiting.js';
import type { ConfigLayer } from './config-layers.js';
import type { StoredLayer, StoredZNode } from './config-reader.js';
import { ConfigSource, type Picture, type SourceFollower, type SourceSpec } from './config-source.js';
import { InvalidConfigError } from './errors.js';
import { DamagedValueError, storedBytes } from './stored-value.js';

/** Who wants to know what is stored. */
export interface StoredConfigListener {
  /** What is stored is this now. The next is not told before this is done. @throws InvalidConfigError. */
  take(layers: readonly StoredLayer[]): Promise<void>;
  /** What is stored now is not taken. */
  refuse(error: InvalidConfigError): void;
  /** It may have become current again, or is not any more. */
  looked(): void;
  /** An error that does not pass has ended it. */
  failed(error: Error): void;
}

/**
 * Follows the layers of a configuration as they are stored. What it tells is what the server has had at one moment, in all
 * layers: never a part of a transaction. What comes too fast is passed over, the last never.
 */
export class StoredConfig {
  readonly #follower: SourceFollower = {
    settled: () => this.#next(),
    failed: (error) => this.listener.failed(error),
  };
  readonly #sources: readonly { readonly layer: ConfigLayer; readonly source: ConfigSource }[];
  readonly #closing = new AbortController();
  /** What was made of znodes that were read: the same object as long as the znode is the same. */
  readonly #loaded = new WeakMap<ZNode, StoredZNode>();
  /** Which revision was taken last. */
  #taken: string | undefined;
  #isTaking = false;

  constructor(
    private readonly zk: ZooKeeper,
    layers: readonly ConfigLayer[],
    spec: Omit<SourceSpec, 'path'>,
    private readonly listener: StoredConfigListener,
  ) {
    this.#sources = layers.map((layer) => ({
      layer,
      source: ConfigSource.follow(zk, { ...spec, path: layer.path }, this.#follower),
    }));
    // Others who follow the same may have all that is needed already.
    this.#next();
  }

  /** Whether there is a connection, and nothing is known to have changed since the last that was told. */
  get isCurrent(): boolean {
    return this.zk.state === 'connected' && this.#isSettled && this.#taken === this.#revision;
  }

  /** Ends it. Resolves when nothing is under way. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#sources.map(({ source }) => source.leave(this.#follower)));
  }

  /**
   * Whether all layers are of one moment: each is of the moment of its last answer, and a change of any of them would have
   * been told before the last answer to all.
   */
  get #isSettled(): boolean {
    return this.#sources.every(({ source }) => source.isSettled);
  }

  get #revision(): string {
    return this.#sources.map(({ source }) => source.revision).join();
  }

  #next(): void {
    if (this.#isTaking || this.#closing.signal.aborted || !this.#isSettled) return;
    if (this.#taken === this.#revision) this.listener.looked();
    else void this.#takeAll();
  }

  async #takeAll(): Promise<void> {
    this.#isTaking = true;
    const { signal } = this.#closing;
    for (let failures = 0; !signal.aborted && this.#isSettled && this.#taken !== this.#revision;) {
      const isDone = await this.#take(this.#revision);
      if (isDone) failures = 0;
      else if (!signal.aborted) await pause(this.zk, failures++, signal);
    }
    this.#isTaking = false;
    if (!signal.aborted) this.listener.looked();
  }

  /** Whether it came to something; if not, the same is to be tried again. */
  async #take(revision: string): Promise<boolean> {
    // All at once: what comes meanwhile belongs to the next.
    const pictures = this.#sources.map(({ layer, source }) => ({ layer, picture: source.picture() }));
    const { signal } = this.#closing;
    try {
      const layers = await Promise.all(pictures.map(({ layer, picture }) => this.#load(layer, picture)));
      if (signal.aborted || !layers.every((layer) => layer !== undefined)) return false;
      await this.listener.take(layers);
    } catch (error) {
      if (signal.aborted) return false;
      if (!(error instanceof InvalidConfigError)) {
        if (canTryAgain(this.zk, error)) return false;
        // The sources tell of the end of the session, or of the client, themselves.
        if (!isEndOfSession(error)) this.listener.failed(error instanceof Error ? error : new Error(String(error)));
      } else this.listener.refuse(error);
    }
    this.#taken = revision;
    return true;
  }

  /** Undefined where a large value was replaced meanwhile. @throws InvalidConfigError. */
  async #load(layer: ConfigLayer, { znodes, unreadable }: Picture): Promise<StoredLayer | undefined> {
    for (const [path, cause] of unreadable)
      throw new InvalidConfigError('it cannot be read, and is a part of it', { path, cause }, 'unreadable');
    const loaded = await Promise.all(
      znodes.map(async ({ path, node }) => this.#loaded.get(node) ?? (await this.#bytes(path, node))),
    );
    return loaded.every((znode) => znode !== undefined) ? { ...layer, znodes: loaded } : undefined;
  }

  async #bytes(path: string, node: ZNode): Promise<StoredZNode | undefined> {
    try {
      const data = await storedBytes(this.zk, path, node, { signal: this.#closing.signal, operation: 'LiveConfig' });
      if (data === undefined) return undefined;
      const znode = { path, data, isNull: node.isNull };
      this.#loaded.set(node, znode);
      return znode;
    } catch (cause) {
      if (cause instanceof DamagedValueError)
        throw new InvalidConfigError('its parts have come to harm', { path, cause }, 'undecodable');
      if (!(cause instanceof ServerError) || isPassing(cause) || isEndOfSession(cause)) throw cause;
      throw new InvalidConfigError('its parts cannot be read', { path, cause }, 'unreadable');
    }
  }
}
