// All services of a big registry followed by one process: what their first lists take, and what it takes to follow them
// while instances change. On a real server, whose time does not count.
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ZooKeeper } from 'zookit';
import { curatorSerializer } from 'zookit/recipes';
import { Child } from '../runner/child.mjs';
import { median, rounded } from '../runner/figures.mjs';
import { compileJava } from '../runner/java.mjs';
import { startTarget } from '../runner/servers.mjs';
import { servicesRows, table } from '../runner/tables.mjs';
import { CHROOT } from '../wire/works.mjs';

const driver = fileURLToPath(new URL('driver.mjs', import.meta.url));

const BASE_PATH = '/many';
const SERVICES = 500;
const INSTANCES = 20;
/** Changes a second. */
const RATE = 100;
/** Milliseconds between two handfuls of changes. */
const STEP = 50;

const { serialize } = curatorSerializer();

function dataOf(service, instance, change) {
  return serialize({
    name: `service-${service}`,
    id: `instance-${instance}`,
    address: `10.1.${service % 256}.${instance}`,
    port: 8_080,
    sslPort: null,
    payload: { '@class': 'java.util.HashMap', version: '1.27.3', change },
    registrationTimeUTC: 1_750_000_000_000,
    serviceType: 'DYNAMIC',
    uriSpec: null,
    enabled: true,
    weight: null,
    zone: null,
  });
}

const pathOf = (service, instance) => `${BASE_PATH}/service-${service}/instance-${instance}`;

async function plant(zk) {
  await zk.create(BASE_PATH);
  const indexes = (length) => Array.from({ length }, (_, index) => index);
  await Promise.all(indexes(SERVICES).map((service) => zk.create(`${BASE_PATH}/service-${service}`)));
  for (const service of indexes(SERVICES)) {
    await Promise.all(
      indexes(INSTANCES).map((instance) => zk.create(pathOf(service, instance), dataOf(service, instance, 0))),
    );
  }
}

/** Changes instances of different services, one after the other, at the rate. Resolves with how many that were. */
async function change(zk, milliseconds) {
  const begin = performance.now();
  let done = 0;
  while (performance.now() - begin < milliseconds) {
    const due = Math.floor(((performance.now() - begin) / 1_000) * RATE);
    const writes = [];
    for (; done < due; done++) {
      const [service, instance] = [(done * 7) % SERVICES, (done * 3) % INSTANCES];
      writes.push(zk.setData(pathOf(service, instance), dataOf(service, instance, done)));
    }
    await Promise.all(writes);
    await pause(STEP);
  }
  return { done, seconds: (performance.now() - begin) / 1_000 };
}

/** One process, from its start to its end. */
async function round(start, port, zk, milliseconds) {
  const child = start();
  try {
    const opened = await child.ask('open', { port, basePath: BASE_PATH, services: SERVICES, instances: INSTANCES });
    // What was left over from the first lists, as collections and compilations, is not of the changes.
    await change(zk, milliseconds / 4);
    await pause(200);
    const begin = await child.ask('mark');
    const { done, seconds } = await change(zk, milliseconds);
    await pause(200);
    const end = await child.ask('mark');
    if (end.seen - begin.seen < done / 2) throw new Error(`of ${done} changes ${end.seen - begin.seen} were seen`);
    await child.ask('close');
    return { ...opened, part: (end.cpu - begin.cpu) / seconds / 1e6, each: (end.cpu - begin.cpu) / done, done };
  } finally {
    await child.end();
  }
}

function followers(names) {
  const found = [];
  if (names.includes('zookit'))
    found.push({ client: 'zookit', start: () => new Child('zookit', process.execPath, ['--expose-gc', driver]) });
  if (names.includes('curator')) {
    try {
      const { classPath } = compileJava();
      const args = ['-Xmx1g', '-cp', classPath, '-Dorg.slf4j.simpleLogger.defaultLogLevel=off', 'ManyServices'];
      found.push({ client: 'curator', start: () => new Child('curator', 'java', args) });
    } catch (error) {
      console.log(`Left out: curator; missing is ${error.message}`);
    }
  }
  return found;
}

/** @param {{ clients: string[], rounds: number, seconds: number }} options */
export async function measureServices({ clients, rounds, seconds }) {
  const server = await startTarget('standalone', []);
  const zk = await ZooKeeper.connect(`127.0.0.1:${server.port}${CHROOT}`, { sessionTimeout: 30_000 });
  const taken = followers(clients).map((follower) => ({ ...follower, rounds: [] }));
  try {
    await plant(zk);
    for (let turn = 0; turn < rounds; turn++) {
      for (const { start, rounds: done } of taken) done.push(await round(start, server.port, zk, seconds * 5_000));
    }
  } finally {
    await zk.close();
    await server.end();
  }
  const results = taken.map(({ client, rounds: done }) => {
    const middle = (of) => rounded(median(done.map(of)));
    return {
      ...{ client, services: SERVICES, instances: SERVICES * INSTANCES, changes: RATE },
      /** Milliseconds until all lists were there, and of processor time, user and system. */
      load: middle(({ load }) => load),
      loadCpu: middle(({ loadCpu }) => loadCpu / 1_000),
      /** Bytes. */
      heap: middle(({ heap }) => heap),
      buffers: middle(({ buffers }) => buffers),
      /** The part of one processor, and microseconds of it a change. */
      part: middle(({ part }) => part),
      each: middle(({ each }) => each),
    };
  });
  console.log('\nservices');
  console.log(table(servicesRows(results)));
  return results;
}
