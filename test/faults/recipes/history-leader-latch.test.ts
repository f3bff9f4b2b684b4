import { expect, it } from '@jest/globals';
import { LeaderLatch } from 'zookit/recipes';
import { findFallingTokens, findOverlaps } from '../../support/histories/holds.js';
import { until } from '../../support/until.js';
import { Arena, seeds } from './arena.js';

const path = '/latch';

it.each(seeds())(
  'never two leaders, tokens that grow, no ghosts: seed %d',
  async (seed) => {
    await using arena = await Arena.start(seed, 4);
    await arena.play(async ({ name, zk }) => {
      await using latch = new LeaderLatch(zk, path, { id: name });
      const term = await latch.lead();
      const end = arena.holds.took(name, term);
      await arena.linger(15);
      end();
    });
    const { holds } = arena.holds;
    expect(holds.length).toBeGreaterThan(20);
    expect(findOverlaps(holds)).toEqual([]);
    expect(findFallingTokens(holds)).toEqual([]);
    await until(async () => (await arena.observer.getChildren(path)).length === 0, {
      what: 'all candidates to be gone',
      timeout: 30_000,
    });
  },
  180_000,
);
