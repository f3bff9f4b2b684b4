// zookit, by its public API as a user has it: promises, typed results, a chroot, metrics, the default options.
import { ZooKeeper } from 'zookit';
import {
  CHROOT,
  childrenPath,
  createdPath,
  MULTI,
  multiPath,
  valueOf,
  valuePath,
  watchedPath,
  writtenPath,
} from '../wire/works.mjs';
import { loops } from './promises.mjs';

const calls = {
  get: (zk, { bytes }) => {
    const path = valuePath(bytes);
    return () => zk.getData(path);
  },
  exists: (zk, { bytes }) => {
    const path = valuePath(bytes);
    return () => zk.exists(path);
  },
  set: (zk, { bytes }) => {
    const path = writtenPath(bytes);
    const value = valueOf(bytes);
    return () => zk.setData(path, value);
  },
  create: (zk, { bytes, name }, index) => {
    const path = createdPath(name, index);
    const value = valueOf(bytes);
    return async () => {
      await zk.create(path, value);
      await zk.delete(path);
    };
  },
  children: (zk) => () => zk.getChildren(childrenPath),
  multi: (zk, { bytes }) => {
    const paths = Array.from({ length: MULTI }, (_, index) => multiPath(index));
    const value = valueOf(bytes);
    return () => {
      const transaction = zk.transaction();
      for (const path of paths) transaction.setData(path, value);
      return transaction.commit();
    };
  },
  watch: (zk, { bytes, name }, index) => {
    const path = watchedPath(name, index);
    const value = valueOf(bytes);
    return async () => {
      let told;
      const changed = new Promise((resolve) => (told = resolve));
      await zk.getData(path, { watch: told });
      await zk.setData(path, value);
      await changed;
    };
  },
};

export async function open(work) {
  const zk = await ZooKeeper.connect(`127.0.0.1:${work.port}${CHROOT}`, { sessionTimeout: 30_000 });
  const call = calls[work.work];
  const all = Array.from({ length: work.window }, (_, index) => call(zk, work, index));
  const traffic = () => {
    const { bytesSent, bytesReceived } = zk.metrics().traffic;
    return bytesSent + bytesReceived;
  };
  return Object.assign(loops(all, work.work === 'create' ? 2 : 1), { traffic, close: () => zk.close() });
}
