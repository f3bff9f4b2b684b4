import { expect, it } from '@jest/globals';
import { OperationTimeoutError } from 'zookit';
import { Mutex } from 'zookit/recipes';
import { findFallingTokens, findOverlaps } from '../../support/histories/holds.js';
import { until } from '../../support/until.js';
import { Arena, type Player, seeds } from './arena.js';

const path = '/lock';

it.each(seeds())(
  'never two holders, tokens that grow, no ghosts: seed %d',
  async (seed) => {
    await using arena = await Arena.start(seed, 4);
    /** Takes the lock in one of the ways there are; undefined if it was not to be had in time. */
    const take = async ({ zk }: Player) => {
      const mutex = new Mutex(zk, path);
      const way = arena.random();
      if (way < 0.1) return mutex.tryAcquire();
      if (way > 0.3) return mutex.acquire();
      return mutex.acquire({ timeout: 40 }).catch((error: unknown) => {
        if (error instanceof OperationTimeoutError) return undefined;
        throw error;
      });
    };
    await arena.play(async (player) => {
      const lock = await take(player);
      if (lock === undefined) return;
      const end = arena.holds.took(player.name, lock);
      await arena.linger(15);
      end();
      await lock.release();
    });
    const { holds } = arena.holds;
    expect(holds.length).toBeGreaterThan(20);
    expect(findOverlaps(holds)).toEqual([]);
    expect(findFallingTokens(holds)).toEqual([]);
    await until(async () => (await arena.observer.getChildren(path)).length === 0, {
      what: 'all contenders to be gone',
      timeout: 30_000,
    });
    for (const { zk } of arena.players) await new Mutex(zk, path).using(() => undefined, { timeout: 30_000 });
  },
  180_000,
);
