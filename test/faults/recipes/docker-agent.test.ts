/** An agent whose ZooKeeper goes away, for less than a session and for longer. */
import { expect, it } from '@jest/globals';
import { DockerAgent, ServiceRegistry } from 'zookit/recipes';
import { FakeEngine } from '../../support/fake-engine.js';
import { until } from '../../support/until.js';
import { type Rig, SHORT, startRig } from '../rig.js';

const web = { 'zookit.name': 'web', 'zookit.port': '80' };

const registered = async ({ observer }: Rig): Promise<string[]> =>
  (await new ServiceRegistry(observer).instances('web')).map(({ id, enabled }) => `${enabled ? '' : '-'}${id}`).sort();

const untilRegistered = (rig: Rig, expected: readonly string[]) =>
  until(async () => (await registered(rig)).join() === expected.join(), {
    what: `${expected.join()} to be registered`,
    timeout: 30_000,
  });

function startAgent(rig: Rig, engine: FakeEngine, resync = 1e9): DockerAgent {
  return new DockerAgent(rig.zk, { dockerHost: engine.url, resync }).start();
}

it('does what has happened while ZooKeeper was away when it is back; what stands is not touched', async () => {
  await using rig = await startRig({ sessionTimeout: 20_000 });
  await using engine = await FakeEngine.start();
  for (const id of ['c1', 'c2', 'c3']) engine.containers.set(id, { labels: web });
  await using agent = startAgent(rig, engine);
  await agent.ready();
  const before = await rig.observer.exists('/services/web/c1');
  await rig.unlink();
  engine.containers.delete('c2');
  engine.emit('container', 'die', 'c2', web);
  engine.emit('container', 'kill', 'c3', { signal: '15' });
  // It comes, goes, and comes again: what counts is the last.
  for (const action of ['start', 'die', 'start']) {
    engine.containers.set('c4', { labels: web, running: action === 'start' });
    engine.emit('container', action, 'c4');
  }
  await until(() => agent.status.instances.length === 3, { what: 'the agent to know' });
  expect(await registered(rig)).toEqual(['c1', 'c2', 'c3']);
  await rig.relink();
  await untilRegistered(rig, ['-c3', 'c1', 'c4']);
  expect((await rig.observer.exists('/services/web/c1'))?.czxid).toEqual(before?.czxid);
});

it('registers everything again after an expiry, and publishes again', async () => {
  await using rig = await startRig({ sessionTimeout: SHORT });
  await using engine = await FakeEngine.start();
  engine.isManager = true;
  engine.nodes.push({ ID: 'n1', Status: { State: 'ready' } });
  engine.containers.set('c1', { labels: web });
  engine.containers.set('c2', { labels: web });
  await using agent = startAgent(rig, engine);
  await agent.ready();
  await until(() => agent.status.publishesSwarm, { what: 'it to publish' });
  await rig.outlive();
  expect(await registered(rig)).toEqual([]);
  engine.emit('container', 'die', 'c2');
  engine.nodes.push({ ID: 'n2', Status: { State: 'ready' } });
  engine.emit('node', 'create', 'n2');
  await rig.relink();
  await untilRegistered(rig, ['c1']);
  await until(async () => (await rig.observer.getChildren('/swarm/nodes')).sort().join() === 'n1,n2', {
    what: 'the new node to be published',
    timeout: 30_000,
  });
  expect(await rig.observer.getChildren('/swarm/agents')).toEqual(['node-1']);
});

it('begins while ZooKeeper is away', async () => {
  await using rig = await startRig({ sessionTimeout: 20_000 });
  await using engine = await FakeEngine.start();
  engine.containers.set('c1', { labels: web });
  await rig.unlink();
  await using agent = startAgent(rig, engine);
  await until(() => agent.status.instances.length === 1, { what: 'the agent to know' });
  engine.containers.delete('c1');
  engine.emit('container', 'die', 'c1', web);
  engine.containers.set('c2', { labels: web });
  engine.emit('container', 'start', 'c2');
  await rig.relink();
  await agent.ready();
  await untilRegistered(rig, ['c2']);
});

it('leaves alone what somebody else has registered under the id of its container, and says so', async () => {
  await using rig = await startRig({ sessionTimeout: 20_000 });
  await using engine = await FakeEngine.start();
  engine.containers.set('c1', { labels: web });
  await using agent = startAgent(rig, engine, 50);
  await agent.ready();
  const registry = new ServiceRegistry(rig.observer);
  await using other = await registry.register({
    name: 'web',
    id: 'c1',
    address: '10.9.9.9',
    port: 1,
    onConflict: 'replace',
  });
  await until(() => agent.status.problems.length > 0, { what: 'the problem' });
  expect(agent.status.problems[0]).toMatchObject({ subject: 'web/c1', problem: expect.stringContaining('belongs to') });
  const looks = engine.asked.length;
  await until(() => engine.asked.length > looks + 10, { what: 'it to look again and again' });
  expect([other.held, agent.status.instances[0]?.held]).toEqual([true, false]);
  await agent.close();
  expect(await registered(rig)).toEqual(['c1']);
});
