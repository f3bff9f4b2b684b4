// npm zookeeper: the C client behind a native addon, promises. It has no transactions.
import { CHROOT, childrenPath, createdPath, valueOf, valuePath, watchedPath, writtenPath } from '../wire/works.mjs';
import { loops } from './promises.mjs';
import { peerPackage } from './peer-package.mjs';

const ANY_VERSION = -1;

const calls = {
  get: (client, { bytes }) => {
    const path = valuePath(bytes);
    return () => client.get(path, false);
  },
  exists: (client, { bytes }) => {
    const path = valuePath(bytes);
    return () => client.exists(path, false);
  },
  set: (client, { bytes }) => {
    const path = writtenPath(bytes);
    const value = valueOf(bytes);
    return () => client.set(path, value, ANY_VERSION);
  },
  create: (client, { bytes, name }, index) => {
    const path = createdPath(name, index);
    const value = valueOf(bytes);
    return async () => {
      await client.create(path, value, 0);
      await client.delete_(path, ANY_VERSION);
    };
  },
  children: (client) => () => client.get_children(childrenPath, false),
  watch: (client, { bytes, name }, index) => {
    const path = watchedPath(name, index);
    const value = valueOf(bytes);
    return async () => {
      let told;
      const changed = new Promise((resolve) => (told = resolve));
      await client.w_get(path, told);
      await client.set(path, value, ANY_VERSION);
      await changed;
    };
  },
};

export async function open(work) {
  const ZooKeeper = peerPackage('zookeeper');
  const client = new ZooKeeper({
    connect: `127.0.0.1:${work.port}${CHROOT}`,
    timeout: 30_000,
    debug_level: ZooKeeper.constants.ZOO_LOG_LEVEL_ERROR,
    host_order_deterministic: true,
  });
  const connected = new Promise((resolve) => client.once('connect', resolve));
  client.init({});
  await connected;
  const all = Array.from({ length: work.window }, (_, index) => calls[work.work](client, work, index));
  return Object.assign(loops(all, work.work === 'create' ? 2 : 1), { close: () => client.close() });
}
