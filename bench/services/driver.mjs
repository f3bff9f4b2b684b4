// A process that follows all services of a registry: `node --expose-gc driver.mjs`. Lines of JSON in and out, as
// ../clients/driver.mjs has them: `open` follows them all and says what the first lists took, `mark` what was seen so far.
import { createInterface } from 'node:readline';
import { ZooKeeper } from 'zookit';
import { ServiceRegistry } from 'zookit/recipes';
import { CHROOT } from '../wire/works.mjs';

let zk;
let providers = [];
let seen = 0;

/** Bytes of what is alive: on the heap, and in buffers. */
function held() {
  globalThis.gc();
  globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return { heap: heapUsed, buffers: arrayBuffers };
}

function processorTime() {
  const { user, system } = process.cpuUsage();
  return user + system;
}

async function follow(provider) {
  for await (const { updated } of provider) seen += updated.length;
}

const commands = {
  async open({ port, basePath, services, instances }) {
    zk = await ZooKeeper.connect(`127.0.0.1:${port}${CHROOT}`, { sessionTimeout: 30_000 });
    const registry = new ServiceRegistry(zk, { basePath });
    const before = held();
    const cpu = processorTime();
    const begin = performance.now();
    providers = Array.from({ length: services }, (_, index) => registry.provider(`service-${index}`));
    await Promise.all(providers.map((provider) => provider.ready()));
    const load = performance.now() - begin;
    const loadCpu = processorTime() - cpu;
    const count = providers.reduce((sum, { list }) => sum + list.instances.length, 0);
    if (count !== services * instances) throw new Error(`${count} instances were found`);
    const after = held();
    for (const provider of providers) void follow(provider);
    return { load, loadCpu, heap: after.heap - before.heap, buffers: after.buffers - before.buffers };
  },

  mark: () => ({ cpu: processorTime(), seen }),

  async close() {
    await Promise.all(providers.map((provider) => provider.close()));
    await zk?.close();
    return {};
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { command, ...details } = JSON.parse(line);
  const answer = await (async () => commands[command](details))().catch((error) => ({ error: String(error?.stack) }));
  console.log(JSON.stringify(answer));
}
process.exit(0);
