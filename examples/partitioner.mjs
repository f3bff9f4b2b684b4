// Six queues and two workers, each with a session of its own as if it were a process of its own. The second one takes over
// its share when it comes, and the first one gets it back when it goes. No queue has two workers at a time.
import { randomUUID } from 'node:crypto';
import { ZooKeeper } from 'zookit';
import { Group, Partitioner, partitioning } from 'zookit/recipes';

const server = process.argv[2] ?? '127.0.0.1:2181';
const path = `/zookit-examples/queues/${randomUUID()}`;
const partitions = Array.from({ length: 6 }, (_, index) => `queue-${index}`);

async function begin(id) {
  const zk = await ZooKeeper.connect(server);
  const partitioner = new Partitioner(zk, path, { partitions, id, strategy: partitioning.sticky(), settle: 200 });
  const running = partitioner.run(async ({ name, signal }) => {
    console.log(`${id} takes ${name}`);
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    console.log(`${id} leaves ${name}`);
  });
  const end = async () => {
    await partitioner.close();
    await running;
    await zk.close();
  };
  return { partitioner, end };
}

const zk = await ZooKeeper.connect(server);
const group = new Group(zk, `${path}/party`, { layout: 'shallowParty' });
try {
  const anna = await begin('anna');
  await anna.partitioner.ready();
  const ben = await begin('ben');
  await ben.partitioner.ready();
  console.log(`now there are ${(await group.until((all) => all.length === 2)).map(({ id }) => id)}`);
  await ben.end();
  while (anna.partitioner.owned.size < 6) await new Promise((resolve) => setTimeout(resolve, 20));
  await anna.end();
} finally {
  await group.close();
  await zk.close();
}
