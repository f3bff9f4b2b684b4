import { InvalidArgumentError } from 'zookit';
import { checkDelay } from '../common/options.js';
import type { DockerAgentLogger } from './agent-journal.js';

/** How a {@link DockerAgent} behaves. */
export interface DockerAgentOptions {
  /** The znode below which all services stand. Default `/services`, as for a registry. */
  readonly basePath?: string | undefined;
  /** The znode below which agents say that they are there, and the Swarm is published. Default `/swarm`. */
  readonly swarmPath?: string | undefined;
  /** Where the engine listens: `unix:///path` or `tcp://host:port`. Default `unix:///var/run/docker.sock`. */
  readonly dockerHost?: string | undefined;
  /** Where others reach this node, for containers whose ports are published on it. Default: what the Swarm knows. */
  readonly nodeAddress?: string | undefined;
  /** The zone of what runs here and has none of its own. Default: the label `zookit.zone` of the engine, else none. */
  readonly zone?: string | undefined;
  /** The network that callers share, for containers that are on several and do not name one. Default: none. */
  readonly network?: string | undefined;
  /** Whether, on a manager, nodes and services of the Swarm are published. Default `true`. */
  readonly publishSwarm?: boolean | undefined;
  /** Whether their labels are published with them: some hold secrets there. Default `true`. */
  readonly publishLabels?: boolean | undefined;
  /** How often everything is looked at, even if no event tells of a change, milliseconds. Default 60,000. */
  readonly resync?: number | undefined;
  /** Is told what the agent does, a line each: `console` will do. Without it the agent is silent. */
  readonly logger?: DockerAgentLogger | undefined;
}

/** The options with their defaults filled in. */
export interface ResolvedAgentOptions {
  readonly basePath: string;
  readonly swarmPath: string;
  readonly dockerHost: string;
  readonly nodeAddress: string | undefined;
  readonly zone: string | undefined;
  readonly network: string | undefined;
  readonly publishSwarm: boolean;
  readonly publishLabels: boolean;
  readonly resync: number;
  readonly logger: DockerAgentLogger | undefined;
}

export const optionNames = [
  ...(['basePath', 'swarmPath', 'dockerHost', 'nodeAddress', 'zone', 'network'] as const),
  ...(['publishSwarm', 'publishLabels', 'resync', 'logger'] as const),
] satisfies readonly (keyof DockerAgentOptions)[];

const subject = { operation: 'DockerAgent', path: '/' };

/** Fills in the defaults. Paths and the host are checked where they are used. @throws InvalidArgumentError. */
export function resolveAgentOptions(options: DockerAgentOptions): ResolvedAgentOptions {
  const { publishSwarm = true, publishLabels = true, resync = 60_000, logger } = options;
  checkDelay('resync', resync, subject);
  if (!(resync >= 1)) refuse(`resync is ${String(resync)}; it must be milliseconds, 1 or more`);
  for (const [name, value] of Object.entries({ publishSwarm, publishLabels }))
    if (typeof value !== 'boolean') refuse(`${name} is ${String(value)}; it must be true or false`);
  if (logger !== undefined && typeof logger.info !== 'function') refuse('the logger has no function info');
  return {
    basePath: text('basePath', options.basePath) ?? '/services',
    swarmPath: text('swarmPath', options.swarmPath) ?? '/swarm',
    dockerHost: text('dockerHost', options.dockerHost) ?? 'unix:///var/run/docker.sock',
    nodeAddress: text('nodeAddress', options.nodeAddress),
    zone: text('zone', options.zone),
    network: text('network', options.network),
    ...{ publishSwarm, publishLabels, resync, logger },
  };
}

function text(name: string, value: unknown): string | undefined {
  if (value === undefined || (typeof value === 'string' && value !== '')) return value;
  return refuse(`${name} is ${JSON.stringify(value)}; it must be a text that is not empty`);
}

function refuse(problem: string): never {
  throw new InvalidArgumentError(problem, subject);
}
