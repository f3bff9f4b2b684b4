import { type LabelledService, type Labels, setByEngine } from './container-labels.js';
import type { ContainerNetwork, ContainerReport } from './container-report.js';
import type { NetworkReport } from './engine-report.js';

/** What is known of the node that a container runs on. */
export interface NodePlace {
  /** Where others reach the node, undefined where nobody has said so. */
  readonly address: string | undefined;
  readonly zone: string | null;
  /** The network that callers share, for containers that are on several. */
  readonly network: string | undefined;
  /** The networks of the engine, by their ids. */
  readonly networks: ReadonlyMap<string, NetworkReport>;
}

/** Where callers reach a service. */
export interface Place {
  readonly address: string;
  readonly port: number | null;
  readonly sslPort: number | null;
}

/** Why there is no such place: a sentence that says what would help. */
export class NoPlaceError extends Error {}

/**
 * Where callers reach a service of a container: at its address on the network that is named, else on the only one that
 * comes into question; with the network `host`, at the port that its node publishes. Never a guess among several.
 * @throws NoPlaceError.
 */
export function placeOf(service: LabelledService, container: ContainerReport, node: NodePlace): Place {
  if (service.network === 'host' || container.onHostNetwork) return placeOnHost(service, container, node);
  const { name, address } = networkFor(service, container, node);
  if (address === '') throw new NoPlaceError(`it has no address on the network ${name}`);
  return { address, port: service.port, sslPort: service.sslPort };
}

function networkFor(service: LabelledService, container: ContainerReport, node: NodePlace): ContainerNetwork {
  const { networks, labels } = container;
  const names = networks.map(({ name }) => name).join(', ') || 'none';
  if (service.network !== undefined) {
    const found = named(service.network, networks, labels);
    if (found !== undefined) return found;
    throw new NoPlaceError(`zookit.network is ${JSON.stringify(service.network)}; its networks are ${names}`);
  }
  const shared = node.network === undefined ? undefined : named(node.network, networks, labels);
  if (shared !== undefined) return shared;
  const overlays = networks.filter(({ id }) => {
    const network = node.networks.get(id);
    return network?.driver === 'overlay' && !network.ingress;
  });
  const usable = overlays.length > 0 || isTask(labels) ? overlays : networks;
  const [only, ...others] = usable;
  if (only !== undefined && others.length === 0) return only;
  throw new NoPlaceError(
    only === undefined
      ? `it is on no network that callers could share (its networks are ${names}); name one by zookit.network, or say host`
      : `it is on several networks (${names}); say by zookit.network which one callers share`,
  );
}

function isTask(labels: Labels): boolean {
  return labels[setByEngine.task] !== undefined;
}

/** By its name, or by the name that the stack file or the Compose file has for it. */
function named(name: string, networks: readonly ContainerNetwork[], labels: Labels): ContainerNetwork | undefined {
  const scopes = [labels[setByEngine.stack], labels[setByEngine.project]].filter((scope) => scope !== undefined);
  const names = [name, ...scopes.map((scope) => `${scope}_${name}`)];
  return networks.find((network) => names.includes(network.name));
}

function placeOnHost(service: LabelledService, container: ContainerReport, node: NodePlace): Place {
  const port = publishedAt(service.port, container);
  const sslPort = publishedAt(service.sslPort, container);
  const given = new Set([port?.address, sslPort?.address].filter((each) => each !== undefined && each !== ''));
  const [address = node.address, ...others] = given;
  if (others.length > 0) throw new NoPlaceError('its two ports are published at different addresses');
  if (address === undefined)
    throw new NoPlaceError('the address of the node is not known: tell the agent, or make the engine one of a Swarm');
  return { address, port: port?.port ?? null, sslPort: sslPort?.port ?? null };
}

/** At which port of the node, and at which of its addresses if not at all of them, a port of a container is reached. */
function publishedAt(
  port: number | null,
  { onHostNetwork, published }: ContainerReport,
): { readonly port: number; readonly address: string } | undefined {
  if (port === null) return undefined;
  if (onHostNetwork) return { port, address: '' };
  const found = published.filter((each) => each.port === port && each.hostPort > 0);
  // IPv6 beside IPv4 says the same once more.
  const [first] = found.filter(({ hostAddress }) => !isLoopback(hostAddress));
  if (first === undefined)
    throw new NoPlaceError(
      `the port ${port} is not published on the node${found.length > 0 ? ', but on its loopback' : ''}`,
    );
  return { port: first.hostPort, address: ['', '0.0.0.0', '::'].includes(first.hostAddress) ? '' : first.hostAddress };
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}
