import { createSocket } from 'node:dgram';
import { lookup, Resolver } from 'node:dns/promises';
import { getServers } from 'node:dns';
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { TaskAddress } from './swarm-address.js';
import { readTaskName, type TaskName } from './swarm-environment.js';

/** Where the name service of a Docker engine listens inside of containers that are on a network of their own. */
const NAME_SERVICE = '127.0.0.11';
/** How long it may take to answer, milliseconds. What it does not know it asks others, who may be away. */
const NAME_TIMEOUT = 1_000;

/** What can be found out from inside of a container. */
export interface Surroundings {
  /** All addresses but those of the loopback interface and link-local ones. */
  readonly addresses: readonly TaskAddress[];
  /** Who this task is, as the name service has it. */
  readonly task: TaskName | undefined;
  /** `silent`: there is a name service of Docker that does not know us, or not yet. `other`: it knows us as no task. */
  readonly names: 'task' | 'other' | 'silent' | 'none';
}

type Address = Omit<TaskAddress, 'network'>;

/** Looks at the interfaces, the routes and the name service. Never throws. */
export async function lookAround(): Promise<Surroundings> {
  const gateways = await gatewayInterfaces();
  const own: readonly Address[] = Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    addresses
      .filter(({ internal, address }) => !internal && !/^(fe80:|169\.254\.)/i.test(address))
      .map(({ address, family, internal, cidr }): Address => ({
        address,
        family: family === 'IPv6' ? 6 : 4,
        interface: name,
        internal,
        cidr: cidr ?? address,
        gateway: gateways.has(name),
      })),
  );
  const none = own.map((each) => ({ ...each, network: null }));
  if (!getServers().includes(NAME_SERVICE)) return { addresses: none, task: undefined, names: 'none' };
  const names = await namesOf(own);
  const tasks = new Map([...names].map(([address, texts]) => [address, readFirst(texts)]));
  const task = [...tasks.values()].find((each) => each !== undefined);
  const addresses = own.map((each) => ({ ...each, network: tasks.get(each.address)?.network ?? null }));
  if (task !== undefined) return { addresses, task, names: 'task' };
  return { addresses, task, names: names.size > 0 ? 'other' : 'silent' };
}

function readFirst(names: readonly string[]): TaskName | undefined {
  return names.map(readTaskName).find((each) => each !== undefined);
}

/**
 * What the name service calls our addresses. The bridge of the node it does not know and would ask others about: so that is
 * only asked for where nothing else has a name.
 */
async function namesOf(own: readonly Address[]): Promise<Map<string, string[]>> {
  const resolver = new Resolver({ timeout: NAME_TIMEOUT, tries: 1 });
  resolver.setServers([NAME_SERVICE]);
  const ask = async (addresses: readonly Address[]): Promise<Map<string, string[]>> => {
    const answers = await Promise.all(
      addresses.map(
        async ({ address }) => [address, await resolver.resolvePtr(reverseName(address)).catch(() => [])] as const,
      ),
    );
    return new Map(answers.filter(([, names]) => names.length > 0));
  };
  const names = await ask(own.filter(({ gateway }) => !gateway));
  return names.size > 0 ? names : ask(own.filter(({ gateway }) => gateway));
}

/**
 * The name that the name of an address is asked by: `7.1.0.10.in-addr.arpa`. Node's `reverse()` would not ask: it looks into
 * /etc/hosts first, where the engine has put the host name of the container.
 */
export function reverseName(address: string): string {
  if (isIP(address) === 4) return `${address.split('.').reverse().join('.')}.in-addr.arpa`;
  const [head = [], tail] = address.split('::').map((part) => part.split(':').filter(Boolean));
  const groups = [
    ...head,
    ...Array<string>(tail === undefined ? 0 : 8 - head.length - tail.length).fill('0'),
    ...(tail ?? []),
  ];
  const digits = Array.from(groups.map((group) => group.padStart(4, '0')).join(''));
  return `${digits.reverse().join('.')}.ip6.arpa`;
}

/** The interfaces that default routes go by. Empty where there is no /proc/net. */
async function gatewayInterfaces(): Promise<ReadonlySet<string>> {
  const [ipv4, ipv6] = await Promise.all(
    ['/proc/net/route', '/proc/net/ipv6_route'].map((file) => readFile(file, 'utf8').catch(() => '')),
  );
  return gatewaysIn(ipv4 ?? '', ipv6 ?? '');
}

/** Reads the tables of routes as Linux has them in /proc/net/route and /proc/net/ipv6_route. */
export function gatewaysIn(ipv4: string, ipv6: string): ReadonlySet<string> {
  const gateways = new Set<string>();
  for (const line of ipv4.split('\n').slice(1)) {
    const [name, destination, , , , , , mask] = line.split('\t');
    if (name !== undefined && destination === '00000000' && mask === '00000000') gateways.add(name.trim());
  }
  for (const line of ipv6.split('\n')) {
    const fields = line.trim().split(/\s+/);
    const name = fields.at(-1);
    // Each table has a route to nowhere by the loopback interface.
    if (name !== undefined && name !== 'lo' && fields[0] === '0'.repeat(32) && fields[1] === '00') gateways.add(name);
  }
  return gateways;
}

/**
 * Our address on the way to a server (`host:port`). Nothing is sent: the kernel is asked which way it would take. Undefined
 * where it cannot be told.
 */
export async function addressOnTheWayTo(server: string): Promise<string | undefined> {
  const { host, port } = splitServer(server);
  const { address, family } = await lookup(host).catch(() => ({ address: '', family: 0 }));
  if (isIP(address) === 0) return undefined;
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.connect(port, address, resolve);
    });
    return socket.address().address;
  } catch {
    return undefined;
  } finally {
    socket.close();
  }
}

function splitServer(server: string): { readonly host: string; readonly port: number } {
  const [, host = '', port] = /^(?:[a-z+]+:\/\/)?(.*):(\d+)$/.exec(server) ?? [];
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port ?? 0) };
}
