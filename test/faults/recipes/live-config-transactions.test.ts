import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ZooKeeper } from 'zookit';
import { LiveConfig } from 'zookit/recipes';
import { knows } from '../../support/features.js';
import { until } from '../../support/until.js';
import { type Ensemble, startEnsemble } from '../../support/zookeeper.js';
import { startRig } from '../rig.js';

/** How many znodes one transaction writes. */
const COUNT = 20;

type Value = Readonly<Record<string, unknown>>;

/**
 * Writes states, each in one transaction: the data of all znodes are the number of the state; one of them is there in
 * every second state only; another one is another znode in each state.
 */
class Writer {
  state = 0;

  constructor(
    private readonly zk: ZooKeeper,
    private readonly roots: readonly string[],
  ) {}

  async plant(): Promise<void> {
    for (const root of this.roots) {
      await this.zk.create(root);
      await this.zk.create(`${root}/deep`);
      for (const path of this.#lasting(root)) await this.zk.create(path, '0');
      await this.zk.create(`${root}/again`, '0');
    }
  }

  /** Writes so many states, and at each one does what else is to be done. */
  async write(count: number, atEach: (state: number) => Promise<void> | void = () => undefined): Promise<void> {
    for (let index = 0; index < count; index++) {
      const state = String(++this.state);
      const transaction = this.zk.transaction();
      for (const root of this.roots) {
        // The deletion first: a reader that took its event for the whole would see the old data of all others.
        if (this.state % 2 === 0) transaction.delete(`${root}/deep/odd`);
        transaction.delete(`${root}/again`).create(`${root}/again`, state);
        for (const path of this.#lasting(root)) transaction.setData(path, state);
        if (this.state % 2 === 1) transaction.create(`${root}/deep/odd`, state);
      }
      await transaction.commit();
      await atEach(this.state);
    }
  }

  #lasting(root: string): string[] {
    return Array.from({ length: COUNT }, (_, index) =>
      index % 2 === 0 ? `${root}/n-${index}` : `${root}/deep/n-${index}`,
    );
  }
}

/** What a state is; undefined if the value is a mix of several. */
function stateOf(value: Value): number | undefined {
  const states = new Set<unknown>();
  const collect = (part: unknown): void => {
    if (typeof part === 'object' && part !== null) Object.values(part).forEach(collect);
    else states.add(part);
  };
  collect(value);
  const [state] = states;
  if (states.size !== 1 || typeof state !== 'number') return undefined;
  const isOdd = JSON.stringify(value).includes('"odd"');
  return isOdd === (state % 2 === 1) ? state : undefined;
}

/** Which states a configuration has shown; what was no state. */
function follow(config: LiveConfig<Value>): { readonly states: number[]; readonly mixes: Value[] } {
  const [states, mixes]: [number[], Value[]] = [[], []];
  const look = (value: Value): void => {
    const state = stateOf(value);
    if (state === undefined) mixes.push(value);
    else states.push(state);
  };
  look(config.current);
  config.onChange(({ value }) => look(value));
  return { states, mixes };
}

async function arrived(writer: Writer, configs: readonly LiveConfig<Value>[]): Promise<void> {
  const last = (config: LiveConfig<Value>): boolean => stateOf(config.current) === writer.state && !config.stale;
  await until(() => configs.every(last), { what: `state ${writer.state}`, timeout: 30_000 });
}

const none: Value = {};

describe.each(['auto', 'oneShot'] as const)('a tree, by watches: %s', (watches) => {
  const options = { shape: 'tree', watches, defaultValue: none } as const;

  it('is never a mix of what stood before and after a transaction', async () => {
    await using rig = await startRig();
    const writer = new Writer(rig.observer, ['/tree']);
    await writer.plant();
    // The writer uses the client of the reader, too: its own replies come in between.
    const own = new Writer(rig.zk, ['/own']);
    await own.plant();
    await using config = await LiveConfig.open<Value>(rig.zk, '/tree', options);
    await using ownConfig = await LiveConfig.open<Value>(rig.zk, '/own', options);
    const [seen, seenOwn] = [follow(config), follow(ownConfig)];
    // In bursts, which a reader that is behind may pass over.
    await Promise.all([
      writer.write(150, (state) => (state % 10 === 0 ? arrived(writer, [config]) : undefined)),
      own.write(150, (state) => (state % 10 === 0 ? arrived(own, [ownConfig]) : undefined)),
    ]);
    expect([seen.mixes, seenOwn.mixes]).toEqual([[], []]);
    expect(seen.states).toEqual([...seen.states].sort((a, b) => a - b));
    expect(Math.min(seen.states.length, seenOwn.states.length)).toBeGreaterThanOrEqual(15);
  });

  it('is none right after reconnects either, nor while it is opened', async () => {
    await using rig = await startRig();
    const writer = new Writer(rig.observer, ['/tree']);
    await writer.plant();
    await using config = await LiveConfig.open<Value>(rig.zk, '/tree', options);
    const seen = follow(config);
    const opened: Value[] = [];
    await writer.write(100, async (state) => {
      if (state % 10 === 0) rig.proxy.resetAll();
      if (state % 7 !== 0) return;
      await using another = await LiveConfig.open<Value>(rig.zk.chroot('/tree'), '/', options);
      opened.push(another.current);
    });
    await arrived(writer, [config]);
    expect([seen.mixes, opened.filter((value) => stateOf(value) === undefined)]).toEqual([[], []]);
    expect(seen.states).toEqual([...seen.states].sort((a, b) => a - b));
  });
});

it('a tree comes up while it is written without a pause, as far as the server can read it at once', async () => {
  await using rig = await startRig();
  const writer = new Writer(rig.observer, ['/tree']);
  await writer.plant();
  const end = new AbortController();
  const writing = (async () => {
    while (!end.signal.aborted) await writer.write(1);
  })();
  const opening = LiveConfig.open<Value>(rig.zk, '/tree', { shape: 'tree', defaultValue: none });
  if (!knows('multiRead')) end.abort();
  await using config = await opening;
  const seen = follow(config);
  const wanted = knows('multiRead') ? 6 : 1;
  await until(() => seen.states.length >= wanted, { what: `${wanted} states`, timeout: 40_000 });
  end.abort();
  await writing;
  await arrived(writer, [config]);
  expect(seen.mixes).toEqual([]);
  expect(seen.states).toEqual([...seen.states].sort((a, b) => a - b));
}, 60_000);

describe.each(['value', 'tree'] as const)('layers, each with shape: %s', (shape) => {
  it('are never a mix of what stood before and after a transaction', async () => {
    await using rig = await startRig();
    const paths = { global: '/g', service: '/s', instance: '/i' };
    const roots = Object.values(paths);
    for (const root of roots) await rig.observer.create(root, shape === 'value' ? `{"${root.slice(1)}":0}` : null);
    if (shape === 'tree') for (const root of roots) await rig.observer.create(`${root}${root}`, '0');
    await using config = await LiveConfig.open<Value>(rig.zk, paths, { shape, defaultValue: none });
    const mixes: Value[] = [];
    const states = new Set<number>();
    config.onChange(({ value }) => {
      // In each odd state the last layer is not there.
      const { g, s, i } = value as { readonly g: number; readonly s: number; readonly i?: number };
      if (g !== s || (g % 2 === 0 ? i !== g : i !== undefined)) mixes.push(value);
      states.add(g);
    });
    for (let state = 1; state <= 100; state++) {
      const transaction = rig.observer.transaction();
      const at = (root: string): [string, string] =>
        shape === 'value' ? [root, `{"${root.slice(1)}":${state}}`] : [`${root}${root}`, String(state)];
      if (state % 2 === 1) transaction.delete(at('/i')[0]);
      transaction.setData(...at('/g')).setData(...at('/s'));
      if (state % 2 === 0) transaction.create(...at('/i'));
      await transaction.commit();
      if (state % 20 === 0) rig.proxy.resetAll();
      if (state % 5 === 0)
        await until(() => !config.stale && config.current.g === state, { what: `state ${state}`, timeout: 30_000 });
    }
    expect(mixes).toEqual([]);
    expect(states.size).toBeGreaterThanOrEqual(20);
  });
});

describe('with an ensemble', () => {
  let ensemble: Ensemble;

  beforeAll(async () => {
    ensemble = await startEnsemble(3);
  }, 120_000);

  afterAll(async () => {
    await ensemble.close();
  }, 60_000);

  it.each(['auto', 'oneShot'] as const)(
    'a tree is no mix after moves between servers, by watches: %s',
    async (watches) => {
      const options = { sessionTimeout: 30_000, connectTimeout: 60_000 };
      await using writing = await ZooKeeper.connect(ensemble.connectString, options);
      const root = `/moved-${watches}`;
      const writer = new Writer(writing, [root]);
      await writer.plant();
      await using reading = await ZooKeeper.connect(ensemble.connectString, options);
      await reading.sync('/');
      await using config = await LiveConfig.open<Value>(reading, root, { shape: 'tree', watches, defaultValue: none });
      const seen = follow(config);
      await writer.write(150, (state) => {
        const server = ensemble.servers[(state / 15) % ensemble.servers.length];
        if (server !== undefined) reading.updateServers(`${server.host}:${server.port}`);
      });
      await arrived(writer, [config]);
      expect(seen.mixes).toEqual([]);
      expect(seen.states).toEqual([...seen.states].sort((a, b) => a - b));
    },
  );
});
