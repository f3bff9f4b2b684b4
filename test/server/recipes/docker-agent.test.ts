/** What an agent does with an engine that a real one cannot be made to be; test/swarm/agent.test.ts has a real one. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { InvalidArgumentError, InvalidPathError, type ZooKeeper } from 'zookit';
import {
  DockerAgent,
  type DockerAgentOptions,
  OwnedByOtherError,
  ServiceRegistry,
  type SwarmNode,
} from 'zookit/recipes';
import { FakeEngine } from '../../support/fake-engine.js';
import { gate, until } from '../../support/until.js';
import { failureOf, useClients } from '../clients.js';

const clients = useClients();

/** The labels of a container that is to be registered as an instance of `web`. */
const web = { 'zookit.name': 'web', 'zookit.port': '80' };

let engine: FakeEngine;
let folder: string;
let lines: string[];
const agents: DockerAgent[] = [];

beforeEach(async () => {
  engine = await FakeEngine.start();
  folder = await clients.folder();
  lines = [];
});

afterEach(async () => {
  await Promise.all(agents.splice(0).map((agent) => agent.close()));
  await engine[Symbol.asyncDispose]();
});

const write = (message: string): void => void lines.push(message);
const logger = { debug: write, info: write, warn: write, error: write };

function makeAgent(zk: ZooKeeper, options: DockerAgentOptions = {}): DockerAgent {
  const paths = { basePath: `${folder}/services`, swarmPath: `${folder}/swarm` };
  // Only where a test says so is anything found by looking again.
  const agent = new DockerAgent(zk, { ...paths, dockerHost: engine.url, resync: 1e9, logger, ...options }).start();
  agents.push(agent);
  return agent;
}

async function started(options: DockerAgentOptions = {}, zk = clients.zk): Promise<DockerAgent> {
  const agent = makeAgent(zk, options);
  await agent.ready({ timeout: 20_000 });
  return agent;
}

const registry = (): ServiceRegistry => new ServiceRegistry(clients.zk, { basePath: `${folder}/services` });

/** `c1@10.0.1.5:80`, or `-c1@…` where it is not enabled. */
async function registered(service = 'web'): Promise<string[]> {
  const instances = await registry().instances(service);
  return instances.map(({ id, address, port, enabled }) => `${enabled ? '' : '-'}${id}@${address}:${port}`).sort();
}

async function untilRegistered(expected: readonly string[], service = 'web'): Promise<void> {
  let last: string[] = [];
  await until(
    async () => {
      last = await registered(service);
      return JSON.stringify(last) === JSON.stringify(expected);
    },
    { what: `${expected.join()} to be registered`, timeout: 20_000 },
  ).catch((error: unknown) => {
    throw new Error(`registered is ${last.join()}; ${lines.join('\n')}`, { cause: error });
  });
}

async function untilLogged(pattern: RegExp): Promise<void> {
  await until(() => lines.some((line) => pattern.test(line)), { what: `a line like ${pattern}`, timeout: 20_000 });
}

describe('containers', () => {
  it('that run at the start are registered when it is ready', async () => {
    engine.containers.set('c1', { labels: web });
    engine.containers.set('c2', { labels: web, health: 'starting' });
    engine.containers.set('c3', { labels: { 'com.docker.swarm.service.name': 'other' } });
    const agent = await started();
    expect(await registered()).toEqual(['c1@10.0.1.5:80']);
    expect(engine.asked.filter((path) => path.includes('/containers/c3'))).toEqual([]);
    expect(agent.status).toEqual({
      ...{ node: 'node-1', followsEngine: true, publishesSwarm: false, problems: [] },
      instances: [
        { service: 'web', id: 'c1', address: '10.0.1.5', port: 80, sslPort: null, enabled: true, held: true },
      ],
      counts: { registered: 1, unregistered: 0, problems: 0, engineLosses: 0, malformedEvents: 0, orphans: 0 },
    });
    const [instance] = await registry().instances('web');
    expect(instance).toMatchObject({ zone: 'north', registrationTimeUTC: Date.parse('2026-03-01T10:00:00.123Z') });
  });

  it('come with their events and go with them', async () => {
    await started();
    engine.containers.set('c1', { labels: web, health: 'starting' });
    engine.emit('container', 'start', 'c1');
    engine.containers.set('c2', { labels: web });
    engine.emit('container', 'start', 'c2');
    await untilRegistered(['c2@10.0.1.5:80']);
    engine.containers.set('c1', { labels: web, health: 'healthy' });
    engine.emit('container', 'health_status: healthy', 'c1');
    await untilRegistered(['c1@10.0.1.5:80', 'c2@10.0.1.5:80']);
    engine.containers.set('c1', { labels: web, health: 'unhealthy' });
    engine.emit('container', 'health_status: unhealthy', 'c1');
    await untilRegistered(['c2@10.0.1.5:80']);
    engine.containers.set('c2', { labels: web, paused: true });
    engine.emit('container', 'pause', 'c2');
    await untilRegistered([]);
    engine.containers.set('c2', { labels: web });
    engine.emit('container', 'unpause', 'c2');
    await untilRegistered(['c2@10.0.1.5:80']);
    engine.containers.set('c2', { labels: web, networks: { front: '10.0.1.99' } });
    engine.emit('network', 'connect', 'front-id', { container: 'c2' });
    await untilRegistered(['c2@10.0.1.99:80']);
    engine.containers.delete('c2');
    engine.emit('container', 'die', 'c2', web);
    await untilRegistered([]);
  });

  it('that are told to stop are not enabled any more, and gone when they have ended', async () => {
    engine.containers.set('c1', { labels: web });
    await started();
    engine.emit('container', 'kill', 'c1', { signal: '1' });
    engine.emit('container', 'kill', 'c1', { signal: '15' });
    await untilRegistered(['-c1@10.0.1.5:80']);
    engine.emit('container', 'kill', 'c1', { signal: '9' });
    await untilRegistered([]);
    engine.emit('container', 'die', 'c1');
    engine.emit('container', 'start', 'c1');
    await untilRegistered(['c1@10.0.1.5:80']);
  });

  it('that were told to stop before it came are not enabled, if the engine still knows', async () => {
    engine.containers.set('c1', { labels: web });
    const agent = makeAgent(clients.zk);
    const held = gate();
    engine.hold = held.promise;
    // Nothing but the ping and the stream is answered before.
    await until(() => engine.asked.some((path) => path.includes('/info')), { what: 'the first question' });
    held.open();
    await until(() => engine.followers > 0, { what: 'the stream' });
    engine.emit('container', 'kill', 'c1', { signal: '15' });
    await agent.ready({ timeout: 20_000 });
    await untilRegistered(['-c1@10.0.1.5:80']);
    const since = engine.asked.find((path) => path.includes('/events'))!;
    expect(new URL(since, 'http://engine').searchParams.get('since')).toBe(
      `${Date.parse('2026-03-01T09:59:00Z') / 1_000}.500000`,
    );
  });

  it('are not registered by what was seen of them before they ended', async () => {
    await started();
    const held = gate();
    engine.hold = held.promise;
    engine.containers.set('c1', { labels: web });
    engine.emit('container', 'start', 'c1');
    await until(() => engine.asked.some((path) => path.includes('/containers/c1')), { what: 'the look' });
    engine.containers.set('c1', { labels: web, running: false });
    engine.emit('container', 'die', 'c1');
    engine.containers.set('c2', { labels: web });
    engine.emit('container', 'start', 'c2');
    await until(() => engine.asked.some((path) => path.includes('/containers/c2')), { what: 'the other look' });
    // The next look, which shows that it has ended, is not answered yet.
    const again = gate();
    engine.hold = again.promise;
    held.open();
    await untilRegistered(['c2@10.0.1.5:80']);
    again.open();
    expect(lines.filter((line) => line.includes('web/c1'))).toEqual([]);
  });

  it('with labels that are wrong are told of, counted once, and harm no other', async () => {
    engine.containers.set('c1', { labels: { ...web, 'zookit.weight': 'much' } });
    engine.containers.set('c2', { labels: web });
    const agent = await started();
    engine.emit('container', 'pause', 'c1');
    engine.containers.set('c3', { labels: web });
    engine.emit('container', 'start', 'c3');
    await untilRegistered(['c2@10.0.1.5:80', 'c3@10.0.1.5:80']);
    const problem = 'zookit.weight is "much"; it must be a number above 0';
    expect(agent.status.problems).toEqual([{ subject: 'container c1-name (c1)', problem }]);
    expect(agent.status.counts.problems).toBe(1);
    expect(lines.filter((line) => line.includes('zookit.weight'))).toHaveLength(1);
    engine.containers.delete('c1');
    engine.emit('container', 'destroy', 'c1', web);
    await until(() => agent.status.problems.length === 0, { what: 'the problem to be gone with its container' });
  });
});

describe('the stream of events', () => {
  it('is taken up again where it has broken off, and what was missed is seen', async () => {
    engine.containers.set('c1', { labels: web });
    const agent = await started();
    engine.emit('container', 'kill', 'c1', { signal: '15' });
    await untilRegistered(['-c1@10.0.1.5:80']);
    const before = engine.asked.filter((path) => path.includes('/events')).length;
    engine.containers.delete('c1');
    engine.containers.set('c2', { labels: web });
    engine.cut();
    await untilRegistered(['c2@10.0.1.5:80']);
    expect(agent.status.counts.engineLosses).toBe(1);
    const streams = engine.asked.filter((path) => path.includes('/events'));
    expect(streams.length).toBe(before + 1);
    // A moment before the last event, not a minute before the start.
    const since = Number(new URL(streams.at(-1)!, 'http://engine').searchParams.get('since'));
    expect(since).toBeLessThan(engine.lastEvent);
    expect(since).toBeCloseTo(engine.lastEvent, 4);
  });

  it('ends with the engine; what is registered stays until the engine is asked again', async () => {
    engine.containers.set('c1', { labels: web });
    const agent = await started();
    await engine.stop();
    await until(() => !agent.status.followsEngine, { what: 'the loss of the engine' });
    expect(agent.status.problems).toEqual([{ subject: 'engine', problem: expect.stringMatching(/^GET /) }]);
    expect(await registered()).toEqual(['c1@10.0.1.5:80']);
    engine.containers.delete('c1');
    await engine.listen();
    await untilRegistered([]);
    await until(() => agent.status.followsEngine, { what: 'the engine' });
    expect(agent.status.problems).toEqual([]);
  });

  it('that holds what is no event is read on, and everything is looked at again', async () => {
    const agent = await started();
    engine.containers.set('c1', { labels: web });
    engine.write('{"Type":"container","Action":\n');
    await untilRegistered(['c1@10.0.1.5:80']);
    engine.write('{"Type":7,"Action":"start","Actor":{"ID":"c1"}}\n\n');
    await until(() => agent.status.counts.malformedEvents === 2, { what: 'both to be counted' });
    engine.containers.set('c2', { labels: web });
    engine.emit('container', 'start', 'c2');
    await untilRegistered(['c1@10.0.1.5:80', 'c2@10.0.1.5:80']);
    expect(agent.status.counts.engineLosses).toBe(0);
  });

  it('may come in pieces, and in the middle of letters', async () => {
    await started();
    engine.containers.set('c1', { labels: { ...web, 'zookit.zone': 'süd' } });
    const actor = { ID: 'c1', Attributes: { ...web, zone: 'süd' } };
    const line = Buffer.from(`${JSON.stringify({ Type: 'container', Action: 'start', Actor: actor })}\n`);
    for (const byte of line) engine.write(Buffer.from([byte]) as unknown as string);
    await untilRegistered(['c1@10.0.1.5:80']);
  });

  it('is not waited for in vain: everything is looked at from time to time', async () => {
    await started({ resync: 100 });
    engine.containers.set('c1', { labels: web });
    await untilRegistered(['c1@10.0.1.5:80']);
    engine.containers.delete('c1');
    await untilRegistered([]);
  });

  it('may be long in coming', async () => {
    await engine.stop();
    engine.containers.set('c1', { labels: web });
    const agent = makeAgent(clients.zk);
    await until(() => agent.status.problems.length > 0, { what: 'the first refusal' });
    await engine.listen();
    await agent.ready({ timeout: 20_000 });
    expect(await registered()).toEqual(['c1@10.0.1.5:80']);
  });
});

describe('an agent that comes after another', () => {
  it('takes over what stands, and removes what nothing backs', async () => {
    for (const id of ['c1', 'c2', 'c3']) engine.containers.set(id, { labels: web });
    engine.containers.set('c4', { labels: { ...web, 'zookit.name': 'other' } });
    const zk = await clients.another({ sessionTimeout: 60_000 });
    const former = await started({}, zk);
    await former.close({ leave: true });
    // Nobody but the servers knows of this session any more: as after a kill.
    await zk.close({ keepSession: true });
    expect(await registered()).toHaveLength(3);
    await using foreign = await registry().register({ name: 'web', id: 'foreign', address: '10.9.9.9', port: 1 });
    expect(foreign.held).toBe(true);
    engine.containers.delete('c1');
    engine.containers.set('c2', { labels: web, health: 'unhealthy' });
    engine.containers.delete('c4');
    // Whoever is there all the time is to be found at each look.
    let isOver = false;
    const seen: string[][] = [];
    const looking = (async () => {
      while (!isOver) seen.push(await clients.zk.getChildren(`${folder}/services/web`));
    })();
    const agent = await started({}, await clients.another());
    expect(await registered()).toEqual(['c3@10.0.1.5:80', 'foreign@10.9.9.9:1']);
    expect(await registered('other')).toEqual([]);
    expect(agent.status.counts).toMatchObject({ registered: 1, orphans: 3 });
    isOver = true;
    await looking;
    expect(seen.filter((ids) => !ids.includes('c3'))).toEqual([]);
  });

  it('while the other lives, ends it, and has everything', async () => {
    engine.containers.set('c1', { labels: web });
    const first = await started();
    const second = await started({}, await clients.another());
    expect(await failureOf(first.done())).toBeInstanceOf(OwnedByOtherError);
    await first.close();
    expect(await registered()).toEqual(['c1@10.0.1.5:80']);
    expect(second.status.instances[0]?.held).toBe(true);
  });
});

describe('the end', () => {
  it('unregisters everything', async () => {
    engine.containers.set('c1', { labels: web });
    const agent = await started();
    expect(await clients.zk.getChildren(`${folder}/swarm/agents`)).toEqual(['node-1']);
    await agent.close();
    await agent.done();
    expect(await registered()).toEqual([]);
    expect(await clients.zk.getChildren(`${folder}/swarm/agents`)).toEqual([]);
    expect(engine.followers).toBe(0);
  });

  it('leaves what is not about to stop', async () => {
    engine.containers.set('c1', { labels: web });
    engine.containers.set('c2', { labels: web });
    const agent = await started();
    engine.emit('container', 'kill', 'c2', { signal: '15' });
    await untilRegistered(['-c2@10.0.1.5:80', 'c1@10.0.1.5:80']);
    await agent.close({ leave: true });
    expect(await registered()).toEqual(['c1@10.0.1.5:80']);
  });

  it('may come before the beginning', async () => {
    await engine.stop();
    const agent = makeAgent(clients.zk);
    await agent.close();
    await agent.done();
    const never = new DockerAgent(clients.zk);
    await never.close();
  });
});

describe('the Swarm', () => {
  const node = (ID: string, State = 'ready') => ({ ID, Status: { State, Addr: '10.0.0.5' } });
  const service = (Name: string, Image = 'web:1') => ({
    ID: `${Name}-id`,
    Spec: { Name, TaskTemplate: { ContainerSpec: { Image } }, Mode: { Replicated: { Replicas: 2 } } },
  });

  const published = async (): Promise<string[]> => {
    const lists = await Promise.all(
      ['nodes', 'services'].map(async (kind) => clients.zk.getChildrenData(`${folder}/swarm/${kind}`)),
    );
    return lists
      .flatMap((list) => [...list.entries()])
      .map(
        ([name, data]) =>
          `${name} ${data.json<{ state?: string; image?: string }>().state ?? data.json<{ image: string }>().image}`,
      )
      .sort();
  };

  const untilPublished = (expected: readonly string[]) =>
    until(async () => JSON.stringify(await published()) === JSON.stringify(expected), {
      what: `${expected.join()} to be published`,
      timeout: 20_000,
    });

  it('is published by a manager, as it changes', async () => {
    engine.isManager = true;
    engine.nodes.push(node('n1'), node('n2'));
    engine.services.push(service('shop_web'));
    const agent = await started();
    await untilPublished(['n1 ready', 'n2 ready', 'shop_web web:1']);
    expect(agent.status.publishesSwarm).toBe(true);
    const { address } = (await clients.zk.getData(`${folder}/swarm/nodes/n1`)).json<SwarmNode>();
    expect(address).toBe('10.0.0.5');
    engine.nodes[1] = node('n2', 'down');
    engine.services.splice(0, 1, service('shop_web', 'web:2'), service('shop_api', 'api:1'));
    engine.emit('service', 'update', 'shop_web-id');
    await untilPublished(['n1 ready', 'n2 down', 'shop_api api:1', 'shop_web web:2']);
    engine.nodes.pop();
    engine.services.pop();
    engine.emit('node', 'remove', 'n2');
    await untilPublished(['n1 ready', 'shop_web web:2']);
    await agent.close();
    expect(await published()).toEqual(['n1 ready', 'shop_web web:2']);
  });

  it('is published by one manager at a time, and by the next one when that is gone', async () => {
    engine.isManager = true;
    engine.nodes.push(node('n1'));
    const first = await started();
    await untilPublished(['n1 ready']);
    const { node: name } = engine;
    engine.node = 'node-2';
    const second = await started({}, await clients.another());
    engine.node = name;
    expect([first.status.publishesSwarm, second.status.publishesSwarm]).toEqual([true, false]);
    await first.close();
    engine.nodes.push(node('n2'));
    engine.emit('node', 'create', 'n2');
    await untilPublished(['n1 ready', 'n2 ready']);
    expect(second.status.publishesSwarm).toBe(true);
  });

  it('is put right where somebody has changed it, and tidied of what was left', async () => {
    await clients.zk.ensurePath(`${folder}/swarm/nodes/gone`);
    engine.isManager = true;
    engine.nodes.push(node('n1'));
    await started({ resync: 100 });
    await untilPublished(['n1 ready']);
    await clients.zk.setData(`${folder}/swarm/nodes/n1`, '{"state":"wrong"}');
    await untilPublished(['n1 ready']);
    await clients.zk.delete(`${folder}/swarm/nodes/n1`);
    await untilPublished(['n1 ready']);
  });

  it('is published by who has become a manager, and no more by who is none', async () => {
    const agent = await started({ resync: 100 });
    expect(await clients.zk.has(`${folder}/swarm/nodes`)).toBe(false);
    engine.isManager = true;
    engine.nodes.push(node('n1'));
    engine.emit('node', 'update', 'node-1');
    await untilPublished(['n1 ready']);
    engine.isManager = false;
    await until(() => !agent.status.publishesSwarm, { what: 'it to stop' });
    await until(async () => (await clients.zk.getChildren(`${folder}/swarm/publisher`)).length === 0, {
      what: 'no leader',
    });
  });

  it('is not published where that is not wanted', async () => {
    engine.isManager = true;
    await started({ publishSwarm: false });
    expect(await clients.zk.getChildren(`${folder}/swarm`)).toEqual(['agents']);
  });

  it('that cannot be looked at is a problem, and another manager has its turn', async () => {
    engine.isManager = true;
    engine.nodes.push({ ID: 7 });
    const agent = await started();
    await until(() => agent.status.problems.length > 0, { what: 'the problem' });
    expect(agent.status.problems).toEqual([{ subject: 'swarm', problem: expect.stringMatching(/7 at node.ID/) }]);
    await untilLogged(/publishes the Swarm no more/);
    engine.nodes.splice(0, 1, node('n1'));
    await untilPublished(['n1 ready']);
    await until(() => agent.status.problems.length === 0, { what: 'the problem to be gone' });
  });
});

it('refuses what is no option', () => {
  for (const wrong of [
    { dockerhost: 'x' } as DockerAgentOptions,
    { dockerHost: 'ssh://host' },
    { resync: 0 },
    { resync: Infinity },
    { zone: '' },
    { nodeAddress: 7 as unknown as string },
    { publishSwarm: 'yes' as unknown as boolean },
    { logger: {} as unknown as DockerAgentOptions['logger'] },
  ])
    expect(() => new DockerAgent(clients.zk, wrong)).toThrow(InvalidArgumentError);
  for (const wrong of [{ basePath: 'services' }, { swarmPath: 'swarm' }])
    expect(() => new DockerAgent(clients.zk, wrong)).toThrow(InvalidPathError);
});
