// A lock that three workers share, and a store that refuses writers who come too late.
// Run it in two terminals at once: the workers of both take turns.
import { setTimeout as pause } from 'node:timers/promises';
import { ZooKeeper } from 'zookit';
import { acceptsToken, Mutex } from 'zookit/recipes';

const zk = await ZooKeeper.connect(process.argv[2] ?? '127.0.0.1:2181');
try {
  const mutex = new Mutex(zk, '/zookit-examples/lock', { data: `process ${process.pid}` });

  let highest;
  const store = (worker, token) => {
    if (!acceptsToken(token, highest)) throw new Error(`${worker} comes too late`);
    highest = token;
    console.log(`${worker} writes with the token ${token}`);
  };

  const work = async (worker) => {
    await mutex.using(
      async (lock) => {
        store(worker, lock.fencingToken);
        // Whatever takes time gets the signal: it aborts when the lock may be lost.
        await pause(50, undefined, { signal: lock.signal });
      },
      { timeout: 30_000 },
    );
  };
  await Promise.all(['first', 'second', 'third'].map(work));

  const lock = await mutex.tryAcquire();
  console.log(lock === undefined ? 'somebody else has it now' : 'nobody else wants it');
  await lock?.release();
} finally {
  await zk.close();
}
