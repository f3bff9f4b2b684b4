/** What the test of the agent needs: a server, services with labels, the agent as a process and as an image. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ZooKeeper } from 'zookit';
import { type ServiceInstance, ServiceRegistry } from 'zookit/recipes';
import { startServing } from '../image/server.js';
import { type Child, runScript } from '../support/child.js';
import { Container, docker, imageUnderTest, type Project } from '../support/docker.js';
import { until } from '../support/until.js';

const root = join(__dirname, '..', '..');

/** How long registrations outlive an agent that was killed, ms: longer than any test waits for it. */
export const SESSION = 40_000;

/** One server on an overlay network of its own, and what is registered there. */
export class Rig {
  readonly registry: ServiceRegistry;

  private constructor(
    readonly project: Project,
    /** The network that services and callers share. */
    readonly network: string,
    /** Where the server is for processes of this machine. */
    readonly connect: string,
    readonly zk: ZooKeeper,
  ) {
    this.registry = new ServiceRegistry(zk);
  }

  static async start(project: Project): Promise<Rig> {
    const network = `${project.name}-front`;
    await docker([
      ...['network', 'create', '--driver', 'overlay', '--attachable'],
      ...[...project.label, '--label', `com.docker.stack.namespace=${project.name}`, network],
    ]);
    const server = await startServing(project, {}, { options: ['--network', network, '--network-alias', 'zookeeper'] });
    const connect = await server.published(2181);
    return new Rig(project, network, connect, await ZooKeeper.connect(connect, { sessionTimeout: SESSION }));
  }

  /** A service of tasks that do nothing, and are well as long as there is no file /tmp/sick. They do not heed SIGTERM. */
  async service(name: string, ...args: string[]): Promise<string> {
    const full = `${this.project.name}_${name}`;
    const health = ['--health-cmd', 'test ! -e /tmp/sick', '--health-interval', '500ms', '--health-retries', '1'];
    await docker([
      ...['service', 'create', '--detach', '--no-resolve-image', '--name', full],
      ...['--label', `com.docker.stack.namespace=${this.project.name}`, '--network', this.network],
      ...[...health, '--stop-grace-period', '3s', '--restart-delay', '100ms', '--endpoint-mode', 'dnsrr'],
      ...['--container-label', 'com.docker.swarm.service.port=8080', ...args],
      ...['--entrypoint', 'sleep', imageUnderTest(), '100000'],
    ]);
    return full;
  }

  async scale(service: string, replicas: number): Promise<void> {
    await docker(['service', 'scale', '--detach', `${service}=${replicas}`]);
  }

  /** The instances that are registered, when it is those that are looked for. */
  async untilInstances(
    service: string,
    accepts: (instances: readonly ServiceInstance[]) => boolean,
    what: string,
  ): Promise<readonly ServiceInstance[]> {
    let last: readonly ServiceInstance[] = [];
    return until(
      async () => {
        last = await this.registry.instances(service);
        return accepts(last) && last;
      },
      { what, timeout: 60_000, interval: 25 },
    ).catch((error: unknown) => {
      throw new Error(`registered are ${JSON.stringify(last)}`, { cause: error });
    });
  }

  /** The ids of the tasks of a service that run, as the engine has them. */
  async tasks(service: string): Promise<string[]> {
    const filter = `label=com.docker.swarm.service.name=${service}`;
    const format = '{{.Label "com.docker.swarm.task.id"}}';
    return (await docker(['ps', '--filter', filter, '--format', format])).split('\n').filter(Boolean).sort();
  }

  /** Resolves when the tasks that run are these. One that was killed is gone from the list before it is gone here. */
  async untilTasks(service: string, ids: readonly string[]): Promise<void> {
    await until(async () => (await this.tasks(service)).join() === ids.join(), {
      what: `the tasks to be ${ids.join()}`,
      timeout: 30_000,
      interval: 100,
    });
  }

  /** Looks all the time, until it is stopped. Tells which of these instances were missing at any look. */
  lookAtAllTimes(service: string, ids: readonly string[]): { stop(): Promise<string[]> } {
    const missing = new Set<string>();
    let isStopped = false;
    const looking = (async () => {
      while (!isStopped) {
        const found = await this.zk.getChildren(`/services/${service}`);
        for (const id of ids.filter((each) => !found.includes(each))) missing.add(id);
      }
    })();
    return {
      async stop() {
        isStopped = true;
        await looking;
        return [...missing];
      },
    };
  }

  /** The container of a task. */
  async container(task: string): Promise<Container> {
    return new Container(
      await docker(['ps', '--no-trunc', '--quiet', '--filter', `label=com.docker.swarm.task.id=${task}`]),
    );
  }

  /** The agent as a process on this machine. */
  agent(...args: string[]): Promise<Child> {
    const given = ['agent', '--connect', this.connect, '--session-timeout', String(SESSION), '--linger', '2000'];
    return runScript({ file: 'dist/cli/main.js' }, { args: [...given, '--log-level', 'debug', ...args] });
  }

  async dispose(): Promise<void> {
    await this.zk.close();
  }
}

/** Builds the image of examples/swarm/agent.Dockerfile on a base that has the Node of this machine. */
export async function buildAgentImage(name: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'zookit-agent-image-'));
  try {
    cpSync(process.execPath, join(folder, 'node'));
    writeFileSync(join(folder, 'Dockerfile'), 'FROM debian:trixie-slim\nCOPY node /usr/local/bin/node\n');
    await docker(['build', '--tag', `${name}-base`, folder], { env: { DOCKER_BUILDKIT: '0' } });
    rmSync(join(folder, 'node'));
    // As npm would install it.
    for (const path of ['dist', 'package.json'])
      cpSync(join(root, path), join(folder, 'node_modules', 'zookit', path), { recursive: true });
    for (const path of ['debug', 'generic-pool', 'long', 'ms'])
      cpSync(join(root, 'node_modules', path), join(folder, 'node_modules', path), { recursive: true });
    const file = join(root, 'examples', 'swarm', 'agent.Dockerfile');
    await docker(['build', '--tag', name, '--build-arg', `BASE=${name}-base`, '--file', file, folder], {
      env: { DOCKER_BUILDKIT: '0' },
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Deploys examples/swarm/agent.yaml. Returns the name of its service. */
export async function deployAgent(rig: Rig, image: string): Promise<string> {
  const socket = (process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock').replace(/^unix:\/\//, '');
  const file = join(root, 'examples', 'swarm', 'agent.yaml');
  await docker(['stack', 'deploy', '--detach', '--resolve-image', 'never', '--compose-file', file, rig.project.name], {
    env: {
      ZOOKIT_AGENT_IMAGE: image,
      ZOOKIT_CONNECT: 'zookeeper:2181',
      ZOOKIT_SESSION_TIMEOUT: String(SESSION),
      ZOOKEEPER_NETWORK: rig.network,
      DOCKER_SOCKET: socket,
    },
  });
  return `${rig.project.name}_agent`;
}
