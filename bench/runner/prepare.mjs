// The znodes that the works need, made on a real server before they begin. The stand-in needs none.
import { ZooKeeper } from 'zookit';
import { ServiceRegistry } from 'zookit/recipes';
import {
  CHILDREN,
  childName,
  childrenPath,
  CHROOT,
  MULTI,
  multiPath,
  SIZES,
  valueOf,
  valuePath,
  WATCHED,
  watchedPath,
  writtenPath,
} from '../wire/works.mjs';

/** Makes what is read and written, and for each client the znodes that it watches. */
export async function prepareTree(port, clients) {
  const zk = await ZooKeeper.connect(`127.0.0.1:${port}`, { sessionTimeout: 30_000 });
  try {
    await zk.create(CHROOT, null, { parents: true });
    await make(zk.chroot(CHROOT), clients);
  } finally {
    await zk.close();
  }
}

async function make(zk, clients) {
  const znodes = new Map([
    ...SIZES.flatMap((bytes) => [valuePath(bytes), writtenPath(bytes)].map((path) => [path, valueOf(bytes)])),
    ...Array.from({ length: MULTI }, (_, index) => [multiPath(index), valueOf(100)]),
    ...clients.flatMap((name) =>
      Array.from({ length: WATCHED }, (_, index) => [watchedPath(name, index), valueOf(100)]),
    ),
    [childrenPath, null],
    ...Array.from({ length: CHILDREN }, (_, index) => [`${childrenPath}/${childName(index)}`, null]),
    ['/config', '{"version":0}'],
    ['/locks', null],
  ]);
  await Promise.all([...znodes].map(([path, data]) => zk.create(path, data)));
}

/** Registers instances of the service `cart`, which stay until the returned client is closed. */
export async function registerServices(port, count) {
  const zk = await ZooKeeper.connect(`127.0.0.1:${port}${CHROOT}`, { sessionTimeout: 30_000 });
  const registry = new ServiceRegistry(zk);
  const services = Array.from({ length: count }, (_, index) => ({
    name: 'cart',
    address: '127.0.0.1',
    port: 8_000 + index,
  }));
  await Promise.all(services.map((service) => registry.register(service)));
  return zk;
}
