// One step of growth in a process of its own: `node --expose-gc driver.mjs KIND COUNT PORT` prints one line of JSON with
// the milliseconds of each phase and the bytes that `COUNT` of them hold.
import { setImmediate } from 'node:timers/promises';
import { ZooKeeper } from 'zookit';
import { TreeCache } from 'zookit/recipes';
import { cachedName, cachedRootPath, CHROOT, valuePath } from '../wire/works.mjs';

const [, , kind, countText, portText] = process.argv;
const count = Number(countText);
const connect = () => ZooKeeper.connect(`127.0.0.1:${portText}${CHROOT}`, { sessionTimeout: 60_000 });

/** Calls `act` for each number below `most`, so many of them at once. */
async function each(most, window, act) {
  let next = 0;
  const loop = async () => {
    while (next < most) await act(next++);
  };
  await Promise.all(Array.from({ length: Math.min(window, most) }, loop));
}

/** Bytes of what is alive: on the heap, and in buffers. */
function held() {
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return { heap: heapUsed, buffers: arrayBuffers };
}

const since = (begin) => performance.now() - begin;

const kinds = {
  /** One-shot watches of as many znodes, each with a listener of its own: to set them, and to be told of a change of each. */
  async watches(most) {
    const zk = await connect();
    const paths = Array.from({ length: most }, (_, index) => `/w-${index}w`);
    let told = 0;
    let allTold;
    const all = new Promise((resolve) => (allTold = resolve));
    const before = held();
    const begin = performance.now();
    await each(most, 256, (index) =>
      zk.getData(paths[index], {
        watch: () => {
          if (++told === most) allTold();
        },
      }),
    );
    const set = since(begin);
    const after = held();
    const written = performance.now();
    await each(most, 256, (index) => zk.setData(paths[index], 'x'));
    await all;
    const tell = since(written);
    return { zk, before, after, times: { set, tell } };
  },

  /** A cache of a znode with as many children of 100 bytes: until it is ready, and until it has followed a change of each. */
  async caches(most) {
    const zk = await connect();
    const root = cachedRootPath(most);
    const before = held();
    const begin = performance.now();
    const cache = await TreeCache.open(zk, root);
    const load = since(begin);
    const after = held();
    if (cache.size !== most + 1) throw new Error(`there are ${cache.size} znodes in a cache for ${most + 1}`);
    const written = performance.now();
    await each(most, 256, (index) => zk.setData(`${root}/${cachedName(index)}`, 'x'));
    while (cache.stale) await setImmediate();
    const follow = since(written);
    // Here, so that the cache is still in use when memory is looked at.
    await cache.close();
    return { zk, before, after, times: { load, follow } };
  },

  /** Reads that are called in one go: to call them, and until all are answered. Memory while none is answered. */
  async operations(most) {
    const zk = await connect();
    const path = valuePath(100);
    const results = [];
    const before = held();
    const begin = performance.now();
    for (let index = 0; index < most; index++) results.push(zk.getData(path));
    const call = since(begin);
    const after = held();
    const called = performance.now();
    await Promise.all(results);
    return { zk, before, after, times: { call, answer: since(called) } };
  },

  /** Sessions of one process: to open them, one operation of each, and to close them. */
  async sessions(most) {
    const clients = [];
    const before = held();
    const begin = performance.now();
    await each(most, 16, async () => clients.push(await connect()));
    const open = since(begin);
    const after = held();
    const asked = performance.now();
    await Promise.all(clients.map((zk) => zk.getData(valuePath(100))));
    const ask = since(asked);
    const closed = performance.now();
    await each(most, 16, (index) => clients[index].close());
    return { zk: undefined, before, after, times: { open, ask, close: since(closed) } };
  },
};

const warmUp = { watches: 3_000, caches: 1_000, operations: 3_000, sessions: 30 }[kind];
for (let run = 0; run < 3; run++) await (await kinds[kind](warmUp)).zk?.close();

const { zk, before, after, times } = await kinds[kind](count);
await zk?.close();
console.log(JSON.stringify({ times, heap: after.heap - before.heap, buffers: after.buffers - before.buffers }));
process.exit(0);
