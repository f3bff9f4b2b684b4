// A gate that holds workers back, and a double barrier that lets them begin and go together.
import { randomUUID } from 'node:crypto';
import { ZooKeeper } from 'zookit';
import { Barrier, DoubleBarrier } from 'zookit/recipes';

const zk = await ZooKeeper.connect(process.argv[2] ?? '127.0.0.1:2181');
try {
  const gate = new Barrier(zk, `/zookit-examples/gates/${randomUUID()}`);
  await gate.set();
  const through = gate.wait({ timeout: 10_000 }).then(() => console.log('the gate is open'));
  console.log('the gate is closed');
  await gate.remove();
  await through;

  // Each object is one participant; usually each is in a process of its own.
  const path = `/zookit-examples/rounds/${randomUUID()}`;
  const work = async (name) => {
    const barrier = new DoubleBarrier(zk, path, 3);
    await barrier.enter({ timeout: 10_000 });
    console.log(`${name} begins`);
    await barrier.leave({ timeout: 10_000 });
    console.log(`${name} goes`);
  };
  await Promise.all(['anna', 'ben', 'carl'].map(work));
} finally {
  await zk.close();
}
