import { setTimeout as pause } from 'node:timers/promises';
import { ZooKeeper } from 'zookit';
import { DockerAgent } from 'zookit/recipes';
import { clientOptions, clientSettings } from './client-settings.js';
import type { Command, Surroundings } from './command.js';
import { type Log, logFormats, logLevels, makeLog } from './log.js';
import {
  choiceIn,
  describeOptions,
  flagIn,
  millisecondsIn,
  type OptionTable,
  type OptionValues,
  readOptions,
} from './option-table.js';

/** How long the registrations may take to be brought in order at the end, milliseconds. */
const CLOSING = 2_000;

/** The options of `zookit agent`. */
export const agentOptions = {
  ...clientOptions,
  'base-path': {
    env: 'ZOOKIT_BASE_PATH',
    value: 'PATH',
    help: 'The znode below which services are registered.',
    default: '/services',
  },
  'swarm-path': {
    env: 'ZOOKIT_SWARM_PATH',
    value: 'PATH',
    help: 'The znode below which agents say that they are there, and the Swarm is published.',
    default: '/swarm',
  },
  'docker-host': {
    env: 'DOCKER_HOST',
    value: 'URL',
    help: 'Where the engine listens: unix:///path or tcp://host:port.',
    default: 'unix:///var/run/docker.sock',
  },
  'node-address': {
    env: 'ZOOKIT_NODE_ADDRESS',
    value: 'ADDRESS',
    help: 'Where others reach this node, for ports that are published on it. Default: what the Swarm knows.',
  },
  'node-zone': {
    env: 'ZOOKIT_NODE_ZONE',
    value: 'ZONE',
    help: 'The zone of what runs here. Default: the label zookit.zone of the engine.',
  },
  network: {
    env: 'ZOOKIT_NETWORK',
    value: 'NAME',
    help: 'The network that callers share, for containers that are on several and name none.',
  },
  'publish-swarm': {
    env: 'ZOOKIT_PUBLISH_SWARM',
    value: 'true|false',
    help: 'Whether, on a manager, nodes and services of the Swarm are published.',
    default: 'true',
  },
  'publish-labels': {
    env: 'ZOOKIT_PUBLISH_LABELS',
    value: 'true|false',
    help: 'Whether their labels are published, too. Do not where labels hold secrets.',
    default: 'true',
  },
  resync: {
    env: 'ZOOKIT_RESYNC',
    value: 'MS',
    help: 'How often everything is looked at, even if no event tells of a change.',
    default: '60000',
  },
  leave: {
    env: 'ZOOKIT_LEAVE',
    value: 'true|false',
    help: 'Whether, at SIGTERM, registrations stay for the agent that comes next, until the session timeout is over.',
    default: 'true',
  },
  linger: {
    env: 'ZOOKIT_LINGER',
    value: 'MS',
    help: 'For how long it goes on after SIGTERM: where the whole node is stopped, its containers are seen to end.',
    default: '5000',
  },
  'log-level': { env: 'ZOOKIT_LOG_LEVEL', value: logLevels.join('|'), help: 'What is logged.', default: 'info' },
  'log-format': { env: 'ZOOKIT_LOG_FORMAT', value: logFormats.join('|'), help: 'How it is logged.', default: 'text' },
} as const satisfies OptionTable;

type Values = OptionValues<typeof agentOptions>;

const help = `Usage: zookit agent --connect SERVERS [OPTION...]

Registers the containers of one Docker engine in ZooKeeper, by their labels, and on a manager of a Swarm publishes its nodes
and services. One agent a node. Runs until SIGTERM or SIGINT.

${describeOptions(agentOptions)}

Exit codes: 0 after SIGTERM or SIGINT, 64 for a command line that cannot be carried out, 1 for all else: the credentials are
refused, another agent has come to this node.
`;

export const agentCommand: Command = {
  summary: 'registers the containers of a Docker engine by their labels',
  async run(args, surroundings) {
    const { values, help: isHelp } = readOptions(agentOptions, args, surroundings.environment);
    if (isHelp) {
      surroundings.write(help);
      return 0;
    }
    return runAgent(values, surroundings);
  },
};

async function runAgent(values: Values, { write, stopped }: Surroundings): Promise<number> {
  let hasBegun = false;
  const log = makeLog(
    choiceIn('log-level', values['log-level'], logLevels) ?? 'info',
    choiceIn('log-format', values['log-format'], logFormats) ?? 'text',
    (line) => hasBegun && write(`${line}\n`),
  );
  const leave = flagIn('leave', values.leave) === true;
  const linger = millisecondsIn('linger', values.linger) ?? 0;
  const { servers, options } = clientSettings(values);
  const settings = {
    basePath: values['base-path'],
    swarmPath: values['swarm-path'],
    dockerHost: values['docker-host'],
    nodeAddress: values['node-address'],
    zone: values['node-zone'],
    network: values.network,
    publishSwarm: flagIn('publish-swarm', values['publish-swarm']),
    publishLabels: flagIn('publish-labels', values['publish-labels']),
    resync: millisecondsIn('resync', values.resync),
    logger: log,
  };
  const zk = ZooKeeper.open(servers, { ...options, logger: log });
  let agent: DockerAgent | undefined;
  try {
    agent = new DockerAgent(zk, settings);
    hasBegun = true;
    agent.start();
    await Promise.race([stopped, agent.done()]);
    log.info(
      leave ? 'stops; what is registered stays for the agent that comes next' : 'stops, and unregisters everything',
    );
    if (leave) await untilIdle(agent, linger);
    await Promise.race([agent.close({ leave }), pause(CLOSING, undefined, { ref: false })]);
    await zk.close({ keepSession: leave });
    return 0;
  } catch (error) {
    // Whoever has come to this node takes over what is registered.
    await zk.close({ keepSession: true });
    if (agent === undefined) throw error;
    return fail(log, error);
  }
}

function fail(log: Log, error: unknown): number {
  log.error(error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  return 1;
}

/** Resolves when nothing is registered any more, or after so many milliseconds. */
async function untilIdle(agent: DockerAgent, linger: number): Promise<void> {
  const deadline = performance.now() + linger;
  while (agent.status.instances.length > 0 && performance.now() < deadline) await pause(100);
}
