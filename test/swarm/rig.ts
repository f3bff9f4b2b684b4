/** What the tests on a Swarm share: the stack of image/swarm.one-node.yaml on this engine's own node. */
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LookupLike } from 'zookit';
import { Container, docker, imageFolder, imageUnderTest, Project } from '../support/docker.js';
import { until } from '../support/until.js';

/** Who a client asks for, as it would in a container that has joined the network of the stack. */
export const servers = 'zookeeper-1:2181,zookeeper-2:2181,zookeeper-3:2181';

/**
 * The times of the stack, shorter: a server counts as well for its first 15 s, is unhealthy at the latest after
 * 15 s + 3 * (2 s + 5 s), and then the next one is taken.
 */
const times = {
  environment: { ZOO_HEALTH_JOIN_SECONDS: '15' },
  healthcheck: { interval: '2s', timeout: '5s', retries: 3 },
  deploy: { update_config: { delay: '40s', monitor: '40s' }, rollback_config: { delay: '40s', monitor: '40s' } },
};

/** Makes this engine a Swarm of one node, unless it is a manager of one; `leave` undoes what was done. */
export async function joinSwarm(): Promise<{ readonly node: string; leave(): Promise<void> }> {
  const joined = (await docker(['info', '--format', '{{.Swarm.LocalNodeState}}'])) === 'active';
  if (!joined) await docker(['swarm', 'init', '--advertise-addr', '127.0.0.1']);
  const node = await docker(['info', '--format', '{{.Name}}']);
  return {
    node,
    async leave() {
      if (!joined) await docker(['swarm', 'leave', '--force']);
    },
  };
}

/** How an update of the service goes. */
export interface UpdateStatus {
  readonly State: 'updating' | 'paused' | 'completed' | 'rollback_started' | 'rollback_paused' | 'rollback_completed';
  readonly Message: string;
}

/** A task of the service, as it runs now. */
export interface Task {
  readonly slot: number;
  /** The id of its container. */
  readonly id: string;
  readonly container: Container;
}

/** The stack, deployed under the name of a project of its own. */
export class Stack {
  private constructor(
    readonly project: Project,
    private readonly node: string,
    private readonly folder: string,
  ) {}

  /** `environment`: more variables of the servers, from the beginning on. */
  static async deploy(node: string, environment: Readonly<Record<string, string>> = {}): Promise<Stack> {
    const folder = await mkdtemp(join(tmpdir(), 'zookit-stack-'));
    const stack = new Stack(new Project(), node, folder);
    try {
      await stack.update(environment);
      await stack.allServe();
      return stack;
    } catch (error) {
      await stack.dispose();
      throw error;
    }
  }

  get service(): string {
    return `${this.project.name}_server`;
  }

  /** `docker stack deploy` of the stack, with these variables added to its environment. */
  async update(environment: Readonly<Record<string, string>>): Promise<void> {
    const server = { ...times, environment: { ...times.environment, ...environment } };
    const file = join(this.folder, 'test.yaml');
    writeFileSync(file, JSON.stringify({ version: '3.9', services: { server } }));
    await docker(
      [
        ...['stack', 'deploy', '--detach', '--resolve-image', 'never'],
        ...['--compose-file', join(imageFolder, 'swarm.one-node.yaml'), '--compose-file', file, this.project.name],
      ],
      { env: { ZOOKEEPER_IMAGE: imageUnderTest(), ZOOKEEPER_NODE: this.node } },
    );
  }

  /** The tasks that run now, by slot. */
  async tasks(): Promise<Task[]> {
    const format = '{{.ID}} {{.Names}}';
    const filters = ['--filter', `label=com.docker.swarm.service.name=${this.service}`];
    const lines = (await docker(['ps', '--no-trunc', ...filters, '--format', format])).split('\n').filter(Boolean);
    return lines
      .map((line) => {
        const [id = '', name = ''] = line.split(' ');
        return { id, slot: Number(name.slice(this.service.length).split('.')[1]), container: new Container(id) };
      })
      .sort((a, b) => a.slot - b.slot);
  }

  async task(slot: number): Promise<Task | undefined> {
    return (await this.tasks()).find((task) => task.slot === slot);
  }

  /** What the health check of each task says now, by slot. */
  async healths(): Promise<string[]> {
    return Promise.all((await this.tasks()).map(async ({ container }) => (await container.health()).says));
  }

  async allServe(): Promise<void> {
    let says: string[] = [];
    await until(
      async () => {
        says = await this.healths();
        return says.length === 3 && says.every((each) => each.startsWith('serving: '));
      },
      { what: 'three servers that serve', timeout: 240_000, interval: 500 },
    ).catch((error: unknown) => {
      throw new Error(`the servers say: ${says.join(', ')}`, { cause: error });
    });
  }

  async updateStatus(): Promise<UpdateStatus | null> {
    return JSON.parse(
      await docker(['service', 'inspect', '--format', '{{json .UpdateStatus}}', this.service]),
    ) as UpdateStatus | null;
  }

  async untilUpdate(state: UpdateStatus['State']): Promise<UpdateStatus> {
    let last: UpdateStatus | null = null;
    return until(
      async () => {
        last = await this.updateStatus();
        return last?.State === state ? last : undefined;
      },
      { what: `the update to be ${state}`, timeout: 400_000, interval: 500 },
    ).catch((error: unknown) => {
      throw new Error(`the update is ${JSON.stringify(last)}`, { cause: error });
    });
  }

  /**
   * Finds the servers by their names, as the network does: this process is on none of the stack's networks, but each task
   * can also be reached by the bridge that leads it out of its own network.
   */
  readonly lookup: LookupLike = (hostname, _options, callback) => {
    void this.addressOf(hostname).then(
      (address) => callback(null, [{ address, family: 4 }]),
      (error: unknown) => callback(Object.assign(error as Error, { code: 'ENOTFOUND' }), ''),
    );
  };

  private async addressOf(hostname: string): Promise<string> {
    const task = await this.task(Number(/^zookeeper-(\d)$/.exec(hostname)?.[1]));
    if (task === undefined) throw new Error(`no task is named ${hostname}`);
    const bridge = await docker(['network', 'inspect', '--format', '{{json .Containers}}', 'docker_gwbridge']);
    const endpoint = (JSON.parse(bridge) as Record<string, { IPv4Address: string } | undefined>)[task.id];
    if (endpoint === undefined) throw new Error(`${hostname} is on no bridge`);
    return endpoint.IPv4Address.split('/')[0]!;
  }

  async dispose(): Promise<void> {
    await this.project.dispose();
    await rm(this.folder, { recursive: true });
  }
}
