import type Long from 'long';
import { now } from '../clock.js';
import { formatServer, parseConnectString, type ServerAddress } from '../connection/connect-string.js';
import { HostQuery } from '../connection/rounds.js';
import { SrvHosts } from '../connection/srv-hosts.js';
import { AbortedError, InvalidArgumentError, LinkError, type ZooKeeperError } from '../errors.js';
import { rejectUnknown, type SrvResolver } from '../options.js';
import { ServerNotServingError } from './errors.js';
import { FourLetterAdmin } from './four-letter.js';
import {
  adminOptionNames,
  type AdminOptions,
  type ResolvedAdminOptions,
  resolveAdminOptions,
  resolveLimits,
} from './options.js';
import type { ServerMode, ServerReport } from './reports.js';

/** How an ensemble is to be asked. `timeout` is for all of it: servers are asked at the same time. */
export interface HealthOptions extends AdminOptions {
  /** From how many transactions on a server that is behind the leader is a problem. Default 10,000. */
  readonly maxLag?: number | undefined;
  /** Finds the SRV records of a name, for `dns-srv://`. Default: the name servers of the system. */
  readonly resolveSrv?: SrvResolver | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A server that serves. */
export interface ServingServer {
  readonly state: 'serving';
  /** `host:port` as in the connection string. */
  readonly server: string;
  /** `undefined`: a mode that this release of zookit does not know. */
  readonly role: ServerMode | undefined;
  /**
   * How many transactions the leader has applied, at least, and this server has not. The servers are asked at slightly
   * different times, so a busy ensemble shows a few. `undefined`: no leader was found.
   */
  readonly lag: number | undefined;
  /** How long the server took to answer, milliseconds. */
  readonly responseTime: number;
  /** All that the server says of itself: version, latency, zxid, connections, outstanding requests. */
  readonly report: ServerReport;
}

/** A server that does not serve. `notServing`: it runs, and has no quorum. `unreachable`: it gave no usable answer. */
export interface FailedServer {
  readonly state: 'notServing' | 'unreachable';
  readonly server: string;
  /** Why. */
  readonly error: ZooKeeperError;
}

/** One server of {@link EnsembleHealth}. */
export type ServerHealth = ServingServer | FailedServer;

/**
 * `healthy`: every server serves, under one leader. `degraded`: there is a quorum, and something is wrong.
 * `readOnly`: there is no quorum, and somebody serves reads. `down`: nobody serves.
 */
export type HealthVerdict = 'healthy' | 'degraded' | 'readOnly' | 'down';

/** The health of an ensemble, as far as the servers of the connection string show it. */
export interface EnsembleHealth {
  readonly verdict: HealthVerdict;
  /** What is wrong, one sentence each. Empty if and only if the verdict is `healthy`. */
  readonly problems: readonly string[];
  /** Whether writes are possible: a server leads or stands alone, or follows a leader that was not asked. */
  readonly quorum: boolean;
  /** The one leader, or the standalone server; `undefined`: there is none, or more than one claims to be. */
  readonly leader: string | undefined;
  /** In the order of the connection string, or in that of SRV records. */
  readonly servers: readonly ServerHealth[];
}

const DEFAULT_MAX_LAG = 10_000;

/**
 * Asks all servers of a connection string how they are, at the same time, by `srvr`, which needs no whitelist. It
 * resolves within `timeout`, also when servers are down or hang: what they lack is in the result. For `dns-srv://name`,
 * it asks the servers that the records name now; where nobody can say which those are, the verdict is `down`.
 *
 * @throws InvalidConnectStringError, InvalidArgumentError at once; AbortedError. Never because of a server.
 */
export async function health(connectString: string, options: HealthOptions = {}): Promise<EnsembleHealth> {
  rejectUnknown(options, [...adminOptionNames, 'maxLag', 'resolveSrv', 'signal'], 'option');
  const { maxLag = DEFAULT_MAX_LAG, resolveSrv, signal, ...common } = options;
  if (typeof maxLag !== 'number' || !(maxLag >= 0))
    throw new InvalidArgumentError(`maxLag is ${String(maxLag)}; it must be a number of transactions`, {
      operation: 'health',
    });
  const resolved = resolveAdminOptions(common, 'health');
  resolveLimits({ signal }, resolved, 'health');
  if (resolveSrv !== undefined && typeof resolveSrv !== 'function')
    throw new InvalidArgumentError('resolveSrv must be a function, such as dns.promises.resolveSrv', {
      operation: 'health',
    });
  const { servers, srvName } = parseConnectString(connectString);
  const begin = now();
  const found = srvName === undefined ? servers : await findServers(srvName, resolveSrv, resolved, signal);
  if (typeof found === 'string' && signal?.aborted !== true)
    return { verdict: 'down', problems: [found], quorum: false, leader: undefined, servers: [] };
  const timeout = Math.max(0, resolved.timeout - (now() - begin));
  const asked =
    typeof found === 'string'
      ? []
      : await Promise.all(found.map((address) => look(address, resolved, timeout, signal)));
  if (signal?.aborted === true)
    throw new AbortedError('it was aborted', { operation: 'health', cause: signal.reason }, false);
  return judge(asked, maxLag);
}

/** The servers that SRV records name, or why there are none. */
function findServers(
  srvName: string,
  resolveSrv: SrvResolver | undefined,
  { timeout }: ResolvedAdminOptions,
  signal: AbortSignal | undefined,
): Promise<readonly ServerAddress[] | string> {
  return new Promise((resolve) => {
    const hosts = new SrvHosts(srvName, resolveSrv);
    const settle = (answer: readonly ServerAddress[] | Error): void => {
      signal?.removeEventListener('abort', onAbort);
      resolve(answer instanceof Error ? `${hosts.name}: ${answer.message}` : answer);
    };
    const query = new HostQuery(hosts, timeout, false, settle);
    const onAbort = (): void => {
      query.stop();
      settle(new LinkError('it was aborted'));
    };
    signal?.addEventListener('abort', onAbort);
    if (signal?.aborted === true) onAbort();
    else query.start();
  });
}

/** A server before it is compared with the others. */
type Look = Omit<ServingServer, 'lag'> | FailedServer;

async function look(
  address: ServerAddress,
  options: ResolvedAdminOptions,
  timeout: number,
  signal: AbortSignal | undefined,
): Promise<Look> {
  const server = formatServer(address);
  const begin = now();
  try {
    const report = await new FourLetterAdmin(address, options).srvr({ timeout, signal });
    return { state: 'serving', server, role: report.mode, responseTime: now() - begin, report };
  } catch (error) {
    // An option that turns out to be wrong only now, such as what a function of `tls` returns.
    if (error instanceof InvalidArgumentError) throw error;
    const state = error instanceof ServerNotServingError ? 'notServing' : 'unreachable';
    return { state, server, error: error as ZooKeeperError };
  }
}

/** What the servers' words come to. */
export function judge(asked: readonly Look[], maxLag: number): EnsembleHealth {
  const heads = asked.filter(isServing).filter(({ role }) => role === 'leader' || role === 'standalone');
  const head = heads.length === 1 ? heads[0] : undefined;
  const servers = asked.map((each): ServerHealth =>
    isServing(each)
      ? { ...each, lag: head === undefined ? undefined : lagOf(each.report.zxid, head.report.zxid) }
      : each,
  );
  const serving = servers.filter((each) => each.state === 'serving');
  const quorum = serving.some(({ role }) => role !== 'read-only' && role !== undefined);
  const problems = [
    ...servers.flatMap((each) => problemOf(each, maxLag)),
    ...headProblems(heads, quorum),
    ...(head === undefined ? [] : strangers(head, serving)),
  ];
  return {
    verdict: verdictOf(quorum, serving.length, problems.length),
    problems,
    quorum,
    leader: head?.server,
    servers,
  };
}

function isServing(each: Look): each is Omit<ServingServer, 'lag'> {
  return each.state === 'serving';
}

function verdictOf(quorum: boolean, serving: number, problems: number): HealthVerdict {
  if (serving === 0) return 'down';
  if (!quorum) return 'readOnly';
  return problems === 0 ? 'healthy' : 'degraded';
}

function problemOf(each: ServerHealth, maxLag: number): string[] {
  if (each.state !== 'serving') return [each.error.message];
  if (each.role === undefined) return [`${each.server}: it is in a mode that is not known here`];
  if (each.role === 'read-only') return [`${each.server}: it has lost its quorum and is read-only`];
  if (each.lag !== undefined && each.lag > maxLag)
    return [`${each.server}: it is ${each.lag} transactions behind the leader`];
  return [];
}

function headProblems(heads: readonly Look[], quorum: boolean): string[] {
  if (heads.length > 1) return [`several servers claim to lead: ${heads.map(({ server }) => server).join(', ')}`];
  if (heads.length === 1) return [];
  return [quorum ? 'none of these servers is the leader' : 'there is no leader'];
}

/** Servers that do not belong to the leader's ensemble, or still belong to an earlier leader. */
function strangers(head: Look, serving: readonly ServingServer[]): string[] {
  return serving.flatMap(({ server, role, report }) => {
    if (server === head.server) return [];
    const own = serving.find((each) => each.server === head.server);
    if (own?.role === 'standalone')
      return [`${server}: it belongs to another ensemble than ${head.server}, which stands alone`];
    if (own === undefined || role === 'read-only' || epochOf(report.zxid) <= epochOf(own.report.zxid)) return [];
    return [`${server}: it has seen a newer leader than ${head.server}`];
  });
}

/** zxids count the leaders in their upper half and each leader's transactions in the lower one. */
function epochOf(zxid: Long): number {
  return zxid.getHighBitsUnsigned();
}

function lagOf(zxid: Long, leader: Long): number {
  if (epochOf(zxid) > epochOf(leader)) return 0;
  const applied = epochOf(zxid) === epochOf(leader) ? zxid.getLowBitsUnsigned() : 0;
  return Math.max(0, leader.getLowBitsUnsigned() - applied);
}
