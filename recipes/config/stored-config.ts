import { isPassing, ServerError, type ZNode, type ZooKeeper } from 'zookit';
import { after, canTryAgain, isEndOfSession, pause } from '../common/waiting.js';
import { capture } from './config-capture.js';
import type { ConfigLayer } from './config-layers.js';
import type { StoredLayer, StoredZNode } from './config-reader.js';
import { ConfigSource, type Picture, type SourceFollower, type SourceSpec } from './config-source.js';
import { InvalidConfigError } from './errors.js';
import { DamagedValueError, storedBytes } from './stored-value.js';

/** For how long it may change all the time before it is read at once, milliseconds. */
const PATIENCE = 500;

const NOTHING: Picture = { znodes: [], unreadable: new Map() };

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
    disturbed: () => this.#beginPatience(),
    failed: (error) => this.listener.failed(error),
  };
  readonly #sources: readonly { readonly layer: ConfigLayer; readonly source: ConfigSource }[];
  readonly #closing = new AbortController();
  /** What was made of znodes that were read: the same object as long as the znode is the same. */
  readonly #loaded = new WeakMap<ZNode, StoredZNode>();
  /** Which revision was taken last. */
  #taken: string | undefined;
  #isTaking = false;
  /** Ends the wait for a pause of those who write. */
  #endPatience: (() => void) | undefined;

  constructor(
    private readonly zk: ZooKeeper,
    layers: readonly ConfigLayer[],
    private readonly spec: Omit<SourceSpec, 'path'>,
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
    this.#endPatience?.();
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

  /** While it is written faster than it can be read piece by piece, it is read at once now and then. */
  #beginPatience(): void {
    if (this.#endPatience !== undefined || this.#closing.signal.aborted) return;
    const onEnd = async (): Promise<void> => {
      if (!this.isCurrent && !this.#isTaking) await this.#takeCapture();
      this.#endPatience = undefined;
    };
    this.#endPatience = after(PATIENCE, () => void onEnd(), true);
  }

  async #takeCapture(): Promise<void> {
    if (this.zk.state !== 'connected' || !this.#sources.some(({ source }) => source.canBeCaptured)) return;
    this.#isTaking = true;
    const { signal } = this.#closing;
    try {
      const specs = this.#sources.map(({ layer, source }) => ({ root: layer.path, known: source.paths }));
      const captured = await capture(this.zk, specs, this.spec.shape, signal);
      // What has settled meanwhile is no older.
      if (captured !== undefined && !signal.aborted && !this.#isSettled)
        await this.#takePictures(captured.map((znodes) => ({ znodes, unreadable: new Map<string, Error>() })));
    } catch {
      // The next one may do better, and a pause of those who write needs none.
    }
    this.#isTaking = false;
    this.#next();
  }

  /** Whether it came to something; if not, the same is to be tried again. */
  async #take(revision: string): Promise<boolean> {
    try {
      // All at once: what comes meanwhile belongs to the next.
      if (!(await this.#takePictures(this.#sources.map(({ source }) => source.picture())))) return false;
    } catch (error) {
      if (this.#closing.signal.aborted || canTryAgain(this.zk, error)) return false;
      // The sources tell of the end of the session, or of the client, themselves.
      if (!isEndOfSession(error)) this.listener.failed(error instanceof Error ? error : new Error(String(error)));
    }
    this.#taken = revision;
    return true;
  }

  /** Whether it was taken or refused, and has not changed meanwhile. */
  async #takePictures(pictures: readonly Picture[]): Promise<boolean> {
    const { signal } = this.#closing;
    try {
      const loading = this.#sources.map(({ layer }, index) => this.#load(layer, pictures[index] ?? NOTHING));
      const layers = await Promise.all(loading);
      if (signal.aborted || !layers.every((layer) => layer !== undefined)) return false;
      await this.listener.take(layers);
    } catch (error) {
      if (signal.aborted || !(error instanceof InvalidConfigError)) throw error;
      this.listener.refuse(error);
    }
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
