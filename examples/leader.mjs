// Three candidates, each with a session of its own as if it were a process of its own. One leads; when it goes, the
// next one does.
import { ZooKeeper } from 'zookit';
import { LeaderLatch } from 'zookit/recipes';

const server = process.argv[2] ?? '127.0.0.1:2181';

async function stand(id) {
  const zk = await ZooKeeper.connect(server);
  const latch = new LeaderLatch(zk, '/zookit-examples/leader', { id });
  latch.start();
  return { id, zk, latch };
}

const candidates = await Promise.all(['anna', 'ben', 'carl'].map(stand));
try {
  const waiting = new Set(candidates);
  while (waiting.size > 0) {
    const { candidate, term } = await Promise.any(
      [...waiting].map(async (each) => ({ candidate: each, term: await each.latch.lead({ timeout: 10_000 }) })),
    );
    const standing = await candidate.latch.participants();
    console.log(`${candidate.id} leads with the token ${term.fencingToken}, of ${standing.map(({ id }) => id)}`);
    await candidate.latch.close();
    console.log(`${candidate.id} has stepped down: held is ${term.held}`);
    waiting.delete(candidate);
  }
} finally {
  await Promise.all(candidates.map(({ latch }) => latch.close()));
  await Promise.all(candidates.map(({ zk }) => zk.close()));
}
