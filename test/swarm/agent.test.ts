/** `zookit agent` on a real Swarm: it registers what has labels, through all that becomes of it. */
import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import type { ServiceInstance, SwarmNode, SwarmService } from 'zookit/recipes';
import type { Child } from '../support/child.js';
import { docker, imageUnderTest, Project } from '../support/docker.js';
import { until } from '../support/until.js';
import { buildAgentImage, deployAgent, Rig } from './agent-rig.js';
import { joinSwarm } from './rig.js';

let swarm: Awaited<ReturnType<typeof joinSwarm>>;
let project: Project;
let rig: Rig;
let agent: Child;

beforeAll(async () => {
  swarm = await joinSwarm();
  project = new Project();
  rig = await Rig.start(project);
  agent = await rig.agent();
  await agent.line(/publishes the nodes and services/, { timeout: 60_000 });
}, 180_000);

afterAll(async () => {
  await agent.kill();
  await rig.dispose();
  await project.dispose();
  await swarm.leave();
}, 120_000);

/** One agent for all tests, unless one has ended it. */
afterEach(() => {
  expect(agent.stderr).toBe('');
});

const ids = (instances: readonly ServiceInstance[]): string[] => instances.map(({ id }) => id).sort();
const enabled = (instances: readonly ServiceInstance[]) => instances.filter((each) => each.enabled);

it('finds the tasks of a service as they come, are told to stop, and go', async () => {
  const service = await rig.service(
    'web',
    ...['--replicas', '2', '--container-label', 'zookit.weight=3', '--container-label', 'zookit.payload={"v":1}'],
  );
  const two = await rig.untilInstances(service, ({ length }) => length === 2, 'two instances');
  await rig.untilTasks(service, ids(two));
  for (const { id, address, port, weight, payload, enabled: isEnabled } of two) {
    const networks = await (
      await rig.container(id)
    ).inspect<Record<string, { IPAddress: string }>>('{{json .NetworkSettings.Networks}}');
    expect([address, port, weight, payload, isEnabled]).toEqual([
      ...[networks[rig.network]!.IPAddress, 8080, 3],
      ...[{ v: 1 }, true],
    ]);
  }
  await rig.scale(service, 4);
  const four = await rig.untilInstances(service, ({ length }) => length === 4, 'four instances');
  expect(ids(four)).toEqual(expect.arrayContaining(ids(two)));
  await rig.scale(service, 1);
  // They do not heed SIGTERM, so they are there for another 3 seconds, and not to be called any more.
  await rig.untilInstances(service, (all) => all.length === 4 && enabled(all).length === 1, 'three to be disabled');
  const [left] = await rig.untilInstances(service, ({ length }) => length === 1, 'one instance');
  expect(left!.enabled).toBe(true);
  await rig.untilTasks(service, [left!.id]);
  await docker(['service', 'rm', service]);
  await rig.untilInstances(service, ({ length }) => length === 0, 'no instance');
}, 120_000);

it('has a task within a second of its being healthy, and none that was killed', async () => {
  const service = await rig.service('killed', '--replicas', '1');
  const [first] = await rig.untilInstances(service, ({ length }) => length === 1, 'an instance');
  const container = await rig.container(first!.id);
  const { mtime } = (await rig.zk.exists(`/services/${service}/${first!.id}`))!;
  const { Health } = await container.state();
  const passed = Health!.Log.map((each) => Date.parse((each as unknown as { End: string }).End));
  // The bound is wide, for machines under load: it takes some 30 ms.
  expect(mtime - Math.min(...passed)).toBeLessThan(5_000);
  process.kill(await container.inspect<number>('{{.State.Pid}}'), 'SIGKILL');
  const [next] = await rig.untilInstances(
    service,
    ([one]) => one !== undefined && one.id !== first!.id,
    'another task',
  );
  await rig.untilTasks(service, [next!.id]);
  await docker(['service', 'rm', service]);
}, 120_000);

it('goes by health checks, in containers without a Swarm, too', async () => {
  const name = `${project.name}-plain`;
  const container = await project.run(
    ...['--name', name, '--label', 'zookit.name=plain', '--label', 'zookit.port=9000', '--label', 'zookit.zone=here'],
    ...[
      '--label',
      'zookit.9100.name=plain-metrics',
      '--health-cmd',
      'test ! -e /tmp/sick',
      '--health-interval',
      '300ms',
    ],
    ...['--health-retries', '1', '--entrypoint', 'sleep', imageUnderTest(), '100000'],
  );
  const [plain] = await rig.untilInstances('plain', ({ length }) => length === 1, 'the container');
  const bridge = await container.inspect<string>('{{json .NetworkSettings.Networks.bridge.IPAddress}}');
  expect(plain).toMatchObject({ id: container.name, address: bridge, port: 9000, zone: 'here' });
  const metrics = await rig.untilInstances('plain-metrics', ({ length }) => length === 1, 'its other port');
  expect(metrics[0]).toMatchObject({ id: `${container.name}-9100`, port: 9100 });
  await container.exec('touch', '/tmp/sick');
  await rig.untilInstances('plain', ({ length }) => length === 0, 'it to be gone while it is sick');
  await container.exec('rm', '/tmp/sick');
  await rig.untilInstances('plain', ({ length }) => length === 1, 'it to be back');
  await container.pause();
  await rig.untilInstances('plain', ({ length }) => length === 0, 'it to be gone while it is paused');
  await container.unpause();
  await rig.untilInstances('plain', ({ length }) => length === 1, 'it to be back');
  await container.kill();
  await rig.untilInstances('plain', ({ length }) => length === 0, 'it to be gone');
}, 120_000);

it('registers ports that are published on the node, and says what is wrong with others', async () => {
  const run = (label: string, ...args: string[]) =>
    project.run(
      ...['--label', 'zookit.name=published', '--label', 'zookit.port=9000', '--label', label, ...args],
      ...['--no-healthcheck', '--entrypoint', 'sleep', imageUnderTest(), '100000'],
    );
  const container = await run('zookit.network=host', '--publish', '9000');
  const [instance] = await rig.untilInstances('published', ({ length }) => length === 1, 'the container');
  const node = await docker(['info', '--format', '{{.Swarm.NodeAddr}}']);
  const [port] = (await container.published(9000)).split(':').slice(-1);
  expect(instance).toMatchObject({ address: node, port: Number(port) });
  await run('zookit.network=elsewhere');
  await agent.line(/WARN {2}container .*published: zookit.network is "elsewhere"; its networks are bridge/);
  await run('zookit.weight=heavy');
  await agent.line(/WARN {2}container .*zookit.weight is "heavy"; it must be a number above 0/);
  expect(await rig.registry.instances('published')).toHaveLength(1);
}, 60_000);

it('publishes the nodes and services of the Swarm, and nothing secret', async () => {
  const service = await rig.service(
    'described',
    '--replicas',
    '0',
    '--env',
    'PASSWORD=secret',
    '--publish',
    'mode=host,target=80',
  );
  const path = `/swarm/services/${service}`;
  await until(() => rig.zk.has(path), { what: 'the service', timeout: 30_000 });
  const text = (await rig.zk.getData(path)).text();
  expect(JSON.parse(text) as SwarmService).toMatchObject({
    ...{ name: service, image: imageUnderTest(), mode: { kind: 'replicated', replicas: 0 }, networks: [rig.network] },
    ...{ containerLabels: { 'com.docker.swarm.service.port': '8080' }, endpointMode: 'dnsrr' },
    ports: [{ protocol: 'tcp', target: 80, mode: 'host' }],
  });
  expect(text).not.toContain('secret');
  const id = await docker(['node', 'inspect', '--format', '{{.ID}}', swarm.node]);
  const node = async () => (await rig.zk.getData(`/swarm/nodes/${id}`)).json<SwarmNode>();
  expect(await node()).toMatchObject({
    ...{ id, hostname: swarm.node, address: '127.0.0.1', role: 'manager', availability: 'active', state: 'ready' },
    manager: { leader: true, reachability: 'reachable' },
  });
  await docker(['node', 'update', '--label-add', `zookit-test=${project.name}`, swarm.node]);
  await until(async () => (await node()).labels['zookit-test'] === project.name, {
    what: 'the label',
    timeout: 30_000,
  });
  await docker(['node', 'update', '--label-rm', 'zookit-test', swarm.node]);
  await docker(['service', 'rm', service]);
  await until(async () => !(await rig.zk.has(path)), { what: 'the service to be gone', timeout: 30_000 });
}, 60_000);

it('is killed, and what it left is put right by the next one: no task is missing for a moment', async () => {
  const service = await rig.service('kept', '--replicas', '3');
  const before = await rig.untilInstances(service, ({ length }) => length === 3, 'three instances');
  await agent.kill();
  // One ends while nobody looks, and another one takes its place.
  const [gone] = before;
  await (await rig.container(gone!.id)).kill();
  const now = await until(
    async () => {
      const tasks = await rig.tasks(service);
      return tasks.length === 3 && !tasks.includes(gone!.id) && tasks;
    },
    { what: 'another task', timeout: 60_000, interval: 100 },
  );
  expect(ids(await rig.registry.instances(service))).toEqual(ids(before));
  const stay = ids(before).filter((id) => now.includes(id));
  const looking = rig.lookAtAllTimes(service, stay);
  agent = await rig.agent();
  // The line of those who publish does not wait for the session of the one before.
  await agent.line(/publishes the nodes and services/, { timeout: 30_000 });
  const after = await rig.untilInstances(service, (all) => ids(all).join() === now.join(), 'those that run');
  const owner = (await rig.zk.exists('/swarm/agents/' + (await rig.zk.getChildren('/swarm/agents'))[0]!))!
    .ephemeralOwner;
  for (const id of now)
    await until(async () => (await rig.zk.exists(`/services/${service}/${id}`))?.ephemeralOwner.equals(owner), {
      what: `${id} to belong to the next one`,
      timeout: 30_000,
    });
  expect(await looking.stop()).toEqual([]);
  // Callers take them for what they are: the same processes as before.
  const times = (list: readonly ServiceInstance[]) =>
    list.filter(({ id }) => stay.includes(id)).map(({ id, registrationTimeUTC }) => `${id} ${registrationTimeUTC}`);
  expect(times(after).sort()).toEqual(times(before).sort());
  await docker(['service', 'rm', service]);
  await rig.untilInstances(service, ({ length }) => length === 0, 'no instance');
}, 120_000);

it('runs on each node as the stack of examples/swarm has it, after another one that has stopped', async () => {
  const image = project.name;
  await buildAgentImage(image);
  const service = await rig.service('stacked', '--replicas', '2');
  const before = await rig.untilInstances(service, ({ length }) => length === 2, 'two instances');
  agent.signal('SIGTERM');
  expect((await agent.result).code).toBe(0);
  expect(ids(await rig.registry.instances(service))).toEqual(ids(before));
  const stack = await deployAgent(rig, image);
  const [id] = await until(async () => (await rig.tasks(stack)).length === 1 && (await rig.tasks(stack)), {
    what: 'the agent',
    timeout: 60_000,
  });
  const container = await rig.container(id!);
  await until(async () => (await container.logs()).includes('publishes the nodes'), {
    what: 'it to lead',
    timeout: 60_000,
  });
  await rig.scale(service, 3);
  const three = await rig.untilInstances(service, ({ length }) => length === 3, 'three instances');
  await rig.untilTasks(service, ids(three));
  expect(await rig.registry.instances(stack)).toEqual([]);
  const logs = await container.logs();
  expect(logs).not.toMatch(/ERROR/);
  await docker(['service', 'rm', stack, service]);
  await docker(['image', 'rm', '--force', image, `${image}-base`]);
}, 180_000);
