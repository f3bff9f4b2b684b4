/** Containers, Compose projects and Swarm stacks of tests, by the docker command. */
import { type ChildProcess, execFile, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { until } from './until.js';

export const imageFolder = join(__dirname, '..', '..', 'image');

/** What a command wrote and how it ended. */
export interface Output {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface DockerOptions {
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly cwd?: string;
  /** ms; default 120,000. */
  readonly timeout?: number;
}

/** The image under test. Throws if there is none. */
export function imageUnderTest(): string {
  const image = process.env.ZOOKIT_TEST_IMAGE;
  if (image) return image;
  throw new Error('ZOOKIT_TEST_IMAGE names no image; `npm run test:image` builds one and sets it');
}

/** Runs a program, and gives how it ended, however that was. Rejects if it cannot be started or takes too long. */
export function outputOf(
  command: string,
  args: readonly string[],
  { env, cwd, timeout = 120_000 }: DockerOptions = {},
): Promise<Output> {
  return new Promise((resolve, reject) => {
    const options = { env: { ...process.env, ...env }, cwd, timeout, maxBuffer: 64 << 20 };
    execFile(command, args, options, (error, stdout, stderr) => {
      if (error === null) return resolve({ code: 0, stdout, stderr });
      if (typeof error.code === 'number') return resolve({ code: error.code, stdout, stderr });
      reject(new Error(`${command} ${args.join(' ')}: ${error.message}\n${stdout}${stderr}`, { cause: error }));
    });
  });
}

/** Runs `docker` and gives what it wrote to stdout. Rejects, with what it wrote to stderr, if it fails. */
export async function docker(args: readonly string[], options: DockerOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await outputOf('docker', args, options);
  if (code === 0) return stdout.trimEnd();
  throw new Error(`docker ${args.join(' ')}: exit code ${code}\n${stderr}${stdout}`);
}

/** What Docker knows of a container's state. */
export interface ContainerState {
  readonly Status: 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';
  readonly ExitCode: number;
  readonly StartedAt: string;
  readonly Health?: {
    readonly Status: 'starting' | 'healthy' | 'unhealthy';
    readonly Log: readonly { readonly ExitCode: number; readonly Output: string }[];
  };
}

/** A container by its name or id. It need not be there yet. */
export class Container {
  constructor(readonly name: string) {}

  state(): Promise<ContainerState> {
    return this.inspect<ContainerState>('{{json .State}}');
  }

  async inspect<T>(format: string): Promise<T> {
    return JSON.parse(await docker(['container', 'inspect', '--format', format, this.name])) as T;
  }

  /** Runs a command in it, and gives how that ended. */
  async exec(...command: string[]): Promise<Output> {
    return outputOf('docker', ['exec', this.name, ...command]);
  }

  /** What it has written so far, to stdout and stderr. */
  async logs(): Promise<string> {
    const { stdout, stderr } = await outputOf('docker', ['logs', this.name]);
    return stdout + stderr;
  }

  /** Kills process 1 and all others; restart policies do not count then. */
  async kill(signal = 'KILL'): Promise<void> {
    await docker(['kill', '--signal', signal, this.name]);
  }

  async start(): Promise<void> {
    await docker(['start', this.name]);
  }

  /** Gives its exit code. */
  async stop(): Promise<number> {
    await docker(['stop', this.name]);
    return (await this.state()).ExitCode;
  }

  /** On a busy machine the engine may give up before all processes stand still; then it has changed nothing. */
  async pause(): Promise<void> {
    await until(
      async () => {
        const { code, stderr } = await outputOf('docker', ['pause', this.name]);
        if (code !== 0 && !stderr.includes('unable to freeze')) throw new Error(stderr);
        return code === 0;
      },
      { what: `${this.name} to be paused`, timeout: 60_000 },
    );
  }

  async unpause(): Promise<void> {
    await docker(['unpause', this.name]);
  }

  /** `127.0.0.1:32768`: where a port of it is published. */
  async published(port: number): Promise<string> {
    const [first = ''] = (await docker(['port', this.name, String(port)])).split('\n');
    return first;
  }

  /** What the health check says now; Docker itself asks only every few seconds. */
  async health(...args: string[]): Promise<{ readonly well: boolean; readonly says: string }> {
    const { code, stdout, stderr } = await this.exec('health', ...args);
    return { well: code === 0, says: (stdout + stderr).trimEnd() };
  }

  /** Resolves when the health check says so. Rejects after `timeout` ms (default 120,000), with what it said last. */
  async untilHealth(pattern: RegExp, { timeout = 120_000 }: { timeout?: number } = {}): Promise<string> {
    return until(
      async () => {
        const { says } = await this.health();
        if (pattern.test(says)) return says;
        throw new Error(`${this.name} says: ${says}`);
      },
      { what: `the health of ${this.name} to be like ${String(pattern)}`, timeout, interval: 250 },
    );
  }
}

let projects = 0;

/**
 * All that a test makes in the engine, under a name of its own. Whatever has that name as its Compose project, as its
 * stack, or in the label that `run` gives, is removed by `dispose`, or by a process beside this one if this one is killed.
 */
export class Project {
  readonly name = `zookit-test-${process.pid}-${(projects += 1)}-${randomBytes(3).toString('hex')}`;
  /** For what is made by other commands than those of this class: `['--label', 'zookit.test=…']`. */
  readonly label: readonly string[] = ['--label', `zookit.test=${this.name}`];
  private readonly keeper: ChildProcess;

  constructor() {
    // Out of the terminal's process group, or Ctrl-C would end it before it could do its work.
    const options = { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] as ['ignore', 'inherit', 'inherit', 'ipc'] };
    this.keeper = fork(join(__dirname, 'docker-keeper.cjs'), [this.name], { ...options, detached: true, execArgv: [] });
    this.keeper.unref();
    this.keeper.channel?.unref();
  }

  /** Starts a container in the background. `args` are those of `docker run`, the image among them. */
  async run(...args: string[]): Promise<Container> {
    return new Container(await docker(['run', '--detach', ...this.label, ...args]));
  }

  /** Runs a container to its end. */
  async runToEnd(...args: string[]): Promise<Output> {
    return outputOf('docker', ['run', '--rm', ...this.label, ...args]);
  }

  compose(file: string, env: Readonly<Record<string, string>>): ComposeProject {
    return new ComposeProject(this.name, join(imageFolder, file), env);
  }

  async dispose(): Promise<void> {
    this.keeper.ref();
    const exited = once(this.keeper, 'exit') as Promise<[number | null]>;
    this.keeper.disconnect();
    const [code] = await exited;
    if (code !== 0) throw new Error(`not all of ${this.name} could be removed from the Docker engine`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.dispose();
  }
}

/** The services of one Compose file. */
export class ComposeProject {
  constructor(
    private readonly name: string,
    private readonly file: string,
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  /** `docker compose` with this project and file. */
  command(...args: string[]): Promise<string> {
    const { env, name, file } = this;
    return docker(['compose', '--project-name', name, '--file', file, ...args], { env, timeout: 300_000 });
  }

  /** Creates and starts what is not there or has changed. */
  async up(...args: string[]): Promise<void> {
    await this.command('up', '--detach', '--no-build', ...args);
  }

  /** Removes the containers and networks; the volumes stay. */
  async down(): Promise<void> {
    await this.command('down');
  }

  /** The one container of a service. */
  container(service: string): Container {
    return new Container(`${this.name}-${service}-1`);
  }
}
