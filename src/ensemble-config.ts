import Long from 'long';
import { ProtocolError } from './errors.js';

/** Where a server can be reached for one purpose. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** A member of an ensemble. */
export interface EnsembleServer {
  readonly id: number;
  readonly role: 'participant' | 'observer';
  /** Where the other members reach it; several if it has several networks. */
  readonly peers: readonly { readonly host: string; readonly quorumPort: number; readonly electionPort: number }[];
  /** Where clients reach it, if the configuration says so. */
  readonly client: Endpoint | undefined;
  /** The line as the server wrote it. */
  readonly line: string;
}

/** The membership of an ensemble. */
export interface EnsembleConfig {
  /** Empty for a standalone server. */
  readonly servers: readonly EnsembleServer[];
  /** The zxid of the change that made it: what `reconfig` takes as `fromVersion`. */
  readonly version: Long;
}

/** Reads the text of `/zookeeper/config`. Throws `ProtocolError` at a line that is none of a configuration. */
export function parseEnsembleConfig(text: string): EnsembleConfig {
  const servers: EnsembleServer[] = [];
  let version = Long.ZERO;
  for (const line of text.split('\n').map((each) => each.trim())) {
    if (line.startsWith('server.')) servers.push(parseServer(line));
    else if (line.startsWith('version=')) version = parseVersion(line);
  }
  return { servers, version };
}

function parseVersion(line: string): Long {
  const [, digits] = /^version=([0-9a-f]{1,16})$/i.exec(line) ?? [];
  if (digits === undefined) throw new ProtocolError(`no version of an ensemble's configuration: ${line}`);
  return Long.fromString(digits, false, 16);
}

// server.<id>=<host>:<quorum>:<election>[|<host>:<quorum>:<election>...][:<role>][;[<host>:]<port>[;...]]
function parseServer(line: string): EnsembleServer {
  const [, id, peersAndRole = '', client] = /^server\.(\d+)=([^;]+)(?:;([^;]*))?/.exec(line) ?? [];
  const [, peers = '', role = 'participant'] = /^(.*?)(?::(participant|observer))?$/.exec(peersAndRole) ?? [];
  if (id === undefined) throw new ProtocolError(`no line of an ensemble's configuration: ${line}`);
  return {
    id: Number(id),
    role: role === 'observer' ? 'observer' : 'participant',
    peers: peers.split('|').map((peer) => parsePeer(peer, line)),
    client: client === undefined ? undefined : parseClient(client, line),
    line,
  };
}

function parsePeer(peer: string, line: string): EnsembleServer['peers'][number] {
  const [, host, quorumPort, electionPort] = /^(.+):(\d+):(\d+)$/.exec(peer) ?? [];
  if (host === undefined) throw new ProtocolError(`no address of a server in an ensemble's configuration: ${line}`);
  return { host: withoutBrackets(host), quorumPort: Number(quorumPort), electionPort: Number(electionPort) };
}

function parseClient(client: string, line: string): Endpoint {
  const [, host = '0.0.0.0', port] = /^(?:(.+):)?(\d+)$/.exec(client) ?? [];
  if (port === undefined) throw new ProtocolError(`no client address in an ensemble's configuration: ${line}`);
  return { host: withoutBrackets(host), port: Number(port) };
}

function withoutBrackets(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}
