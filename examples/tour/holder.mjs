// Takes a lock, says so to the process that started it, and holds it until it is killed.
import { ZooKeeper } from 'zookit';
import { Mutex } from 'zookit/recipes';

const [server, path] = process.argv.slice(2);
process.once('disconnect', () => process.exit());
const zk = await ZooKeeper.connect(`${server}/zookit-tour`, { sessionTimeout: 2_000 });
const lock = await new Mutex(zk, path, { data: 'carl' }).acquire();
process.send([lock.fencingToken.toString()]);
