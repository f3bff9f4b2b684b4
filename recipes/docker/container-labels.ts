import { checkServicePart } from '../services/service-instance.js';

/** Labels that a Swarm or Compose sets by itself. */
export const setByEngine = {
  service: 'com.docker.swarm.service.name',
  task: 'com.docker.swarm.task.id',
  stack: 'com.docker.stack.namespace',
  project: 'com.docker.compose.project',
} as const;

/** Says at which port a task serves, and with that that it is to be registered. As `zookit.port`, which goes before it. */
const SWARM_PORT = 'com.docker.swarm.service.port';

/** What can be said of a service, behind `zookit.` or `zookit.<port>.`. */
const settings: readonly string[] = ['name', 'port', 'ssl-port', 'weight', 'zone', 'payload', 'network'];

/** What the labels of a container say of one service that it offers. */
export interface LabelledService {
  readonly name: string;
  /** Where it listens in its container. */
  readonly port: number | null;
  readonly sslPort: number | null;
  readonly payload: unknown;
  readonly weight: number | null;
  readonly zone: string | null;
  /** The network whose address is to be registered, or `host`; undefined where the labels leave that open. */
  readonly network: string | undefined;
  /** Tells the services of one container apart; empty for the first. */
  readonly suffix: string;
}

/** What was read. What is wrong keeps the service that it belongs to from being registered; an unknown label does not. */
export interface LabelReading {
  readonly services: readonly LabelledService[];
  readonly problems: readonly string[];
}

export type Labels = Readonly<Record<string, string>>;

/** Whether a container asks to be registered. The name that a Swarm gives each task is no wish yet. */
export function isLabelled(labels: Labels): boolean {
  return Object.keys(labels).some(
    (label) =>
      label === SWARM_PORT || label === 'zookit.name' || label === 'zookit.port' || portIn(label) !== undefined,
  );
}

/** Reads the labels of a container. `exposed`: where it listens according to its image. */
export function readLabels(labels: Labels, exposed: readonly number[]): LabelReading {
  const problems = unknownLabels(labels);
  const ports = [...new Set(Object.keys(labels).map(portIn))].filter((port) => port !== undefined);
  if (!isLabelled(labels) || isIgnored(labels, problems)) return { services: [], problems };
  // Of a name alone, beside ports with names of their own, nothing can be registered.
  const isSingle = ports.length === 0 || labels[SWARM_PORT] !== undefined || labels['zookit.port'] !== undefined;
  const services = [
    ...(isSingle ? [readService(labels, '', exposed, problems)] : []),
    ...ports.map((port) => readService(labels, port, exposed, problems)),
  ];
  return { services: services.filter((each) => each !== undefined), problems };
}

/** `80` of `zookit.80.name`. */
function portIn(label: string): string | undefined {
  return /^zookit\.(\d+)\./.exec(label)?.[1];
}

function unknownLabels(labels: Labels): string[] {
  const mine = Object.keys(labels).filter((label) => label.startsWith('zookit.') && label !== 'zookit.ignore');
  const unknown = mine.filter((label) => {
    const [, port, setting = ''] = /^zookit\.(?:(\d+)\.)?(.*)$/.exec(label) ?? [];
    return !settings.includes(setting) || (port !== undefined && setting === 'port');
  });
  return unknown.map(
    (label) => `there is no label ${label}; known are ${settings.join(', ')}, ignore behind "zookit."`,
  );
}

function isIgnored(labels: Labels, problems: string[]): boolean {
  const ignore = labels['zookit.ignore'];
  if (ignore === undefined || ignore === 'false') return false;
  if (ignore !== 'true') problems.push(`zookit.ignore is ${JSON.stringify(ignore)}; it must be "true" or "false"`);
  return true;
}

/** The service at a port that labels name (`zookit.80.name`), or the one that they speak of without (''). */
function readService(
  labels: Labels,
  namedPort: string,
  exposed: readonly number[],
  problems: string[],
): LabelledService | undefined {
  const before = problems.length;
  /** A label of this service, else the one for all. */
  const find = (setting: string): [label: string, value: string] | undefined => {
    const own = `zookit.${namedPort}.${setting}`;
    const common = `zookit.${setting}`;
    const label = namedPort !== '' && labels[own] !== undefined ? own : common;
    return labels[label] === undefined ? undefined : [label, labels[label]];
  };
  const read = <T>(found: [string, string] | undefined, parse: (text: string) => T): T | undefined => {
    if (found === undefined) return undefined;
    try {
      return parse(found[1]);
    } catch (error) {
      problems.push(`${found[0]} is ${JSON.stringify(found[1])}; ${messageOf(error)}`);
      return undefined;
    }
  };
  const name = read(nameFor(labels, namedPort), parseName);
  const port =
    namedPort === ''
      ? (read(find('port') ?? pair(labels, SWARM_PORT), parsePort) ?? null)
      : (read([`the port of zookit.${namedPort}`, namedPort], parsePort) ?? null);
  const sslPort = read(find('ssl-port'), parsePort) ?? null;
  const weight = read(find('weight'), parseWeight) ?? null;
  const payload = read(find('payload'), parsePayload) ?? null;
  const zone = read(find('zone'), parseText) ?? null;
  const network = read(find('network'), parseText);
  if (problems.length > before) return undefined;
  if (name === undefined) {
    problems.push('there is no zookit.name, and no Swarm has named a service');
    return undefined;
  }
  const found = port ?? (sslPort === null && exposed.length === 1 ? (exposed[0] ?? null) : null);
  if (found === null && sslPort === null) {
    const ports = exposed.length === 0 ? 'no port' : `the ports ${exposed.join(', ')}`;
    problems.push(`${name} has no port: set zookit.port (the image exposes ${ports})`);
    return undefined;
  }
  return { name, port: found, sslPort, payload, weight, zone, network, suffix: namedPort && `-${namedPort}` };
}

/** The name of a service at a port of its own is, where no label gives it, that of the container with the port behind it. */
function nameFor(labels: Labels, namedPort: string): [string, string] | undefined {
  const own = namedPort === '' ? undefined : pair(labels, `zookit.${namedPort}.name`);
  if (own !== undefined) return own;
  const common = pair(labels, 'zookit.name') ?? pair(labels, setByEngine.service);
  if (common === undefined || namedPort === '') return common;
  return [common[0], `${common[1]}-${namedPort}`];
}

function pair(labels: Labels, label: string): [string, string] | undefined {
  return labels[label] === undefined ? undefined : [label, labels[label]];
}

function parseName(text: string): string {
  checkServicePart(text, 'name');
  return text;
}

function parsePort(text: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65535) throw new Error('it must be a port, from 1 to 65535');
  return port;
}

function parseWeight(text: string): number {
  const weight = text.trim() === '' ? NaN : Number(text);
  if (!(weight > 0 && Number.isFinite(weight))) throw new Error('it must be a number above 0');
  return weight;
}

function parseText(text: string): string {
  if (text === '') throw new Error('it must not be empty');
  return text;
}

function parsePayload(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new Error(`it must be JSON: ${messageOf(error)}`, { cause: error });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
