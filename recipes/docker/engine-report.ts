import { fieldsOf, flagOf, listOf, partOf, textOf, textOrNone, textsOf } from './answer-fields.js';

/** A container in the list of those that run: `GET /containers/json`. */
export interface ListedContainer {
  readonly id: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** @throws DockerEngineError. */
export function readListedContainer(answer: unknown): ListedContainer {
  const container = fieldsOf(answer, 'container');
  return { id: textOf(container, 'Id', 'container'), labels: textsOf(container, 'Labels', 'container') };
}

/** A network of an engine: `GET /networks`. */
export interface NetworkReport {
  readonly id: string;
  readonly name: string;
  /** `overlay`, `bridge`, `host`, ... */
  readonly driver: string;
  /** Whether it is the one that carries what comes in by the routing mesh. */
  readonly ingress: boolean;
}

/** @throws DockerEngineError. */
export function readNetwork(answer: unknown): NetworkReport {
  const network = fieldsOf(answer, 'network');
  return {
    id: textOf(network, 'Id', 'network'),
    name: textOf(network, 'Name', 'network'),
    driver: textOrNone(network, 'Driver', 'network'),
    ingress: flagOf(network, 'Ingress', 'network'),
  };
}

/** What an engine says of itself: `GET /info`. */
export interface EngineInfo {
  /** Its node in the Swarm, else the id of the engine. */
  readonly node: string;
  readonly hostname: string;
  /** The address by which the other nodes of the Swarm know this one; empty without a Swarm. */
  readonly address: string;
  readonly isManager: boolean;
  readonly labels: Readonly<Record<string, string>>;
  /** Milliseconds since 1970, by the clock of the engine, which may be another machine. */
  readonly time: number | undefined;
}

/** @throws DockerEngineError. */
export function readInfo(answer: unknown): EngineInfo {
  const info = fieldsOf(answer, 'info');
  const swarm = partOf(info, 'Swarm', 'info');
  const time = Date.parse(textOrNone(info, 'SystemTime', 'info'));
  const labels = listOf(info, 'Labels', 'info').filter((label): label is string => typeof label === 'string');
  return {
    node: textOrNone(swarm, 'NodeID', 'Swarm') || textOrNone(info, 'ID', 'info') || textOf(info, 'Name', 'info'),
    hostname: textOrNone(info, 'Name', 'info'),
    address: textOrNone(swarm, 'NodeAddr', 'Swarm'),
    isManager: flagOf(swarm, 'ControlAvailable', 'Swarm'),
    labels: Object.fromEntries(
      labels.map((label) => [label.replace(/=.*$/s, ''), label.slice(label.indexOf('=') + 1)]),
    ),
    time: Number.isNaN(time) ? undefined : time,
  };
}
