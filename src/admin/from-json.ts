import Long from 'long';
import type { AdminJson } from './json.js';
import { environmentOf, monitorOf } from './parse-report.js';
import type {
  ConfigReport,
  DirectoryReport,
  DumpReport,
  EnvironmentReport,
  LeaderReport,
  MonitorReport,
  ServerReport,
  SessionConnection,
  StatReport,
  WatchesByPath,
  WatchesBySession,
  WatchSummary,
} from './reports.js';
import { toMode, toNumber, UnreadableText } from './text.js';

/** The same reports as from four-letter words, out of the JSON of the AdminServer. */

type JsonObject = Readonly<Record<string, AdminJson>>;

/** The object; throws at anything else. */
export function toObject(value: AdminJson | undefined, what: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || Long.isLong(value))
    throw new UnreadableText(`${what} is no object`);
  return value as JsonObject;
}

function toList(value: AdminJson | undefined, what: string): readonly AdminJson[] {
  if (!Array.isArray(value)) throw new UnreadableText(`${what} is no list`);
  return value as readonly AdminJson[];
}

function numberOf(object: JsonObject, name: string): number {
  const value = object[name];
  if (Long.isLong(value)) return value.toNumber();
  return toNumber(typeof value === 'number' ? value : undefined, name);
}

function textOf(object: JsonObject, name: string): string {
  const value = object[name];
  if (typeof value !== 'string') throw new UnreadableText(`${name} is no text`);
  return value;
}

function toLong(value: AdminJson | undefined, what: string): Long {
  if (Long.isLong(value)) return value;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return Long.fromNumber(value);
  if (typeof value === 'string' && /^-?\d{1,19}$/.test(value)) return Long.fromString(value);
  throw new UnreadableText(`${what} is no whole number`);
}

/** `srvr`. */
export function serverFrom(answer: JsonObject, raw: string): ServerReport {
  const stats = toObject(answer.server_stats, 'server_stats');
  const proposals = answer.proposal_stats;
  return {
    version: textOf(answer, 'version'),
    mode: toMode(textOf(stats, 'server_state')),
    readOnly: answer.read_only === true,
    latency: {
      min: numberOf(stats, 'min_latency'),
      average: numberOf(stats, 'avg_latency'),
      max: numberOf(stats, 'max_latency'),
    },
    packetsReceived: numberOf(stats, 'packets_received'),
    packetsSent: numberOf(stats, 'packets_sent'),
    connections: numberOf(stats, 'num_alive_client_connections'),
    outstanding: numberOf(stats, 'outstanding_requests'),
    zxid: toLong(stats.last_processed_zxid, 'last_processed_zxid'),
    znodes: numberOf(answer, 'node_count'),
    proposals: proposals === undefined ? undefined : proposalsFrom(toObject(proposals, 'proposal_stats')),
    raw,
  };
}

function proposalsFrom(stats: JsonObject): ServerReport['proposals'] {
  // Renamed in ZooKeeper 3.5.4.
  const size = (word: string): number =>
    numberOf(stats, `${word}_buffer_size` in stats ? `${word}_buffer_size` : `${word}_proposal_size`);
  return { last: size('last'), min: size('min'), max: size('max') };
}

/** `stat`. */
export function statFrom(answer: JsonObject, raw: string): StatReport {
  const clients = connectionsFrom(answer).map(({ session: _, ...connection }) => connection);
  return { ...serverFrom(answer, raw), clients };
}

/** `cons`. */
export function connectionsFrom(answer: JsonObject): SessionConnection[] {
  const read = (name: string, secure: boolean): SessionConnection[] =>
    toList(answer[name] ?? [], name).map((each) => connectionFrom(toObject(each, 'a connection'), secure));
  return [...read('connections', false), ...read('secure_connections', true)];
}

function connectionFrom(info: JsonObject, secure: boolean): SessionConnection {
  const id = info.session_id;
  const xid = info.last_cxid;
  const address = info.remote_socket_address;
  return {
    client: typeof address === 'string' ? address.replace(/^[^/]*\//, '') : '',
    secure,
    outstanding: numberOf(info, 'outstanding_requests'),
    packetsReceived: numberOf(info, 'packets_received'),
    packetsSent: numberOf(info, 'packets_sent'),
    session:
      id === undefined || id === 0
        ? undefined
        : {
            id: toLong(id, 'session_id'),
            lastOperation: textOf(info, 'last_operation'),
            establishedAt: numberOf(info, 'established'),
            timeout: numberOf(info, 'session_timeout'),
            lastXid: typeof xid === 'number' && xid >= 0 ? xid : undefined,
            lastZxid: toLong(info.last_zxid, 'last_zxid'),
            latency: {
              last: numberOf(info, 'last_latency'),
              min: numberOf(info, 'min_latency'),
              average: numberOf(info, 'avg_latency'),
              max: numberOf(info, 'max_latency'),
            },
          },
  };
}

/** `mntr`. */
export function monitorFrom(answer: JsonObject, raw: string): MonitorReport {
  const values: Record<string, number | string> = {};
  for (const [name, value] of Object.entries(answer)) {
    if (typeof value === 'number' || typeof value === 'string') values[name] = value;
    else if (Long.isLong(value)) values[name] = value.toNumber();
  }
  delete values.command;
  return monitorOf(values, raw);
}

/** `conf`. */
export function configFrom(answer: JsonObject, raw: string): ConfigReport {
  return {
    clientPort: numberOf(answer, 'client_port'),
    secureClientPort: undefined,
    dataDir: textOf(answer, 'data_dir'),
    dataLogDir: textOf(answer, 'data_log_dir'),
    tickTime: numberOf(answer, 'tick_time'),
    maxClientConnections: numberOf(answer, 'max_client_cnxns'),
    minSessionTimeout: numberOf(answer, 'min_session_timeout'),
    maxSessionTimeout: numberOf(answer, 'max_session_timeout'),
    serverId: numberOf(answer, 'server_id'),
    ensemble: undefined,
    values: textsOf(answer),
    raw,
  };
}

/** `dump`. */
export function dumpFrom(answer: JsonObject, raw: string): DumpReport {
  const byTime = toObject(answer.expiry_time_to_session_ids, 'expiry_time_to_session_ids');
  const sessions = Object.values(byTime).flatMap((ids) => toList(ids, 'sessions'));
  return {
    sessions: sessions.map((id) => ({ id: toLong(id, 'a session'), timeout: undefined })),
    ephemerals: pathsBySession(answer, 'session_id_to_ephemeral_paths'),
    raw,
  };
}

/** `envi`. */
export function environmentFrom(answer: JsonObject, raw: string): EnvironmentReport {
  return environmentOf(textsOf(answer), raw);
}

/** `wchs`. */
export function watchSummaryFrom(answer: JsonObject, raw: string): WatchSummary {
  return {
    connections: numberOf(answer, 'num_connections'),
    paths: numberOf(answer, 'num_paths'),
    watches: numberOf(answer, 'num_total_watches'),
    raw,
  };
}

/** `wchc`. */
export function watchesBySessionFrom(answer: JsonObject, raw: string): WatchesBySession {
  return { sessions: pathsBySession(answer, 'session_id_to_watched_paths'), raw };
}

/** `wchp`. */
export function watchesByPathFrom(answer: JsonObject, raw: string): WatchesByPath {
  const table = toObject(answer.path_to_session_ids, 'path_to_session_ids');
  return {
    paths: Object.entries(table).map(([path, ids]) => ({
      path,
      sessions: toList(ids, 'sessions').map((id) => toLong(id, 'a session')),
    })),
    raw,
  };
}

/** `dirs`. */
export function directoriesFrom(answer: JsonObject, raw: string): DirectoryReport {
  return { dataDirSize: numberOf(answer, 'datadir_size'), logDirSize: numberOf(answer, 'logdir_size'), raw };
}

/** What the server tells, as text, without what belongs to every answer. */
function textsOf(answer: JsonObject): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, value] of Object.entries(answer)) {
    if (name === 'command' || name === 'error') continue;
    if (typeof value === 'string' || typeof value === 'number' || Long.isLong(value)) texts[name] = value.toString();
  }
  return texts;
}

function pathsBySession(answer: JsonObject, name: string): { session: Long; paths: string[] }[] {
  return Object.entries(toObject(answer[name], name)).map(([id, paths]) => ({
    session: toLong(id, 'a session'),
    paths: toList(paths, 'paths').map(String),
  }));
}

/** `leader`. */
export function leaderFrom(answer: JsonObject, raw: string): LeaderReport {
  return {
    isLeader: answer.is_leader === true,
    leaderId: numberOf(answer, 'leader_id'),
    leaderAddress: textOf(answer, 'leader_ip'),
    raw,
  };
}
