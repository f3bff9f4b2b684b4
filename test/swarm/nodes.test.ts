/** The stack of image/swarm.yaml, as far as one node shows it, and beside that of image/swarm.one-node.yaml. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Container, docker, imageFolder, imageUnderTest, Project } from '../support/docker.js';
import { until } from '../support/until.js';
import { joinSwarm } from './rig.js';

let swarm: Awaited<ReturnType<typeof joinSwarm>>;
let project: Project;

beforeAll(async () => {
  swarm = await joinSwarm();
  project = new Project();
}, 60_000);

afterAll(async () => {
  await project.dispose();
  await docker(['node', 'update', '--label-rm', 'zookeeper', swarm.node]).catch(() => undefined);
  await swarm.leave();
}, 240_000);

function environment(): Record<string, string> {
  return {
    ZOOKEEPER_IMAGE: imageUnderTest(),
    ZOOKEEPER_NODE: swarm.node,
    ZOOKEEPER_NODE_1: 'elsewhere',
    ZOOKEEPER_NODE_2: swarm.node,
    ZOOKEEPER_NODE_3: 'nowhere',
  };
}

it('a server has its host name and id from its node, and its data there', async () => {
  const file = join(imageFolder, 'swarm.yaml');
  const deploy = ['stack', 'deploy', '--detach', '--resolve-image', 'never', '--compose-file', file, project.name];
  await docker(deploy, { env: environment() });
  const service = `${project.name}_server`;
  const running = ['ps', '--quiet', '--filter', `label=com.docker.swarm.service.name=${service}`];
  expect(await docker(running)).toBe('');
  await docker(['node', 'update', '--label-add', 'zookeeper=true', swarm.node]);
  const id = await until(async () => (await docker(running)) || undefined, {
    what: 'a task on the labelled node',
    timeout: 120_000,
    interval: 250,
  });
  const server = new Container(id);
  expect(await server.inspect('{{json .Config.Hostname}}')).toBe(`zookeeper-${swarm.node}`);
  const myid = await until(async () => (await server.exec('cat', '/data/myid')).stdout.trim() || undefined, {
    what: 'an id',
    timeout: 60_000,
  });
  expect(myid).toBe('2');
  // There is no quorum, which is no reason to start it again and again.
  await until(async () => /no quorum$/m.test((await server.health('member')).says), {
    what: 'the time to join to be over',
    timeout: 120_000,
    interval: 1_000,
  });
  await until(async () => (await server.state()).Health?.Status === 'healthy', {
    what: 'it to be healthy',
    timeout: 60_000,
  });
  expect(await docker(['volume', 'inspect', '--format', '{{.Name}}', `${service}-data`])).toBe(`${service}-data`);
}, 300_000);

it('the two stacks are the same but for where the servers are', async () => {
  const [nodes, oneNode] = await Promise.all(['swarm.yaml', 'swarm.one-node.yaml'].map(readStack));
  const { hostname: _1, environment: _2, deploy, ...rest } = nodes!;
  const { hostname: _3, environment: _4, deploy: other, ...otherRest } = oneNode!;
  expect(rest).toEqual(otherRest);
  const { mode: _5, placement: _6, ...times } = deploy;
  const { replicas: _7, placement: _8, ...otherTimes } = other;
  expect(times).toEqual(otherTimes);
});

interface Server {
  readonly hostname: string;
  readonly environment: unknown;
  readonly deploy: Readonly<Record<string, unknown>>;
}

async function readStack(name: string): Promise<Server> {
  const args = [
    'compose',
    '--project-name',
    project.name,
    '--file',
    join(imageFolder, name),
    'config',
    '--format',
    'json',
  ];
  return (JSON.parse(await docker(args, { env: environment() })) as { services: { server: Server } }).services.server;
}

it('an update waits for longer than a server may take to be found unhealthy', async () => {
  const file = join(imageFolder, 'swarm.yaml');
  const args = ['compose', '--project-name', project.name, '--file', file, 'config', '--format', 'json'];
  const { services } = JSON.parse(await docker(args, { env: environment() })) as {
    services: {
      server: {
        environment: { ZOO_HEALTH_JOIN_SECONDS: string };
        healthcheck: { interval: string; timeout: string; retries: number };
        deploy: { update_config: { delay: string; monitor: string } };
      };
    };
  };
  const { environment: variables, healthcheck, deploy } = services.server;
  const unhealthyAfter =
    Number(variables.ZOO_HEALTH_JOIN_SECONDS) +
    healthcheck.retries * (seconds(healthcheck.interval) + seconds(healthcheck.timeout));
  expect(seconds(deploy.update_config.delay)).toBeGreaterThan(unhealthyAfter);
  expect(seconds(deploy.update_config.monitor)).toBeGreaterThan(unhealthyAfter);
});

/** `1m15s` as 75. */
function seconds(duration: string): number {
  const [, minutes = '0', rest = '0'] = /^(?:(\d+)m)?(?:(\d+)s)?$/.exec(duration) ?? [];
  return Number(minutes) * 60 + Number(rest);
}
