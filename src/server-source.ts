import { checkServers, parseConnectString, type ServerAddress } from './connection/connect-string.js';
import type { HostProvider } from './connection/host-provider.js';
import { SrvHosts } from './connection/srv-hosts.js';
import { InvalidArgumentError } from './errors.js';
import type { ResolvedOptions } from './options.js';
import { Chroot } from './paths.js';

/** Where the servers of a client come from, and its root. */
export interface ServerSource {
  /** A list is one that can be updated. */
  readonly hosts: readonly ServerAddress[] | HostProvider;
  readonly chroot: Chroot;
}

/** Reads what a client was told to connect to. Throws `InvalidConnectStringError` and `InvalidArgumentError`. */
export function readSource(source: string | HostProvider, options: ResolvedOptions): ServerSource {
  const read = isProvider(source) ? readProvider(source) : readString(source, options);
  if (options.followReconfig && isProvider(read.hosts)) {
    const name = read.hosts.name ?? 'the host provider';
    throw new InvalidArgumentError(
      `followReconfig and ${name} both say which servers there are; leave one of them out`,
      { operation: 'connect' },
    );
  }
  return read;
}

/** Reads a new list of servers for a client whose root is `root`. Throws as {@link readSource}. */
export function readUpdate(servers: string | readonly ServerAddress[], root: string): readonly ServerAddress[] {
  const operation = 'updateServers';
  if (typeof servers !== 'string') {
    const list = checkServers(servers);
    if (typeof list !== 'string') return list;
    throw new InvalidArgumentError(`there is something wrong with the new servers: ${list}`, { operation });
  }
  const { servers: list, srvName, chroot } = parseConnectString(servers);
  if (srvName !== undefined)
    throw new InvalidArgumentError('dns-srv:// is no list of servers; it can only be connected to', { operation });
  if (chroot.prefix !== '' && chroot.prefix !== root) {
    const problem = `the chroot ${chroot.prefix} is not that of this client, ${root}, which cannot be changed`;
    throw new InvalidArgumentError(problem, { operation });
  }
  return list;
}

function isProvider(source: unknown): source is HostProvider {
  return typeof (source as Partial<HostProvider> | null)?.servers === 'function';
}

function readProvider(provider: HostProvider): ServerSource {
  const { chroot = '' } = provider;
  if (typeof chroot !== 'string') throw new InvalidArgumentError('the chroot of the host provider is no string');
  return { hosts: provider, chroot: Chroot.of(chroot) };
}

function readString(connectString: string, { resolveSrv }: ResolvedOptions): ServerSource {
  const { servers, srvName, chroot } = parseConnectString(connectString);
  return { hosts: srvName === undefined ? servers : new SrvHosts(srvName, resolveSrv), chroot };
}
