import { describe, expect, it } from '@jest/globals';
import { Barrier, DoubleBarrier } from 'zookit/recipes';
import { until } from '../support/until.js';
import { usePeers } from './peers.js';

const peers = usePeers();

/** The same gate in three languages. */
async function gates(path: string) {
  const java = await peers.curator.open('barrier', path);
  const python = await peers.kazoo.open('barrier', path);
  const ours = new Barrier(peers.zk, path);
  return {
    Java: { set: () => java.call('set'), remove: () => java.call('remove'), wait: () => java.call('wait') },
    Python: { set: () => python.call('set'), remove: () => python.call('remove'), wait: () => python.call('wait') },
    Node: { set: () => ours.set(), remove: () => ours.remove(), wait: () => ours.wait().then(() => true) },
  };
}

describe('a barrier', () => {
  it.each([
    ['Java', 'Node'],
    ['Node', 'Java'],
    ['Python', 'Node'],
    ['Node', 'Python'],
    ['Java', 'Python'],
  ] as const)('that %s sets and %s removes holds back all three', async (setter, remover) => {
    const path = `/gate-${setter}-${remover}`;
    const all = await gates(path);
    await all[setter].set();
    let passed = 0;
    const waiting = Object.values(all).map(async ({ wait }) => {
      expect(await wait()).toBe(true);
      passed++;
    });
    await until(async () => (await peers.zk.exists(path)) !== null, { what: 'the barrier' });
    expect(passed).toBe(0);
    // A peer does one thing at a time with each of its objects.
    await (await gates(path))[remover].remove();
    await Promise.all(waiting);
    expect(passed).toBe(3);
  });
});

describe('a double barrier', () => {
  it.each([
    ['Java and Node', 2, 0],
    ['Python and Node', 0, 2],
    ['all three', 1, 1],
  ])('of %s: they begin together, and go together', async (_, ofJava, ofPython) => {
    const path = `/meeting-${ofJava}-${ofPython}`;
    const count = ofJava + ofPython + 2;
    const open = (kind: 'curator' | 'kazoo') =>
      kind === 'curator'
        ? peers.curator.open('doubleBarrier', path, { count })
        : peers.kazoo.open('doubleBarrier', path, { count });
    const theirs = await Promise.all([
      ...Array.from({ length: ofJava }, () => open('curator')),
      ...Array.from({ length: ofPython }, () => open('kazoo')),
    ]);
    const [ours, last] = [new DoubleBarrier(peers.zk, path, count), new DoubleBarrier(peers.zk, path, count)];
    let inside = 0;
    const early = [...theirs.map((each) => each.call('enter')), ours.enter()].map((entering) =>
      entering.then(() => inside++),
    );
    await until(async () => (await peers.zk.getChildren(path)).length === count - 1, { what: 'all but one' });
    expect(inside).toBe(0);
    await Promise.all([...early, last.enter()]);
    expect(inside).toBe(count - 1);

    let gone = 0;
    const leaving = [...theirs.map((each) => each.call('leave')), ours.leave()].map((each) => each.then(() => gone++));
    await until(
      async () => {
        const members = (await peers.zk.getChildren(path)).filter((name) => name !== 'ready');
        return members.length <= 2;
      },
      { what: 'all but the lowest and the last to leave' },
    );
    expect(gone).toBe(0);
    await Promise.all([...leaving, last.leave()]);
    expect((await peers.zk.exists(path))?.numChildren ?? 0).toBe(0);
  });
});
