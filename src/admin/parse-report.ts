import { type EnsembleConfig, parseEnsembleConfig } from '../ensemble-config.js';
import type {
  ConfigReport,
  DirectoryReport,
  DumpReport,
  EnvironmentReport,
  MonitorReport,
  WatchesByPath,
  WatchesBySession,
  WatchSummary,
} from './reports.js';
import { groupsOf, labelled, linesOf, need, pairsOf, toHexLong, toMode, toNumber, UnreadableText } from './text.js';

/** The answer to `mntr`: `zk_name<TAB>value`. */
export function parseMonitor(raw: string): MonitorReport {
  const values: Record<string, number | string> = {};
  for (const [name, text] of pairsOf(raw, '\t')) {
    const number = text.trim() === '' ? NaN : Number(text);
    values[name.replace(/^zk_/, '')] = Number.isNaN(number) && text !== 'NaN' ? text : number;
  }
  return monitorOf(values, raw);
}

/** The well-known figures among all of them, under names that both ways of asking share. */
export function monitorOf(values: Readonly<Record<string, number | string>>, raw: string): MonitorReport {
  const maybe = (name: string): number | undefined => {
    const value = values[name];
    return typeof value === 'number' ? value : undefined;
  };
  const number = (name: string): number => toNumber(maybe(name), name);
  const { version, server_state: state } = values;
  if (typeof version !== 'string') throw new UnreadableText('there is no version');
  return {
    version,
    mode: toMode(typeof state === 'string' ? state : undefined),
    latency: { min: number('min_latency'), average: number('avg_latency'), max: number('max_latency') },
    packetsReceived: number('packets_received'),
    packetsSent: number('packets_sent'),
    connections: number('num_alive_connections'),
    outstanding: number('outstanding_requests'),
    znodes: number('znode_count'),
    watches: number('watch_count'),
    ephemerals: number('ephemerals_count'),
    approximateDataSize: number('approximate_data_size'),
    openFiles: maybe('open_file_descriptor_count'),
    maxFiles: maybe('max_file_descriptor_count'),
    uptime: maybe('uptime'),
    // The name before ZooKeeper 3.6 was the one that fits less.
    learners: maybe('learners') ?? maybe('followers'),
    syncedFollowers: maybe('synced_followers'),
    values,
    raw,
  };
}

/** The answer to `conf`: `name=value`, and the members of the ensemble. */
export function parseConfig(raw: string): ConfigReport {
  const pairs = pairsOf(raw, '=');
  const number = (name: string): number => toNumber(pairs.get(name), name);
  const secure = pairs.get('secureClientPort');
  return {
    clientPort: number('clientPort'),
    secureClientPort: secure === undefined ? undefined : toNumber(secure, 'secureClientPort'),
    dataDir: pairs.get('dataDir') ?? '',
    dataLogDir: pairs.get('dataLogDir') ?? '',
    tickTime: number('tickTime'),
    maxClientConnections: number('maxClientCnxns'),
    minSessionTimeout: number('minSessionTimeout'),
    maxSessionTimeout: number('maxSessionTimeout'),
    serverId: number('serverId'),
    ensemble: membershipOf(raw),
    values: Object.fromEntries(pairs),
    raw,
  };
}

function membershipOf(raw: string): EnsembleConfig | undefined {
  if (!raw.includes('membership:')) return undefined;
  try {
    return parseEnsembleConfig(raw);
  } catch {
    // Lines of a form to come are no reason to withhold the rest.
    return undefined;
  }
}

/** The answer to `dump`. */
export function parseDump(raw: string): DumpReport {
  need(/^SessionTracker dump:/m, raw, 'list of sessions');
  // Sessions, then ephemeral znodes, then, from ZooKeeper 3.5 on, connections.
  const [sessions = '', rest = ''] = raw.split(/^ephemeral nodes dump:.*\r?\n?/m);
  const [ephemerals = ''] = rest.split(/^Connections dump:.*$/m);
  return {
    sessions: linesOf(sessions).flatMap((line) => {
      // `<TAB>0x1` below the time of its end; on learners `0x1<TAB>20000ms`.
      const [, id, timeout] = /^\t?(0x[0-9a-f]+)(?:\t(\d+)ms)?$/i.exec(line.trimEnd()) ?? [];
      if (id === undefined) return [];
      return { id: toHexLong(id, 'a session'), timeout: timeout === undefined ? undefined : Number(timeout) };
    }),
    ephemerals: groupsOf(ephemerals)
      .filter(({ head }) => head.startsWith('0x'))
      .map(({ head, items }) => ({ session: toHexLong(head.replace(/:\s*$/, ''), 'a session'), paths: items })),
    raw,
  };
}

/** The answer to `envi`. */
export function parseEnvironment(raw: string): EnvironmentReport {
  const pairs = pairsOf(raw, '=');
  return environmentOf(Object.fromEntries(pairs), raw);
}

/** The well-known parts of an environment, under names that both ways of asking share. */
export function environmentOf(values: Readonly<Record<string, string>>, raw: string): EnvironmentReport {
  const version = values['zookeeper.version'];
  if (version === undefined) throw new UnreadableText('there is no zookeeper.version');
  const os = [values['os.name'], values['os.version'], values['os.arch']].filter((part) => part !== undefined);
  return {
    version,
    hostName: values['host.name'],
    javaVersion: values['java.version'],
    os: os.length === 0 ? undefined : os.join(' '),
    values,
    raw,
  };
}

/** The answer to `wchs`. */
export function parseWatchSummary(raw: string): WatchSummary {
  const [, connections, paths] = need(/^(\d+) connections watching (\d+) paths/m, raw, 'number of watched paths');
  const watches = labelled('Total watches', raw);
  return {
    connections: toNumber(connections, 'connections'),
    paths: toNumber(paths, 'paths'),
    watches: toNumber(watches, 'watches'),
    raw,
  };
}

/** The answer to `wchc`. */
export function parseWatchesBySession(raw: string): WatchesBySession {
  return {
    sessions: groupsOf(raw).map(({ head, items }) => ({ session: toHexLong(head.trim(), 'a session'), paths: items })),
    raw,
  };
}

/** The answer to `wchp`. */
export function parseWatchesByPath(raw: string): WatchesByPath {
  return {
    paths: groupsOf(raw).map(({ head, items }) => {
      if (!head.startsWith('/')) throw new UnreadableText('a line is no path');
      return { path: head, sessions: items.map((item) => toHexLong(item.trim(), 'a session')) };
    }),
    raw,
  };
}

/** The answer to `dirs`. */
export function parseDirectories(raw: string): DirectoryReport {
  const number = (label: string): number => toNumber(labelled(label, raw), label);
  return { dataDirSize: number('datadir_size'), logDirSize: number('logdir_size'), raw };
}
