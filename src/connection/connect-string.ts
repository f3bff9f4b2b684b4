import { isIPv6 } from 'node:net';
import { ZooKeeperError } from '../errors.js';
import { Chroot } from '../paths.js';

const DEFAULT_PORT = 2181;

/** Where a server listens for clients. */
export interface ServerAddress {
  /** A name or an address; IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** Whether TLS is spoken there; undefined: as the option `tls` says. */
  readonly tls?: boolean | undefined;
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

/**
 * Reads `host:port,host:port/chroot`: the port is 2181 unless given, IPv6 addresses stand in brackets, blanks around
 * servers are ignored, the chroot begins at the first slash. The form is that of ZooKeeper's Java client.
 */
export function parseConnectString(connectString: string): {
  readonly servers: ServerAddress[];
  readonly chroot: Chroot;
} {
  if (typeof connectString !== 'string')
    throw new InvalidConnectStringError(String(connectString), 'it must be a string');
  const slash = connectString.indexOf('/');
  const hosts = slash === -1 ? connectString : connectString.slice(0, slash);
  const chroot = slash === -1 ? '' : connectString.slice(slash).trimEnd();
  const fail = (problem: string, cause?: unknown): never => {
    throw new InvalidConnectStringError(connectString, problem, cause);
  };
  if (hosts.trim() === '') fail('it names no server; expected something like "zk1:2181,zk2:2181/chroot"');
  if (chroot.includes(','))
    fail(`the chroot ${JSON.stringify(chroot)} has a comma; it belongs after the last server, once`);
  const servers = hosts.split(',').map((text, index) => {
    const address = parseServer(text.trim());
    return typeof address === 'string'
      ? fail(`server ${index + 1} (${JSON.stringify(text.trim())}): ${address}`)
      : address;
  });
  try {
    return { servers, chroot: Chroot.of(chroot) };
  } catch (error) {
    return fail(`the chroot ${JSON.stringify(chroot)} is not a path: ${(error as Error).message}`, error);
  }
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
  if (!/^[\w.-]+$/.test(host)) return 'a host name has letters, digits, dots, hyphens and underscores only';
  return withPort(host, port);
}

function withPort(host: string, text: string | undefined): ServerAddress | string {
  if (text === undefined) return { host, port: DEFAULT_PORT };
  const port = /^\d{1,5}$/.test(text) ? Number(text) : NaN;
  return port >= 1 && port <= 65535
    ? { host, port }
    : `the port ${JSON.stringify(text)} is not a number from 1 to 65535`;
}

/** `host:port`, with brackets around an IPv6 address. */
export function formatServer({ host, port }: ServerAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
