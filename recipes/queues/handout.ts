import { childPath, type LeaseOptions, type ZooKeeper } from 'zookit';
import { checkMargin } from '../common/holder.js';
import { isEndOfSession } from '../common/waiting.js';
import { Claim, ItemLostError, type Step } from './claim.js';
import { CorruptItemError, type ItemFormat, type ItemRecord } from './item-format.js';
import type { ItemName } from './item-names.js';
import { QueueItem } from './queue-item.js';
import { makeFolder, type QueuePaths } from './queue-paths.js';
import type { QueueSerializer } from './serializer.js';

/** An item that nobody is given any more. */
export interface DeadLetter {
  /** The znode that it was. */
  readonly path: string;
  /** It had as many attempts as it may have, or it cannot be read. */
  readonly reason: 'attempts' | 'corrupt';
  /** Why it cannot be read. */
  readonly error?: CorruptItemError | undefined;
}

/** How items are handed out. */
export interface HandoutOptions<T> extends LeaseOptions {
  readonly serializer: QueueSerializer<T>;
  readonly maxAttempts: number | undefined;
  readonly onDeadLetter: ((letter: DeadLetter) => void) | undefined;
}

/** An item that is claimed, and what it holds. */
interface Opened {
  readonly claim: Claim;
  readonly name: ItemName;
  readonly record: ItemRecord;
  readonly id: string;
  /** Which attempt this one is, from 1. */
  readonly attempt: number;
}

/** Makes of the name of an item something to work on: claims it, reads it, counts the attempt. */
export class Handout<T> {
  constructor(
    private readonly zk: ZooKeeper,
    private readonly paths: QueuePaths,
    private readonly format: ItemFormat,
    private readonly options: HandoutOptions<T>,
    /** Called when an item was given back to its place. */
    private readonly onReturned: () => void,
  ) {}

  /** The item; undefined if somebody else has it, or if there is nothing in it to work on. */
  async open(name: ItemName): Promise<QueueItem<T> | undefined> {
    const { margin, loseOn } = this.options;
    const claim = await Claim.take(this.zk, this.paths, name.name, { margin, loseOn });
    if (claim === undefined) return undefined;
    try {
      const item = await this.#unpack(claim, name);
      if (item === undefined || item.held) return item;
      // It was lost between the answer and now, or could never be held.
      await item.release();
      checkMargin(this.zk, this.options, 'take', this.paths.items);
      return undefined;
    } catch (error) {
      if (error instanceof ItemLostError) return undefined;
      await claim.leave().catch(() => undefined);
      throw error;
    }
  }

  /** The values of an item that is not taken. @throws CorruptItemError. */
  read(data: Buffer, path: string): T[] {
    return this.#valuesOf(this.format.decode(data), path);
  }

  async #unpack(claim: Claim, name: ItemName): Promise<QueueItem<T> | undefined> {
    let record: ItemRecord;
    let values: readonly T[];
    try {
      record = this.format.decode(claim.data);
      values = this.#valuesOf(record, claim.path);
    } catch (error) {
      if (!(error instanceof CorruptItemError)) throw error;
      await this.#bury(claim, name, claim.data, { path: claim.path, reason: 'corrupt', error });
      return undefined;
    }
    const id = record.id ?? `${claim.czxid.toString(16)}-${name.sequence}`;
    const opened: Opened = { claim, name, record, id, attempt: record.attempts + 1 };
    if (!(await this.#count(opened))) return undefined;
    return new QueueItem(claim, values, opened, {
      done: () => claim.finish(),
      back: (from) => this.#back(opened, from),
      untouched: () => this.#untouched(opened),
    });
  }

  #valuesOf(record: ItemRecord, path: string): T[] {
    return record.values.map((bytes) => {
      try {
        return this.options.serializer.deserialize(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
      } catch (cause) {
        throw new CorruptItemError('its serializer cannot read it', { operation: 'take', path, cause });
      }
    });
  }

  /** Writes the attempt down, where they are limited: so it counts also if this process does not live to tell. */
  async #count(opened: Opened): Promise<boolean> {
    const { claim, name, record, attempt } = opened;
    const { maxAttempts } = this.options;
    if (record.values.length === 0) await claim.finish();
    else if (maxAttempts === undefined) return true;
    else if (attempt <= maxAttempts) {
      await claim.write(this.#encode(opened, attempt));
      return true;
    } else await this.#bury(claim, name, claim.data, { path: claim.path, reason: 'attempts' });
    return false;
  }

  /** To the end of the queue, or out of it. */
  async #back(opened: Opened, from: number): Promise<void> {
    const { claim, name, attempt } = opened;
    const { maxAttempts } = this.options;
    const data = this.#encode(opened, attempt, from);
    if (maxAttempts !== undefined && attempt >= maxAttempts)
      await this.#bury(claim, name, data, { path: claim.path, reason: 'attempts' });
    else await claim.finish(creating(childPath(this.paths.items, name.prefix), data));
  }

  async #untouched({ claim }: Opened): Promise<void> {
    try {
      await claim.leave(this.options.maxAttempts === undefined ? undefined : claim.data);
    } catch (error) {
      // Then it is not ours to give back.
      if (!(error instanceof ItemLostError || isEndOfSession(error))) throw error;
    }
    this.onReturned();
  }

  async #bury(claim: Claim, name: ItemName, data: Buffer, letter: DeadLetter): Promise<void> {
    await makeFolder(this.zk, this.paths.dead);
    await claim.finish(creating(childPath(this.paths.dead, name.prefix), data));
    const { onDeadLetter } = this.options;
    // On a turn of its own: what it throws is its own affair.
    if (onDeadLetter !== undefined) queueMicrotask(() => onDeadLetter(letter));
  }

  #encode({ record, id }: Opened, attempts: number, from = 0): Buffer {
    return this.format.encode({ values: record.values.slice(from), attempts, id });
  }
}

function creating(path: string, data: Buffer): Step {
  return (transaction) => transaction.create(path, data, { mode: 'persistentSequential' });
}
