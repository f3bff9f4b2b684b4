// Watches: one that tells once, and one that stays and covers a whole tree.
import { randomUUID } from 'node:crypto';
import { ZooKeeper } from 'zookit';

const zk = await ZooKeeper.connect(process.argv[2] ?? '127.0.0.1:2181');
try {
  const root = `/zookit-examples/${randomUUID()}`;
  await zk.ensurePath(root);

  // Once: the function is called at the first change of what was read.
  let tell;
  const told = new Promise((resolve) => (tell = resolve));
  await zk.getData(root, { watch: tell });
  await zk.setData(root, 'changed');
  const event = await told;
  console.log(`once: ${event.type} ${event.path}`);

  // Until it is closed: needs ZooKeeper 3.6.
  const watcher = await zk.addWatch(root, { recursive: true });
  await zk.create(`${root}/a/b`, 'new', { parents: true });
  await zk.deleteTree(root);
  for await (const each of watcher) {
    if (each.type === 'resync') console.log('stays: something may have been missed; read again');
    else if (each.type === 'ended') console.log(`stays: over, ${each.reason}`);
    else console.log(`stays: ${each.type} ${each.path}`);
    // Leaving the loop closes the watcher.
    if (each.type === 'deleted' && each.path === root) break;
  }
} finally {
  await zk.close();
}
