// Several writes that happen all together or not at all.
import { BadVersionError, ZooKeeper } from 'zookit';

const zk = await ZooKeeper.connect(process.argv[2] ?? '127.0.0.1:2181');
try {
  const root = (await zk.create('/zookit-examples/accounts-', null, { mode: 'persistentSequential', parents: true }))
    .path;
  await zk.transaction().create(`${root}/anna`, '100').create(`${root}/ben`, '20').commit();

  const transfer = async (amount) => {
    const [anna, ben] = await Promise.all([zk.getData(`${root}/anna`), zk.getData(`${root}/ben`)]);
    const [, , entry] = await zk
      .transaction()
      .setData(`${root}/anna`, String(Number(anna.text()) - amount), anna.stat.version)
      .setData(`${root}/ben`, String(Number(ben.text()) + amount), ben.stat.version)
      .create(`${root}/transfer-`, String(amount), { mode: 'persistentSequential' })
      .commit();
    console.log(`transferred ${amount}: entry ${entry.sequence}`);
  };
  await transfer(30);

  try {
    await zk.transaction().create(`${root}/carl`, '0').check(`${root}/anna`, 0).commit();
  } catch (error) {
    if (!(error instanceof BadVersionError)) throw error;
    console.log(`operation ${error.transaction.index} failed (${error.code}), so all: ${error.transaction.outcomes}`);
  }

  for (const [name, node] of await zk.getChildrenData(root)) console.log(`${name}: ${node.text()}`);
  await zk.deleteTree(root);
} finally {
  await zk.close();
}
