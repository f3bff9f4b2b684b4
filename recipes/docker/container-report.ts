import { fieldsOf, flagOf, listOf, partOf, textOf, textOrNone, textsOf } from './answer-fields.js';

/** How a container is attached to a network. */
export interface ContainerNetwork {
  readonly name: string;
  readonly id: string;
  /** Empty while it does not run, and in the network of the host. IPv4 before IPv6. */
  readonly address: string;
}

/** Where a port of a container is published on its node. */
export interface PublishedPort {
  readonly port: number;
  readonly hostAddress: string;
  readonly hostPort: number;
}

/** What an engine knows of a container, as far as it is needed here. */
export interface ContainerReport {
  readonly id: string;
  /** Without the slash that engines put before it. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly running: boolean;
  readonly paused: boolean;
  /** `none` where there is no health check. */
  readonly health: 'none' | 'starting' | 'healthy' | 'unhealthy';
  /** Milliseconds since 1970, by the clock of the engine. */
  readonly startedAt: number | undefined;
  /** `SIGTERM`, `SIGQUIT`, `15`, ... */
  readonly stopSignal: string;
  /** Whether it has no network of its own but that of its node. */
  readonly onHostNetwork: boolean;
  /** TCP ports that the image, or whoever has started it, says it listens at. */
  readonly exposed: readonly number[];
  readonly published: readonly PublishedPort[];
  readonly networks: readonly ContainerNetwork[];
}

const healths: readonly string[] = ['starting', 'healthy', 'unhealthy'];

/** Reads `GET /containers/ID/json`. @throws DockerEngineError. */
export function readContainer(answer: unknown): ContainerReport {
  const container = fieldsOf(answer, 'container');
  const state = partOf(container, 'State', 'container');
  const config = partOf(container, 'Config', 'container');
  const settings = partOf(container, 'NetworkSettings', 'container');
  const health = textOrNone(partOf(state, 'Health', 'State'), 'Status', 'State.Health');
  const startedAt = Date.parse(textOrNone(state, 'StartedAt', 'State'));
  return {
    id: textOf(container, 'Id', 'container'),
    name: textOrNone(container, 'Name', 'container').replace(/^\//, ''),
    labels: textsOf(config, 'Labels', 'Config'),
    running: flagOf(state, 'Running', 'State'),
    paused: flagOf(state, 'Paused', 'State'),
    health: healths.includes(health) ? (health as ContainerReport['health']) : 'none',
    // Of a container that has never run, engines say the year 1.
    startedAt: startedAt > 0 ? startedAt : undefined,
    stopSignal: textOrNone(config, 'StopSignal', 'Config') || 'SIGTERM',
    onHostNetwork: textOrNone(partOf(container, 'HostConfig', 'container'), 'NetworkMode', 'HostConfig') === 'host',
    exposed: Object.keys(partOf(config, 'ExposedPorts', 'Config'))
      .map(tcpPort)
      .filter((port) => port !== undefined)
      .sort((a, b) => a - b),
    published: readPublished(partOf(settings, 'Ports', 'NetworkSettings')),
    networks: readNetworks(partOf(settings, 'Networks', 'NetworkSettings')),
  };
}

/** `80/tcp` as 80; other protocols are no services of ours. */
function tcpPort(text: string): number | undefined {
  const [, port] = /^(\d+)(?:\/tcp)?$/.exec(text) ?? [];
  return port === undefined ? undefined : Number(port);
}

function readPublished(ports: Readonly<Record<string, unknown>>): PublishedPort[] {
  return Object.keys(ports).flatMap((key) => {
    const port = tcpPort(key);
    if (port === undefined) return [];
    return listOf(ports, key, 'NetworkSettings.Ports').map((entry) => {
      const binding = fieldsOf(entry, `Ports.${key}`);
      const hostPort = Number(textOrNone(binding, 'HostPort', `Ports.${key}`));
      return { port, hostAddress: textOrNone(binding, 'HostIp', `Ports.${key}`), hostPort };
    });
  });
}

function readNetworks(networks: Readonly<Record<string, unknown>>): ContainerNetwork[] {
  return Object.keys(networks).map((name) => {
    const network = partOf(networks, name, 'Networks');
    const address =
      textOrNone(network, 'IPAddress', `Networks.${name}`) ||
      textOrNone(network, 'GlobalIPv6Address', `Networks.${name}`);
    return { name, id: textOrNone(network, 'NetworkID', `Networks.${name}`), address };
  });
}
