import { randomUUID } from 'node:crypto';
import {
  checkPath,
  childPath,
  InvalidArgumentError,
  type LeaseOptions,
  NoNodeError,
  type WaitOptions,
  type ZNode,
  type ZooKeeper,
} from 'zookit';
import { Contender, type Line } from '../common/contender.js';
import { checkMargin } from '../common/holder.js';
import { checkLease, checkNames, leaseNames, type OptionSubject } from '../common/options.js';
import { lookUntil, Wait } from '../common/waiting.js';
import { decodeCandidate, encodeCandidate } from './candidate-data.js';
import { NotLeaderError } from './errors.js';
import { Leadership } from './leadership.js';
import { namesInLine, readZNode } from './participants.js';

/** What a candidate is told when it is made. */
export interface CandidateOptions<Payload = unknown> extends LeaseOptions {
  /** Who this candidate is, for others to read. Default: empty. */
  readonly id?: string | undefined;
  /** What it tells of itself beside that: JSON. Changed by `proclaim()` of its terms. Default: nothing. */
  readonly payload?: Payload | undefined;
  /**
   * `false`: it stands, and says by `setReady()` when it is fit to take over from a leader who hands over. Default: it is
   * when it stands.
   */
  readonly ready?: boolean | undefined;
}

/** How candidates of one kind name their znodes. */
export interface Dialect {
  /** The recipe, for errors. */
  readonly recipe: string;
  readonly name: string;
  readonly markers: readonly string[];
  /** The names of the options that the recipe has beside those of a candidate. */
  readonly options: readonly string[];
}

/** Whether a candidate stands at the moment, and the end of that. */
export interface Standing {
  readonly isStanding: () => boolean;
  readonly closing: AbortSignal;
}

/** What a latch and an election have in common: a candidate, and what it tells of itself. */
export class Candidate<Payload> {
  readonly line: Line;
  readonly id: string;
  /** Of those alone who have to find their znode before they lead. */
  readonly #key: string | undefined;
  #payload: Payload | undefined;
  #ready: boolean | undefined;
  /** The write of our data that was begun last: one comes after the other, so that the last one stays. */
  #writing: Promise<unknown> = Promise.resolve();

  /** @throws InvalidPathError, InvalidArgumentError. */
  constructor(
    private readonly zk: ZooKeeper,
    private readonly path: string,
    private readonly dialect: Dialect,
    private readonly options: CandidateOptions<Payload>,
  ) {
    const { id = '', payload, ready } = options;
    checkPath(path, dialect.recipe);
    const subject = { operation: dialect.recipe, path };
    checkNames(options, [...leaseNames, 'id', 'payload', 'ready', ...dialect.options], subject);
    checkCandidate(options, subject);
    checkLease(options, subject);
    this.id = id;
    this.#payload = payload;
    this.#ready = ready;
    this.#key = ready === undefined ? undefined : randomUUID();
    const data = (): string => this.#data();
    this.line = {
      path,
      name: dialect.name,
      markers: dialect.markers,
      // Each candidacy begins with what is to be told by then.
      get data() {
        return data();
      },
    };
  }

  /** Stands until it leads: the term may be lost already when it comes. */
  async campaign(wait: Wait): Promise<Leadership<Payload>> {
    const contender = await Contender.lead(this.zk, this.line, wait);
    return new Leadership<Payload>(this.zk, contender, this.options, (term, payload, options) =>
      this.#proclaim(term, payload, options),
    );
  }

  /** Refuses options that make each term end as it begins. @throws InvalidArgumentError. */
  checkMargin(): void {
    checkMargin(this.zk, this.options, this.dialect.recipe, this.path);
  }

  /**
   * Says whether the candidate is ready to take over. Resolves when its znode says so; at once where it has none, because
   * it does not stand.
   */
  async setReady(ready: boolean, options: WaitOptions, { isStanding, closing }: Standing): Promise<void> {
    const subject = { operation: `${this.dialect.recipe}.setReady`, path: this.path };
    if (this.#key === undefined)
      throw new InvalidArgumentError('it was made without the option ready; give ready: false, or true', subject);
    using wait = new Wait(options, subject);
    this.#ready = ready;
    await lookUntil(
      this.zk,
      wait,
      async (changed) => {
        closing.addEventListener('abort', changed);
        return !isStanding() || (await this.#publish(wait, changed)) ? true : undefined;
      },
      (changed) => {
        closing.removeEventListener('abort', changed);
        this.zk.unwatch(this.path, changed);
      },
    );
  }

  /** Brings our znode up to date. False where it is not there yet: `changed` is called when it may be. */
  async #publish(wait: Wait, changed: () => void): Promise<boolean> {
    const { signal } = wait;
    for (const name of await namesInLine(this.zk, this.path, this.dialect.markers, { signal, watch: changed })) {
      const path = childPath(this.path, name);
      const node = await readZNode(this.zk, path, { signal });
      if (node === undefined || !this.#isOurs(node)) continue;
      return node.text() === this.#data() || (await this.#writeIfThere(path, signal));
    }
    return false;
  }

  async #writeIfThere(path: string, signal: AbortSignal | undefined): Promise<boolean> {
    try {
      await this.#write(path, signal);
      return true;
    } catch (error) {
      if (error instanceof NoNodeError) return false;
      throw error;
    }
  }

  #isOurs(node: ZNode): boolean {
    return decodeCandidate(node.text()).key === this.#key && node.stat.ephemeralOwner.equals(this.zk.session.id);
  }

  async #proclaim(term: Leadership, payload: unknown, options: WaitOptions): Promise<void> {
    const subject = { operation: `${this.dialect.recipe}.proclaim`, path: this.path };
    using wait = new Wait(options, subject);
    checkPayload(payload, subject);
    if (!term.held) throw new NotLeaderError('the term is over', subject);
    this.#payload = payload as Payload;
    try {
      await wait.race(this.#write(term.path, wait.signal));
    } catch (cause) {
      if (!wait.isOver && (cause instanceof NoNodeError || !term.held))
        throw new NotLeaderError('the term is over', { ...subject, cause });
      throw cause;
    }
  }

  /** Writes what is to be told when its turn comes. The znode is ours alone, so it may be written twice. */
  #write(path: string, signal: AbortSignal | undefined): Promise<unknown> {
    const writing = this.#writing.then(() => this.zk.setData(path, this.#data(), undefined, { retry: true, signal }));
    this.#writing = writing.catch(() => undefined);
    return writing;
  }

  #data(): string {
    return encodeCandidate({ id: this.id, payload: this.#payload, ready: this.#ready, key: this.#key });
  }
}

function checkCandidate({ id, payload, ready }: CandidateOptions, subject: OptionSubject): void {
  if (id !== undefined && typeof id !== 'string')
    throw new InvalidArgumentError(`the id is ${String(id)}; it must be a string`, subject);
  if (ready !== undefined && typeof ready !== 'boolean')
    throw new InvalidArgumentError(`ready is ${String(ready)}; it must be true or false`, subject);
  checkPayload(payload, subject);
}

/** Refuses what is no JSON. */
function checkPayload(payload: unknown, subject: OptionSubject): void {
  if (payload === undefined) return;
  try {
    if (JSON.stringify(payload) !== undefined) return;
  } catch (cause) {
    throw new InvalidArgumentError('the payload is no JSON', { ...subject, cause });
  }
  throw new InvalidArgumentError('the payload is no JSON', subject);
}
