import { describe, expect, it } from '@jest/globals';
import { ClosedError, InvalidArgumentError, type ZooKeeper } from 'zookit';
import { type Assignment, type Partition, Partitioner, type PartitionerOptions, partitioning } from 'zookit/recipes';
import { gate, until, within } from '../../support/until.js';
import { failureOf, useClients } from '../clients.js';

const clients = useClients();
const partitions = ['p0', 'p1', 'p2', 'p3', 'p4', 'p5'];
/** Members come one after the other in these tests: short, so that they need not wait. */
const settle = 100;

/** A member that runs until it is closed, and notes what it gets and gives back. */
class Worker {
  readonly notes: string[] = [];
  readonly partitioner: Partitioner;
  readonly running: Promise<void>;
  private readonly working = new Set<string>();

  constructor(zk: ZooKeeper, path: string, options: Partial<PartitionerOptions> = {}) {
    this.partitioner = new Partitioner(zk, path, { partitions, settle, ...options });
    this.running = this.run();
    this.running.catch(() => undefined);
  }

  get names(): string[] {
    return [...this.working].sort();
  }

  private async run(): Promise<void> {
    for await (const { acquired, revoked } of this.partitioner) {
      for (const { name } of revoked) {
        this.working.delete(name);
        this.notes.push(`-${name}`);
      }
      for (const { name } of acquired) {
        this.working.add(name);
        this.notes.push(`+${name}`);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.partitioner.close();
    await this.running;
  }
}

async function workers(count: number, options: Partial<PartitionerOptions> = {}): Promise<Worker[]> {
  const path = `${await clients.folder()}/set`;
  const made: Worker[] = [];
  for (let index = 0; index < count; index++)
    made.push(new Worker(await clients.another(), path, { id: `w${index}`, ...options }));
  return made;
}

async function untilDivided(all: readonly Worker[], wanted: readonly number[]): Promise<void> {
  await until(
    () =>
      all.every(
        ({ names, partitioner }, index) => names.length === wanted[index] && partitioner.state === 'acquired',
      ) && new Set(all.flatMap(({ names }) => names)).size === wanted.reduce((sum, count) => sum + count, 0),
    { what: `${wanted.join(', ')} partitions`, timeout: 20_000 },
  );
}

async function close(all: readonly Worker[]): Promise<void> {
  await Promise.all(all.map((worker) => worker[Symbol.asyncDispose]()));
}

describe('a partitioner', () => {
  it('alone owns all, with a lock and a token for each', async () => {
    const path = `${await clients.folder()}/set`;
    await using worker = new Worker(clients.zk, path, { id: 'w' });
    await worker.partitioner.ready({ timeout: 10_000 });
    await until(() => worker.names.length === 6, { what: 'all' });
    const { owned } = worker.partitioner;
    expect([...owned.keys()].sort()).toEqual(partitions);
    for (const [name, partition] of owned) {
      expect([partition.name, partition.held, partition.signal.aborted]).toEqual([name, true, false]);
      expect(partition.path).toMatch(new RegExp(`^${path}/locks/${name}/_c_[0-9a-f-]{36}-__lock__\\d{10}$`));
      const { stat, data } = await clients.zk.getData(partition.path);
      expect([stat.czxid, data.toString()]).toEqual([partition.fencingToken, 'w']);
    }
    const [member = ''] = await clients.zk.getChildren(`${path}/party`);
    expect(member).toMatch(/^[0-9a-f]{32}-w$/);
    await worker[Symbol.asyncDispose]();
    expect([owned.size, worker.partitioner.state]).toEqual([0, 'closed']);
    expect(await clients.zk.getChildren(`${path}/party`)).toEqual([]);
    for (const name of partitions) expect(await clients.zk.getChildren(`${path}/locks/${name}`)).toEqual([]);
  });

  it.each([
    ['roundRobin', partitioning.roundRobin()],
    ['weighted', partitioning.weighted()],
    ['sticky', partitioning.sticky()],
  ])('%s: divides evenly, and anew when members come and go', async (_, strategy) => {
    const [one, ...others] = await workers(3, { strategy });
    const all = [one!, ...others];
    await untilDivided(all, [2, 2, 2]);
    await all[1]![Symbol.asyncDispose]();
    const left = [all[0]!, all[2]!];
    await untilDivided(left, [3, 3]);
    await close(left);
  });

  it('divides by weight', async () => {
    const path = `${await clients.folder()}/set`;
    const strategy = partitioning.weighted();
    const all = [
      new Worker(await clients.another(), path, { id: 'a', weight: 2, strategy }),
      new Worker(await clients.another(), path, { id: 'b', strategy }),
      new Worker(await clients.another(), path, { id: 'c', weight: 0, strategy }),
    ];
    await untilDivided(all, [4, 2, 0]);
    await close(all);
  });

  it('divides by a hash ring: each member computes the same', async () => {
    const all = await workers(3, { strategy: partitioning.consistentHashing() });
    await until(
      () =>
        all
          .flatMap(({ names }) => names)
          .sort()
          .join() === partitions.join() && all.every(({ partitioner }) => partitioner.state === 'acquired'),
      { what: 'all to be owned', timeout: 20_000 },
    );
    await close(all);
  });

  it('that is sticky moves no partition that need not move', async () => {
    const path = `${await clients.folder()}/set`;
    const strategy = partitioning.sticky();
    const make = async (id: string): Promise<Worker> => new Worker(await clients.another(), path, { id, strategy });
    const [z, y] = [await make('z'), await make('y')];
    await untilDivided([z, y], [3, 3]);
    const before = [z.notes.length, y.notes.length];
    // By its name it comes first, and would turn everything round.
    const a = await make('a');
    await untilDivided([z, y, a], [2, 2, 2]);
    expect([z.notes.length - before[0]!, y.notes.length - before[1]!]).toEqual([1, 1]);
    await a[Symbol.asyncDispose]();
    await untilDivided([z, y], [3, 3]);
    expect([z.notes.length - before[0]!, y.notes.length - before[1]!]).toEqual([2, 2]);
    await close([z, y]);
  });

  it('that finds no sense in what was agreed on agrees anew', async () => {
    const path = `${await clients.folder()}/set`;
    await clients.zk.create(`${path}/assignment`, 'nonsense', { parents: true });
    const all = [new Worker(clients.zk, path, { strategy: partitioning.sticky() })];
    await untilDivided(all, [6]);
    expect((await clients.zk.getData(`${path}/assignment`)).json()).toMatchObject({ owners: { p0: 0 } });
    await close(all);
  });

  it('gives a partition back when the work on it was let go, and not before', async () => {
    const path = `${await clients.folder()}/set`;
    const [letGo, asked] = [gate(), gate<Partition>()];
    const first = new Partitioner(await clients.another(), path, { partitions: ['only'], id: 'z', settle });
    const owned: Assignment[] = [];
    const looping = (async () => {
      for await (const assignment of first) {
        owned.push(assignment);
        const [partition] = assignment.revoked;
        if (partition === undefined) continue;
        asked.open(partition);
        await letGo.promise;
      }
    })();
    await until(() => owned.length === 1, { what: 'the first one to own it' });
    await using second = new Worker(await clients.another(), path, { partitions: ['only'], id: 'a' });
    const partition = await within(asked.promise, { what: 'it to be asked back' });
    expect([partition.held, partition.signal.aborted, first.state]).toEqual([true, true, 'release']);
    await until(async () => (await clients.zk.getChildren(`${path}/locks/only`)).length === 2, {
      what: 'both in line',
    });
    expect([second.names, partition.held]).toEqual([[], true]);
    letGo.open();
    await until(() => second.names.length === 1, { what: 'the second one to own it' });
    const [now] = second.partitioner.owned.values();
    expect([partition.held, now?.fencingToken.greaterThan(partition.fencingToken)]).toEqual([false, true]);
    await first.close();
    await looping;
  });

  it('that waits for a partition can be closed, and does not stay in line', async () => {
    const path = `${await clients.folder()}/set`;
    const letGo = gate();
    const first = new Partitioner(await clients.another(), path, { partitions: ['only'], id: 'z', settle });
    const running = first.run(() => letGo.promise);
    await first.ready();
    const second = new Worker(await clients.another(), path, { partitions: ['only'], id: 'a' });
    const line = async (): Promise<number> => (await clients.zk.getChildren(`${path}/locks/only`)).length;
    await until(async () => (await line()) === 2, { what: 'both in line' });
    expect(second.partitioner.state).toBe('allocating');
    await within(second[Symbol.asyncDispose](), { what: 'its end' });
    expect([await line(), second.notes, first.owned.size]).toEqual([1, [], 1]);
    letGo.open();
    await first.close();
    await running;
  });

  it('asks everything back when it is closed, and ends the loop when that was let go', async () => {
    const path = `${await clients.folder()}/set`;
    const partitioner = new Partitioner(clients.zk, path, { partitions, settle });
    const [working, letGo] = [gate(), gate()];
    let asked = 0;
    const looping = (async () => {
      for await (const { revoked, owned } of partitioner) {
        if (owned.size === 6) working.open();
        asked += revoked.length;
        if (revoked.length > 0) await letGo.promise;
      }
    })();
    await within(working.promise, { what: 'the work' });
    const closing = partitioner.close();
    await until(() => asked === 6, { what: 'all to be asked back' });
    expect(partitioner.owned.size).toBe(6);
    letGo.open();
    await Promise.all([closing, looping]);
    expect([partitioner.owned.size, partitioner.state]).toEqual([0, 'closed']);
  });

  it('whose loop is left is closed, and has given everything back', async () => {
    const path = `${await clients.folder()}/set`;
    const partitioner = new Partitioner(clients.zk, path, { partitions, settle });
    for await (const { acquired } of partitioner) if (acquired.length > 0) break;
    expect([partitioner.owned.size, partitioner.state]).toEqual([0, 'closed']);
    expect(await clients.zk.getChildren(`${path}/locks/p0`)).toEqual([]);
    expect(await failureOf(partitioner.ready())).toBeInstanceOf(ClosedError);
    expect(await failureOf(partitioner.run(() => undefined))).toBeInstanceOf(ClosedError);
  });

  it('whose loop throws gives everything back, and the error passes through', async () => {
    const path = `${await clients.folder()}/set`;
    const partitioner = new Partitioner(clients.zk, path, { partitions, settle });
    const looping = (async () => {
      for await (const { acquired } of partitioner) if (acquired.length > 0) throw new Error('of the loop');
    })();
    expect(await failureOf(looping)).toMatchObject({ message: 'of the loop' });
    expect(partitioner.owned.size).toBe(0);
  });

  it('ends with what makes it impossible', async () => {
    const path = `${await clients.folder()}/set`;
    const strategy = {
      divide: () => {
        throw new Error('of the strategy');
      },
    };
    const partitioner = new Partitioner(clients.zk, path, { partitions, settle, strategy });
    expect(await failureOf(partitioner.run(() => undefined))).toMatchObject({ message: 'of the strategy' });
    expect(partitioner.state).toBe('failure');
    expect(await failureOf(partitioner.ready())).toMatchObject({ message: 'of the strategy' });
    expect(await clients.zk.getChildren(`${path}/party`)).toEqual([]);
  });

  it('is used once at a time', async () => {
    const partitioner = new Partitioner(clients.zk, `${await clients.folder()}/set`, { partitions, settle });
    const stop = new AbortController();
    const running = partitioner.run(() => undefined, { signal: stop.signal });
    await partitioner.ready();
    expect(await failureOf(partitioner[Symbol.asyncIterator]().next())).toBeInstanceOf(InvalidArgumentError);
    stop.abort();
    await running;
    expect(partitioner.state).toBe('closed');
  });

  it('of two with one id gives each its share', async () => {
    const path = `${await clients.folder()}/set`;
    const all = [
      new Worker(await clients.another(), path, { id: 'same' }),
      new Worker(await clients.another(), path, { id: 'same' }),
    ];
    await untilDivided(all, [3, 3]);
    await close(all);
  });

  it.each([
    [{ partitions: ['a', 'a'] }, 'the partition "a" comes twice'],
    [{ partitions: ['a/b'] }, 'the partition "a/b" is no part of a path'],
    [{ partitions: [''] }, 'the partition "" is no part of a path'],
    [{ partitions: 'abc' }, 'partitions must be a list'],
    [{ partitions: undefined as never }, 'partitions must be a list'],
    [{ id: 'a/b' }, 'must have no slash'],
    [{ weight: -1 }, 'the weight is -1'],
    [{ settle: NaN }, 'settle is NaN'],
    [{ strategy: {} as never }, 'the strategy has no divide()'],
    [{ margin: -1 }, 'the margin is -1'],
  ])('refuses what is none: %#', (options, problem) => {
    const make = (): unknown => new Partitioner(clients.zk, '/set', { partitions, ...options });
    expect(make).toThrow(InvalidArgumentError);
    expect(make).toThrow(problem);
  });
});

describe('run', () => {
  it('calls the work for each partition, and gives that back when the work has ended', async () => {
    const path = `${await clients.folder()}/set`;
    const first = new Partitioner(await clients.another(), path, { partitions, id: 'z', settle });
    const ended = gate();
    const log: string[] = [];
    const running = first.run(async ({ name, signal }) => {
      log.push(`begins ${name}`);
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      if (name === 'p0') await ended.promise;
      log.push(`ends ${name}`);
      throw new Error('what is thrown when it is to end counts as its end');
    });
    await until(() => log.length === 6, { what: 'all to begin' });
    await using second = new Worker(await clients.another(), path, { id: 'a' });
    // One that takes its time holds up no other.
    await until(() => second.names.join() === 'p2,p4', { what: 'the others to go over' });
    expect([log.length, first.owned.has('p0')]).toEqual([8, true]);
    ended.open();
    await until(() => second.names.join() === 'p0,p2,p4', { what: 'the last one to go over' });
    await first.close();
    await running;
    expect(log.filter((line) => line.startsWith('ends'))).toHaveLength(6);
  });

  it('ends with what the work throws, when all other work is over', async () => {
    const partitioner = new Partitioner(clients.zk, `${await clients.folder()}/set`, { partitions, settle });
    let ended = 0;
    const running = partitioner.run(async ({ name, signal }) => {
      if (name === 'p3') throw new Error('of the work');
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      ended++;
    });
    expect(await failureOf(running)).toMatchObject({ message: 'of the work' });
    expect([partitioner.owned.size, ended <= 5]).toEqual([0, true]);
  });

  it('leaves a partition whose work has ended by itself with this member', async () => {
    const partitioner = new Partitioner(clients.zk, `${await clients.folder()}/set`, { partitions, settle });
    let begun = 0;
    const running = partitioner.run(() => {
      begun++;
    });
    await partitioner.ready();
    expect([begun, partitioner.owned.size]).toEqual([6, 6]);
    await partitioner.close();
    await running;
  });
});
