// npm node-zookeeper-client: pure JavaScript, callbacks.
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
import { chains } from './callbacks.mjs';
import { peerPackage } from './peer-package.mjs';

const calls = {
  get: (client, { bytes }) => {
    const path = valuePath(bytes);
    return (answered) => client.getData(path, answered);
  },
  exists: (client, { bytes }) => {
    const path = valuePath(bytes);
    return (answered) => client.exists(path, answered);
  },
  set: (client, { bytes }) => {
    const path = writtenPath(bytes);
    const value = valueOf(bytes);
    return (answered) => client.setData(path, value, answered);
  },
  create: (client, { bytes, name }, index) => {
    const path = createdPath(name, index);
    const value = valueOf(bytes);
    return (answered) =>
      client.create(path, value, (error) => {
        if (error) answered(error);
        else client.remove(path, answered);
      });
  },
  children: (client) => (answered) => client.getChildren(childrenPath, answered),
  multi: (client, { bytes }) => {
    const paths = Array.from({ length: MULTI }, (_, index) => multiPath(index));
    const value = valueOf(bytes);
    return (answered) => {
      const transaction = client.transaction();
      for (const path of paths) transaction.setData(path, value);
      transaction.commit(answered);
    };
  },
  watch: (client, { bytes, name }, index) => {
    const path = watchedPath(name, index);
    const value = valueOf(bytes);
    return (answered) => {
      // The event may come before the answer to the write, and does.
      let missing = 2;
      const part = (error) => {
        if (error) answered(error);
        else if (--missing === 0) answered();
      };
      const changed = () => part();
      client.getData(path, changed, (error) => {
        if (error) answered(error);
        else client.setData(path, value, part);
      });
    };
  },
};

export async function open(work) {
  const client = peerPackage('node-zookeeper-client').createClient(`127.0.0.1:${work.port}${CHROOT}`);
  const connected = new Promise((resolve) => client.once('connected', resolve));
  client.connect();
  await connected;
  const all = Array.from({ length: work.window }, (_, index) => calls[work.work](client, work, index));
  return Object.assign(chains(all, work.work === 'create' ? 2 : 1), { close: () => client.close() });
}
