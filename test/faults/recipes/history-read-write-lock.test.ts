import { expect, it } from '@jest/globals';
import { type ReadLock, ReadWriteLock } from 'zookit/recipes';
import { findFallingTokens, findOverlaps } from '../../support/histories/holds.js';
import { until } from '../../support/until.js';
import { Arena, seeds } from './arena.js';

const path = '/read-write';

it.each(seeds())(
  'never a writer beside anybody, also where writers go over to reading; no ghosts: seed %d',
  async (seed) => {
    await using arena = await Arena.start(seed, 4);
    const reads = async (name: string, lock: ReadLock): Promise<void> => {
      const end = arena.holds.took(name, lock, { mode: 'shared' });
      await arena.linger(15);
      end();
      await lock.release();
    };
    await arena.play(async ({ name, zk }) => {
      const lock = new ReadWriteLock(zk, path);
      if (arena.chance(0.6)) return reads(name, await lock.read.acquire());
      const writer = await lock.write.acquire();
      const end = arena.holds.took(name, writer);
      await arena.linger(15);
      end();
      if (arena.chance(0.7) || !writer.held) return writer.release();
      const reader = await writer.downgrade().catch(() => undefined);
      await (reader === undefined ? writer.release() : reads(name, reader));
    });
    const { holds } = arena.holds;
    expect(new Set(holds.map(({ mode }) => mode))).toEqual(new Set(['exclusive', 'shared']));
    expect(findOverlaps(holds)).toEqual([]);
    expect(findFallingTokens(holds)).toEqual([]);
    await until(async () => (await arena.observer.getChildren(path)).length === 0, {
      what: 'all contenders to be gone',
      timeout: 30_000,
    });
  },
  180_000,
);
