/** The stack of examples/swarm on this engine: a service whose tasks register themselves, and one that calls it. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Container, docker, outputOf } from '../support/docker.js';
import { until } from '../support/until.js';
import type { Stack } from './rig.js';

const root = join(__dirname, '..', '..');
const example = join(root, 'examples', 'swarm');

/** What the caller has counted so far. */
export interface CallCounts {
  readonly calls: number;
  readonly failed: number;
  readonly retried: number;
  /** How many calls which version has answered. */
  readonly served: Readonly<Record<string, number>>;
}

/** Sees to it that the engine has an image with Node, as node:22-slim would be where there is a registry. */
async function buildNode(name: string, folder: string): Promise<void> {
  const { code, stderr } = await outputOf(join(root, '.ci', 'base-image'), ['trixie'], { timeout: 300_000 });
  if (code !== 0) throw new Error(`there is no base image: ${stderr}`);
  writeFileSync(
    join(folder, 'Dockerfile'),
    'FROM debian:trixie-slim\nRUN apt-get update && apt-get install -y --no-install-recommends nodejs\n',
  );
  // With the network of this machine, because that of containers cannot reach each machine's mirror of Debian.
  await docker(['build', '--network', 'host', '--tag', name, folder], { timeout: 300_000 });
}

/** Puts zookit and what it depends on where `npm install` would put them. */
function installPackages(folder: string): void {
  for (const name of ['debug', 'generic-pool', 'long', 'ms'])
    cpSync(join(root, 'node_modules', name), join(folder, name), { recursive: true });
  for (const part of ['dist', 'package.json'])
    cpSync(join(root, part), join(folder, 'zookit', part), { recursive: true });
}

/** Builds the image of the example, out of the folder as it stands there. Returns its name. */
export async function buildExample(name: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'zookit-example-'));
  try {
    const base = `${name}-node`;
    mkdirSync(join(folder, 'node'));
    await buildNode(base, join(folder, 'node'));
    cpSync(example, join(folder, 'app'), { recursive: true });
    installPackages(join(folder, 'app', 'node_modules'));
    await docker(['build', '--build-arg', `BASE=${base}`, '--tag', name, join(folder, 'app')], { timeout: 300_000 });
    return name;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The stack beside that of the ensemble, and removed with it. */
export class Shop {
  readonly name: string;

  constructor(
    private readonly ensemble: Stack,
    /** That of all its services. */
    readonly image: string,
  ) {
    this.name = `${ensemble.project.name}-shop`;
  }

  /** The service that registers its tasks. */
  get web(): string {
    return `${this.name}_web`;
  }

  /** `docker stack deploy`, with this version of the service. */
  async deploy(version: string): Promise<void> {
    await docker(
      [
        ...['stack', 'deploy', '--detach', '--resolve-image', 'never'],
        ...['--compose-file', join(example, 'stack.yaml'), this.name],
      ],
      {
        env: {
          EXAMPLE_IMAGE: this.image,
          EXAMPLE_STACK: this.name,
          EXAMPLE_VERSION: version,
          EXAMPLE_DRAIN: '1000',
          ZOOKEEPER_NETWORK: `${this.ensemble.project.name}_zookeeper`,
        },
      },
    );
  }

  async scale(replicas: number): Promise<void> {
    await docker(['service', 'scale', '--detach', `${this.web}=${replicas}`]);
  }

  /** The ids of the tasks of the service that run, as `docker service ps` has them. */
  async running(): Promise<string[]> {
    const format = '{{.ID}} {{.CurrentState}}';
    const args = ['service', 'ps', '--no-trunc', '--filter', 'desired-state=running', '--format', format, this.web];
    const lines = (await docker(args)).split('\n');
    return lines
      .filter((line) => line.includes(' Running '))
      .map((line) => line.split(' ')[0]!)
      .sort();
  }

  /** The container of a task. */
  async container(task: string): Promise<Container> {
    return new Container(
      await docker(['ps', '--no-trunc', '--quiet', '--filter', `label=com.docker.swarm.task.id=${task}`]),
    );
  }

  /** Resolves when the caller has made so many calls more than it has now, with what it has counted then. */
  async callsGoOn(count = 50): Promise<CallCounts> {
    let begin: number | undefined;
    return until(
      async () => {
        const counts = lastCounts(await this.callerLog());
        begin ??= counts.calls;
        return counts.calls >= begin + count ? counts : undefined;
      },
      { what: `${count} more calls`, timeout: 60_000, interval: 250 },
    );
  }

  private async callerLog(): Promise<string> {
    const filter = `label=com.docker.swarm.service.name=${this.name}_caller`;
    return new Container(await docker(['ps', '--quiet', '--filter', filter])).logs();
  }
}

function lastCounts(log: string): CallCounts {
  const line = log.split('\n').findLast((each) => each.startsWith('{'));
  if (line === undefined) throw new Error(`the caller has not counted yet: ${log}`);
  return JSON.parse(line) as CallCounts;
}
