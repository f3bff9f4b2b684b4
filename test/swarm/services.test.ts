/** Tasks of a real Swarm that register themselves, callers that call them all the time, and all that can happen to both. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Container, docker } from '../support/docker.js';
import { HoldUps } from '../support/hold-ups.js';
import { until } from '../support/until.js';
import { ids, Observer } from './observer.js';
import { joinSwarm, servers, Stack } from './rig.js';
import { buildExample, type CallCounts, Shop } from './shop.js';

/** The session timeout of the example's processes, ms. */
const SESSION = 4_000;

/** Ticks of the servers are short, because they end sessions by ticks; the rest of the times is as usual. */
const ticks = { ZOO_TICK_TIME: '500', ZOO_INIT_LIMIT: '40', ZOO_SYNC_LIMIT: '20' };

let swarm: Awaited<ReturnType<typeof joinSwarm>>;
let stack: Stack;
let shop: Shop;
let observer: Observer;
/** What is to be undone, the last first: also where not all of it was done. */
const undo: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  swarm = await joinSwarm();
  undo.push(() => swarm.leave());
  const image = `zookit-example-${process.pid}`;
  undo.push(() => docker(['image', 'rm', '--force', image, `${image}-node`]));
  const building = buildExample(image);
  building.catch(() => undefined);
  stack = await Stack.deploy(swarm.node, ticks);
  undo.push(() => stack.dispose());
  await building;
  shop = new Shop(stack, image);
  observer = await Observer.start(stack, shop);
  undo.push(() => observer.close());
  await shop.deploy('1');
}, 360_000);

afterAll(async () => {
  for (const step of undo.reverse()) await step();
}, 240_000);

/** For whoever reads the log of a run. */
function tell(what: string): void {
  process.stderr.write(`swarm services: ${what}\n`);
}

/** Runs a step while calls go on, and gives what became of them. */
async function whileCalling(step: () => Promise<void>): Promise<CallCounts> {
  const before = await shop.callsGoOn();
  await step();
  const after = await shop.callsGoOn();
  return {
    calls: after.calls - before.calls,
    failed: after.failed - before.failed,
    retried: after.retried - before.retried,
    served: after.served,
  };
}

describe('a service of three tasks', () => {
  it('is found by its callers: each task once, by its id, on the network that was asked for', async () => {
    const instances = await observer.settled(3);
    const subnet = await subnetOf(`${shop.name}_shop`);
    for (const { id, name, address, port, payload } of instances) {
      expect([name, port]).toEqual([shop.web, 8080]);
      expect(address).toMatch(within(subnet));
      expect(payload).toMatchObject({ version: '1', swarm: { service: shop.web, id, node: swarm.node } });
    }
    expect(instances.map(({ payload }) => payload?.swarm.slot).sort()).toEqual([1, 2, 3]);
    await shop.callsGoOn();
  }, 120_000);

  it('is scaled to 10 and back, and no call fails', async () => {
    const { failed, calls } = await whileCalling(async () => {
      await shop.scale(10);
      await observer.settled(10);
      tell(`seen after their registration: ${observer.latencies.map(Math.round).join(', ')} ms`);
      await shop.scale(3);
      await observer.settled(3);
    });
    expect([failed, calls > 100]).toEqual([0, true]);
  }, 200_000);

  it('is updated task by task, and no call fails', async () => {
    const { failed, retried, served } = await whileCalling(async () => {
      await shop.deploy('2');
      await until(async () => (await observer.settled(3)).every(({ payload }) => payload?.version === '2'), {
        what: 'three tasks of the new version',
        timeout: 120_000,
        interval: 500,
      });
    });
    expect([failed, Object.keys(served).sort()]).toEqual([0, ['1', '2']]);
    tell(`calls made again during the update: ${retried}`);
  }, 200_000);

  it('loses a task to SIGKILL: it is off the list within the session timeout and a second, and calls go on', async () => {
    const [victim] = await shop.running();
    const container = await shop.container(victim!);
    using holdUps = new HoldUps();
    const { failed, retried } = await whileCalling(async () => {
      await container.kill();
      await until(() => observer.went.has(victim!), { what: 'the task to be off the list', timeout: 30_000 });
      await observer.settled(3);
    });
    const died = Date.parse(await container.inspect<string>('{{json .State.FinishedAt}}'));
    const took = observer.went.get(victim!)! - died;
    tell(`off the list after SIGKILL: ${took} ms; calls made again after it: ${retried}`);
    // Servers end sessions by ticks of 500 ms; the rest of the second, and what held up this process, is for a busy machine.
    expect(took).toBeLessThan(SESSION + 1_000 + holdUps.total);
    expect(failed).toBe(0);
  }, 120_000);
});

describe('a task that no stack file tells anything', () => {
  /** Registers itself in one way after the other, writes what came of each, and has something left to do for ever. */
  const probe = `
    import { ZooKeeper } from 'zookit';
    import { ServiceRegistry } from 'zookit/recipes';
    const zk = await ZooKeeper.connect(process.env.ZOOKEEPER);
    const registry = new ServiceRegistry(zk, { basePath: '/probes' });
    let networks;
    const address = (addresses) => {
      networks = addresses.map(({ network }) => network);
      return addresses.find(({ network }) => network?.endsWith('_shop')).address;
    };
    for (const options of [{}, { network: 'shop' }, { network: process.env.RANGE }, { address }, { network: 'nowhere' }]) {
      const found = await registry.registerTask({ ...options, drain: 0 }).catch((error) => error);
      console.log(JSON.stringify(found.code ?? { task: found.task, ...found.instance }));
      await found.stop?.();
    }
    console.log(JSON.stringify(networks.sort()));
    await registry.registerTask({ drain: 0 });
    console.log('done');
    setInterval(() => undefined, 1_000);`;

  /** Starts the probe on the networks of the ensemble, of the shop, and on the ingress network. */
  async function startProbe(name: string, networks: readonly string[], range: string): Promise<Container> {
    await docker([
      ...['service', 'create', '--detach', '--no-resolve-image', '--name', name, '--publish', '8080'],
      ...['--env', `ZOOKEEPER=${servers}`, '--env', `RANGE=${range}`],
      ...networks.flatMap((network) => ['--network', network]),
      ...[shop.image, 'node', '--input-type=module', '--eval', probe],
    ]);
    const running = ['ps', '--no-trunc', '--quiet', '--filter', `label=com.docker.swarm.service.name=${name}`];
    const id = await until(async () => (await docker(running)) || undefined, { what: 'the probe', timeout: 60_000 });
    return new Container(id);
  }

  it('asks the name service who and where it is; as process 1 it ends, though something is left to do', async () => {
    const name = `${stack.project.name}-probe`;
    const networks = [`${shop.name}_shop`, `${stack.project.name}_zookeeper`] as const;
    const [range, ensemble] = await Promise.all([subnetOf(networks[0]), subnetOf(networks[1])]);
    const container = await startProbe(name, networks, range);
    const log = await until(
      async () => {
        const said = await container.logs();
        return said.includes('done') && said.split('\n');
      },
      { what: 'all ways to be tried', timeout: 60_000, interval: 250 },
    );
    const [byItself, byName, byRange, byChoice, nowhere, known] = log
      .slice(0, 6)
      .map((line) => JSON.parse(line) as unknown);
    const id = await container.inspect<string>('{{json (index .Config.Labels "com.docker.swarm.task.id")}}');
    const task = { service: name, slot: 1, id, node: null };
    // Callers who find it in ZooKeeper share that network with it.
    expect(byItself).toMatchObject({ task, name, id, address: expect.stringMatching(within(ensemble)) });
    for (const found of [byName, byRange, byChoice])
      expect(found).toMatchObject({ task, name, id, address: expect.stringMatching(within(range)) });
    expect(nowhere).toBe('TASK_ADDRESS');
    // The bridge of the node and the ingress network have no names.
    expect(known).toEqual([null, null, ...networks]);
    // 143: by SIGTERM. Had it been killed in the end, it would be 137.
    expect(await container.stop()).toBe(143);
    await docker(['service', 'rm', name]);
  }, 150_000);
});

/** `10.0.1.0/24`: the addresses of a network. */
async function subnetOf(network: string): Promise<string> {
  return docker(['network', 'inspect', '--format', '{{(index .IPAM.Config 0).Subnet}}', network]);
}

/** What the addresses of a network of 24 bits are like, as Swarm makes them. */
function within(subnet: string): RegExp {
  return new RegExp(`^${subnet.replace(/\.0\/24$/, '').replaceAll('.', '\\.')}\\.\\d+$`);
}

describe('without ZooKeeper', () => {
  it('one server that is lost and comes back changes nothing', async () => {
    const before = ids(await observer.settled(3));
    const { failed } = await whileCalling(async () => {
      const [task] = await stack.tasks();
      await task!.container.kill();
      await until(async () => (await stack.task(task!.slot))?.id !== task!.id, {
        what: 'it to be gone',
        timeout: 60_000,
      });
      await stack.allServe();
    });
    expect([failed, ids(await observer.settled(3))]).toEqual([0, before]);
  }, 120_000);

  it('callers go on with what they know while there is no quorum, and all is as it was when it is back', async () => {
    const before = ids(await observer.settled(3));
    const { failed } = await whileCalling(async () => {
      const lost = (await stack.tasks()).slice(0, 2);
      await Promise.all(lost.map(({ container }) => container.kill()));
      await until(() => observer.list.stale, { what: 'the list to be stale', timeout: 30_000 });
      expect(ids(observer.list.instances)).toEqual(before);
      await stack.allServe();
    });
    expect([failed, ids(await observer.settled(3))]).toEqual([0, before]);
  }, 180_000);

  it('all moves out of a node that is drained, and comes back: nothing stale or doubled stays', async () => {
    const before = await shop.running();
    // Whoever else has tasks there would lose them.
    const tasks = ['ps', '--filter', 'label=com.docker.swarm.task.id', '--format', '{{.Names}}'];
    const others = (await docker(tasks)).split('\n').filter((each) => !each.startsWith(stack.project.name));
    expect(others).toEqual([]);
    await docker(['node', 'update', '--availability', 'drain', swarm.node]);
    undo.push(() => docker(['node', 'update', '--availability', 'active', swarm.node]));
    await until(async () => (await docker(['ps', '--quiet', '--filter', `name=${stack.project.name}`])) === '', {
      what: 'all to move out',
      timeout: 60_000,
      interval: 250,
    });
    await docker(['node', 'update', '--availability', 'active', swarm.node]);
    await stack.allServe();
    const after = ids(await observer.settled(3));
    expect(after.filter((id) => before.includes(id))).toEqual([]);
    const { failed } = await shop.callsGoOn();
    expect(failed).toBe(0);
  }, 240_000);
});
