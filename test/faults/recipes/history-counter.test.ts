import { expect, it } from '@jest/globals';
import { Counter } from 'zookit/recipes';
import { findViolation } from '../../support/histories/linearizable.js';
import { Recorder } from '../../support/histories/recorder.js';
import { counter, type CounterInput } from '../../support/histories/specifications.js';
import { Arena, judge, seeds } from './arena.js';

it.each(seeds().flatMap((seed) => [false, true].map((receipts) => [seed, receipts] as const)))(
  'a counter is linearizable: none is lost, none is counted twice: seed %d, receipts %s',
  async (seed, receipts) => {
    await using arena = await Arena.start(seed, 4);
    const recorder = new Recorder<CounterInput, bigint>(judge);
    await arena.play(async ({ name, zk }) => {
      const shared = new Counter(zk, '/counter', { as: 'bigint', receipts });
      if (arena.chance(0.3)) await recorder.call(name, { kind: 'get' }, () => shared.get());
      else {
        const by = BigInt(Math.floor(arena.random() * 9) - 4);
        await recorder.call(name, { kind: 'add', by }, async () => (await shared.add(by)).after);
      }
      await arena.linger(20);
    });
    const last = await new Counter(arena.observer, '/counter', { as: 'bigint' }).get();
    await recorder.call('observer', { kind: 'get' }, async () => last);
    expect(recorder.calls.length).toBeGreaterThan(40);
    expect(findViolation(counter, recorder.calls)).toBeUndefined();
  },
  180_000,
);
