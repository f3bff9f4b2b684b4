// A job that is run once, however many ask for it: here three workers, and whoever runs this program a second time.
import { ZooKeeper } from 'zookit';
import { once } from 'zookit/recipes';

const zk = await ZooKeeper.connect(process.argv[2] ?? '127.0.0.1:2181');
try {
  const ask = async (worker) => {
    const schema = await once(
      zk,
      '/zookit-examples/once',
      async (lock) => {
        console.log('one of them makes the schema');
        // The server refuses this, and the result, when the lock is gone.
        await lock.guard(zk.transaction()).create('/zookit-examples/schema', '7').commit();
        return { version: 7 };
      },
      { timeout: 30_000 },
    );
    console.log(`${worker} has the schema ${schema.version}`);
  };
  await Promise.all(['first', 'second', 'third'].map(ask));
} finally {
  await zk.close();
}
