import { fieldsOf, flagOf, listOf, numberOrNone, partOf, textOf, textOrNone, textsOf } from './answer-fields.js';

/** A node of a Swarm, as it is published. */
export interface SwarmNode {
  readonly id: string;
  readonly hostname: string;
  /** Where the other nodes reach it. */
  readonly address: string;
  readonly role: string;
  readonly availability: string;
  /** `ready`, `down`, `disconnected`, `unknown`. */
  readonly state: string;
  /** What the managers say of the state: `heartbeat failure`. */
  readonly message: string;
  /** Of managers alone. */
  readonly manager: { readonly leader: boolean; readonly reachability: string } | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly platform: { readonly os: string; readonly architecture: string };
  readonly engineVersion: string;
}

/** Reads an entry of `GET /nodes`. @throws DockerEngineError. */
export function readSwarmNode(answer: unknown): SwarmNode {
  const node = fieldsOf(answer, 'node');
  const spec = partOf(node, 'Spec', 'node');
  const status = partOf(node, 'Status', 'node');
  const description = partOf(node, 'Description', 'node');
  const platform = partOf(description, 'Platform', 'Description');
  const manager = partOf(node, 'ManagerStatus', 'node');
  // Of a manager the status may say 0.0.0.0 or 127.0.0.1 (moby/moby#35437); its other address is `10.0.0.5:2377`.
  const managerAddress = textOrNone(manager, 'Addr', 'ManagerStatus').replace(/:\d+$/, '');
  return {
    id: textOf(node, 'ID', 'node'),
    hostname: textOrNone(description, 'Hostname', 'Description'),
    address: managerAddress.replace(/^\[|\]$/g, '') || textOrNone(status, 'Addr', 'Status'),
    role: textOrNone(spec, 'Role', 'Spec'),
    availability: textOrNone(spec, 'Availability', 'Spec'),
    state: textOrNone(status, 'State', 'Status'),
    message: textOrNone(status, 'Message', 'Status'),
    manager:
      managerAddress === ''
        ? null
        : {
            leader: flagOf(manager, 'Leader', 'ManagerStatus'),
            reachability: textOrNone(manager, 'Reachability', 'ManagerStatus'),
          },
    labels: textsOf(spec, 'Labels', 'Spec'),
    platform: {
      os: textOrNone(platform, 'OS', 'Platform'),
      architecture: textOrNone(platform, 'Architecture', 'Platform'),
    },
    engineVersion: textOrNone(partOf(description, 'Engine', 'Description'), 'EngineVersion', 'Engine'),
  };
}

/** A port that a service publishes. */
export interface SwarmPort {
  readonly protocol: string;
  readonly target: number | null;
  readonly published: number | null;
  /** `ingress` or `host`. */
  readonly mode: string;
}

/** How many tasks a service is to have. */
export interface SwarmMode {
  /** `replicated`, `global`, `replicated-job`, `global-job`. */
  readonly kind: string;
  /** Null where it is one on each node. */
  readonly replicas: number | null;
}

/** A service of a Swarm, as it is published: its definition without environment, command, secrets and mounts. */
export interface SwarmService {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly mode: SwarmMode;
  /** Those of the service (`deploy: labels:`). */
  readonly labels: Readonly<Record<string, string>>;
  /** Those of its containers (`labels:`), which say how they are registered. */
  readonly containerLabels: Readonly<Record<string, string>>;
  readonly ports: readonly SwarmPort[];
  /** Ids, or names where they are known. */
  readonly networks: readonly string[];
  readonly endpointMode: string;
  readonly update: { readonly state: string; readonly message: string } | null;
}

const modes = [
  ['Replicated', 'replicated', 'Replicas'],
  ['Global', 'global', undefined],
  ['ReplicatedJob', 'replicated-job', 'TotalCompletions'],
  ['GlobalJob', 'global-job', undefined],
] as const;

/** Reads an entry of `GET /services`. @throws DockerEngineError. */
export function readSwarmService(answer: unknown): SwarmService {
  const service = fieldsOf(answer, 'service');
  const spec = partOf(service, 'Spec', 'service');
  const template = partOf(spec, 'TaskTemplate', 'Spec');
  const container = partOf(template, 'ContainerSpec', 'TaskTemplate');
  const endpoint = partOf(service, 'Endpoint', 'service');
  const update = partOf(service, 'UpdateStatus', 'service');
  // Old engines have the networks of a service beside its template.
  const networks = [...listOf(template, 'Networks', 'TaskTemplate'), ...listOf(spec, 'Networks', 'Spec')];
  const state = textOrNone(update, 'State', 'UpdateStatus');
  return {
    id: textOf(service, 'ID', 'service'),
    name: textOf(spec, 'Name', 'Spec'),
    image: textOrNone(container, 'Image', 'ContainerSpec'),
    mode: readMode(partOf(spec, 'Mode', 'Spec')),
    labels: textsOf(spec, 'Labels', 'Spec'),
    containerLabels: textsOf(container, 'Labels', 'ContainerSpec'),
    ports: listOf(endpoint, 'Ports', 'Endpoint').map(readPort),
    networks: networks.map((each) => textOrNone(fieldsOf(each, 'Networks'), 'Target', 'Networks')),
    endpointMode: textOrNone(partOf(endpoint, 'Spec', 'Endpoint'), 'Mode', 'Endpoint.Spec'),
    update: state === '' ? null : { state, message: textOrNone(update, 'Message', 'UpdateStatus') },
  };
}

function readMode(mode: Readonly<Record<string, unknown>>): SwarmMode {
  for (const [field, kind, count] of modes) {
    if (mode[field] === undefined || mode[field] === null) continue;
    const number = count === undefined ? undefined : numberOrNone(partOf(mode, field, 'Mode'), count, field);
    return { kind, replicas: number ?? null };
  }
  return { kind: 'unknown', replicas: null };
}

function readPort(answer: unknown): SwarmPort {
  const port = fieldsOf(answer, 'port');
  return {
    protocol: textOrNone(port, 'Protocol', 'port'),
    target: numberOrNone(port, 'TargetPort', 'port') ?? null,
    published: numberOrNone(port, 'PublishedPort', 'port') ?? null,
    mode: textOrNone(port, 'PublishMode', 'port'),
  };
}
