import {
  checkPath,
  InvalidArgumentError,
  NodeExistsError,
  NoNodeError,
  type OneShotEvent,
  type ZooKeeper,
  ZooKeeperError,
} from 'zookit';
import { checkNames, type OptionSubject } from '../common/options.js';

/** A number of leases that stands in a znode, as Curator's SharedCount has it: four bytes, the highest first. */
export interface SharedLeaseCount {
  /** The znode. */
  readonly path: string;
  /** The number where there is no such znode: whoever asks first writes it there. */
  readonly initial: number;
}

/** The data of the znode with the number of leases are not four bytes. */
export class InvalidLeaseCountError extends ZooKeeperError {
  readonly code = 'INVALID_LEASE_COUNT';
}

const BYTES = 4;
const HIGHEST = 2 ** 31 - 1;

/** How many leases a semaphore has: always as many, or as many as a znode says. */
export class LeaseCount {
  /** @throws InvalidPathError, InvalidArgumentError. */
  constructor(
    private readonly zk: ZooKeeper,
    private readonly count: number | SharedLeaseCount,
    private readonly subject: OptionSubject,
  ) {
    if (typeof count === 'number') {
      checkCount(count, 1, subject);
      return;
    }
    checkNames(count, ['path', 'initial'], subject);
    checkPath(count.path, subject.operation);
    checkCount(count.initial, 0, subject);
  }

  /** The number, where it is known without asking. */
  get fixed(): number | undefined {
    return typeof this.count === 'number' ? this.count : undefined;
  }

  /** The number now; `changed` is called when it may be another one. @throws InvalidLeaseCountError. */
  async read(changed?: (event: OneShotEvent) => void): Promise<number> {
    if (typeof this.count === 'number') return this.count;
    const { path, initial } = this.count;
    for (;;) {
      try {
        const { data } = await this.zk.getData(path, { watch: changed });
        return this.#parse(data, path);
      } catch (error) {
        if (!(error instanceof NoNodeError)) throw error;
      }
      try {
        await this.zk.create(path, bytesOf(initial), { parents: 'container' });
      } catch (error) {
        if (!(error instanceof NodeExistsError)) throw error;
      }
    }
  }

  /** Takes the watch of a {@link read} away. */
  forget(changed: (event: OneShotEvent) => void): void {
    if (typeof this.count !== 'number') this.zk.unwatch(this.count.path, changed);
  }

  /** Writes another number. @throws InvalidArgumentError. */
  async write(count: number, subject: OptionSubject): Promise<void> {
    if (typeof this.count === 'number') {
      const problem = `the count is fixed: ${this.count}; give { path, initial } in its place to change it`;
      throw new InvalidArgumentError(problem, subject);
    }
    checkCount(count, 0, subject);
    await this.zk.upsert(this.count.path, bytesOf(count));
  }

  #parse(data: Buffer, path: string): number {
    if (data.length === BYTES) return data.readInt32BE();
    const problem = `the data are ${data.length} bytes; a number of leases is ${BYTES}, the highest first`;
    throw new InvalidLeaseCountError(problem, { operation: this.subject.operation, path });
  }
}

function bytesOf(count: number): Buffer {
  const bytes = Buffer.alloc(BYTES);
  bytes.writeInt32BE(count);
  return bytes;
}

/** Refuses what is no number of leases. */
export function checkCount(count: unknown, least: number, subject: OptionSubject): void {
  if (Number.isInteger(count) && Number(count) >= least && Number(count) <= HIGHEST) return;
  throw new InvalidArgumentError(
    `the count is ${String(count)}; it must be a whole number from ${least} to ${HIGHEST}`,
    subject,
  );
}
