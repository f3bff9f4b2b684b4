import { isIPv6 } from 'node:net';
import { ZooKeeperError } from '../errors.js';
import { Chroot } from '../paths.js';

const DEFAULT_PORT = 2181;

/** Where a server listens for clients. */
export interface ServerAddress {
  /** A name or an address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** Whether the connection is encrypted. Left out: as the option `tls` of the client says. */
  readonly tls?: boolean | undefined;
}

/** What a connection string says. */
export interface ParsedConnectString {
  /** The servers, in the order of the string; none if they are to be found by `srvName`. */
  readonly servers: ServerAddress[];
  /** The name whose SRV records name the servers, for a string that begins with `dns-srv://`. */
  readonly srvName: string | undefined;
  readonly chroot: Chroot;
}

/** A connection string that is not one. */
export class InvalidConnectStringError extends ZooKeeperError {
  readonly code = 'INVALID_CONNECT_STRING';
  constructor(
    /** The string as it was given. */
    readonly connectString: string,
    problem: string,
    cause?: unknown,
  ) {
    super(`${JSON.stringify(connectString)} is not a connection string: ${problem}`, { operation: 'connect', cause });
  }
}

/** Whether a connection to a server is encrypted, by what stands before its name. */
const schemes: Readonly<Record<string, boolean>> = { tcp: false, 'tcp+tls': true };
const SRV_SCHEME = 'dns-srv://';

const EXAMPLE = 'expected something like "zk1:2181,zk2:2181/chroot"';
const hostName = /^[\w.-]+$/;

/**
 * Reads `host:port,host:port/chroot`: the port is 2181 unless given, IPv6 addresses stand in brackets, blanks around
 * servers are ignored, the chroot begins at the first slash. The form is that of ZooKeeper's Java client. Before a
 * server may stand `tcp://` or `tcp+tls://`, as in the Rust client; `dns-srv://name/chroot` names no servers but where
 * they are found, as in ZooKeeper 3.10.
 */
export function parseConnectString(connectString: string): ParsedConnectString {
  if (typeof connectString !== 'string')
    throw new InvalidConnectStringError(String(connectString), 'it must be a string');
  const fail = (problem: string, cause?: unknown): never => {
    throw new InvalidConnectStringError(connectString, problem, cause);
  };
  const { hosts, rest } = splitHosts(connectString);
  const chroot = rest.trimEnd();
  if (hosts.every((text) => text.trim() === '') && hosts.length === 1) fail(`it names no server; ${EXAMPLE}`);
  if (chroot.includes(','))
    fail(`the chroot ${JSON.stringify(chroot)} has a comma; it belongs after the last server, once`);
  const srvName = srvNameOf(hosts, fail);
  const servers = srvName === undefined ? hosts.map((text, index) => readServer(text, index, fail)) : [];
  try {
    return { servers, srvName, chroot: Chroot.of(chroot) };
  } catch (error) {
    return fail(`the chroot ${JSON.stringify(chroot)} is not a path: ${(error as Error).message}`, error);
  }
}

/** The texts between the commas, and what follows them from the first slash on that is not part of a scheme. */
function splitHosts(text: string): { readonly hosts: readonly string[]; readonly rest: string } {
  const hosts: string[] = [];
  const next = /(?:[^,/]*:\/\/)?[^,/]*/y;
  for (;;) {
    hosts.push(next.exec(text)?.[0] ?? '');
    if (text[next.lastIndex] !== ',') return { hosts, rest: text.slice(next.lastIndex) };
    next.lastIndex++;
  }
}

function srvNameOf(hosts: readonly string[], fail: (problem: string) => never): string | undefined {
  const index = hosts.findIndex((text) => text.trim().startsWith(SRV_SCHEME));
  if (index === -1) return undefined;
  if (hosts.length > 1) fail(`${SRV_SCHEME} stands alone, with one name, because its records name all servers`);
  const name = (hosts[index] ?? '').trim().slice(SRV_SCHEME.length);
  if (hostName.test(name)) return name;
  return fail(
    `${JSON.stringify(name)} after ${SRV_SCHEME} is no name of SRV records; expected something like "${SRV_SCHEME}_zookeeper._tcp.example.com/chroot", without a port`,
  );
}

function readServer(text: string, index: number, fail: (problem: string) => never): ServerAddress {
  const trimmed = text.trim();
  const [, scheme, address = ''] = /^(?:([^/]*):\/\/)?(.*)$/.exec(trimmed) ?? [];
  const server = scheme === undefined || Object.hasOwn(schemes, scheme) ? parseServer(address) : unknownScheme(scheme);
  if (typeof server === 'string') return fail(`server ${index + 1} (${JSON.stringify(trimmed)}): ${server}`);
  return scheme === undefined ? server : { ...server, tls: schemes[scheme] };
}

function unknownScheme(scheme: string): string {
  const known = Object.keys(schemes).map((each) => `${each}://`);
  return `there is no ${JSON.stringify(`${scheme}://`)}; known are ${known.join(', ')}, and ${SRV_SCHEME} by itself`;
}

/** The address, or what is wrong with it. */
function parseServer(text: string): ServerAddress | string {
  if (text === '') return 'it is empty';
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
  if (bracketed) {
    const host = bracketed[1] ?? '';
    if (!isIPv6(host)) return 'there is no IPv6 address in the brackets';
    return withPort(host, bracketed[2]);
  }
  if (text.includes('[') || text.includes(']')) return 'brackets belong around an IPv6 address: "[::1]:2181"';
  const parts = text.split(':');
  if (parts.length > 2) return 'an IPv6 address needs brackets: "[::1]:2181"';
  const [host = '', port] = parts;
  if (host === '') return 'the host is missing';
  if (!hostName.test(host)) return 'a host name has letters, digits, dots, hyphens and underscores only';
  return withPort(host, port);
}

function withPort(host: string, text: string | undefined): ServerAddress | string {
  if (text === undefined) return { host, port: DEFAULT_PORT };
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  return port >= 1 && port <= 65535
    ? { host, port }
    : `the port ${JSON.stringify(text)} is not a number from 1 to 65535`;
}

/** `host:port`, with brackets around an IPv6 address; with `tcp+tls://` or `tcp://` before it where that was said. */
export function formatServer({ host, port, tls }: ServerAddress): string {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  return tls === undefined ? address : `${tls ? 'tcp+tls' : 'tcp'}://${address}`;
}

/** Whether both are the same port of the same host, by name. */
export function isSameServer(one: ServerAddress, other: ServerAddress): boolean {
  return one.port === other.port && one.host.toLowerCase() === other.host.toLowerCase();
}

/** The servers, each once, or what is wrong with the list. What code made by others hands in is of any type. */
export function checkServers(list: unknown): readonly ServerAddress[] | string {
  if (!Array.isArray(list)) return 'it must be a list of { host, port }';
  if (list.length === 0) return 'it names no server';
  const servers = new Map<string, ServerAddress>();
  for (const [index, each] of (list as readonly unknown[]).entries()) {
    const problem = problemOf(each);
    if (problem !== undefined) return `server ${index + 1}: ${problem}`;
    const { host, port, tls } = each as ServerAddress;
    const server = tls === undefined ? { host, port } : { host, port, tls };
    servers.set(formatServer(server), server);
  }
  return [...servers.values()];
}

function problemOf(server: unknown): string | undefined {
  if (typeof server !== 'object' || server === null) return 'it must be an object of host and port';
  const { host, port, tls } = server as Partial<Record<keyof ServerAddress, unknown>>;
  if (typeof host !== 'string' || !(hostName.test(host) || isIPv6(host)))
    return 'the host must be a name or an address, IPv6 without brackets';
  if (!isPort(port)) return 'the port must be a number from 1 to 65535';
  return tls === undefined || typeof tls === 'boolean' ? undefined : 'tls must be true or false, if it is given';
}

function isPort(port: unknown): boolean {
  return Number.isInteger(port) && Number(port) >= 1 && Number(port) <= 65535;
}
