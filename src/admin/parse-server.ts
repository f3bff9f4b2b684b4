import type { ClientConnection, ConnectedSession, ServerReport, SessionConnection, StatReport } from './reports.js';
import { labelled, linesOf, need, toHexLong, toLatency, toMode, toNumber, UnreadableText } from './text.js';

/** The answer to `srvr`; that to `stat` has the same lines, and clients. */
export function parseServer(raw: string): ServerReport {
  const number = (label: string): number => toNumber(labelled(label, raw), label);
  const [, proposals] = /^Proposal sizes last\/min\/max: (.*?)\r?$/m.exec(raw) ?? [];
  return {
    version: labelled('Zookeeper version', raw),
    mode: toMode(labelled('Mode', raw)),
    readOnly: /^READ-ONLY mode/m.test(raw),
    latency: toLatency(labelled('Latency min/avg/max', raw)),
    packetsReceived: number('Received'),
    packetsSent: number('Sent'),
    connections: number('Connections'),
    outstanding: number('Outstanding'),
    zxid: toHexLong(labelled('Zxid', raw), 'the zxid'),
    znodes: number('Node count'),
    proposals: proposals === undefined ? undefined : toProposals(proposals),
    raw,
  };
}

function toProposals(text: string): ServerReport['proposals'] {
  const [last, min, max] = text.split('/').map((part) => toNumber(part, 'the size of a proposal'));
  if (last === undefined || min === undefined || max === undefined)
    throw new UnreadableText('a size of proposals is missing');
  return { last, min, max };
}

/** The answer to `stat`. */
export function parseStat(raw: string): StatReport {
  return { ...parseServer(raw), clients: connectionLines(raw).map((line) => toConnection(line).connection) };
}

/** The answer to `cons`. */
export function parseConnections(raw: string): SessionConnection[] {
  if (linesOf(raw).length > connectionLines(raw).length) throw new UnreadableText('a line is that of no connection');
  return connectionLines(raw).map((line) => {
    const { connection, fields } = toConnection(line);
    return { ...connection, session: fields.has('sid') ? toSession(fields) : undefined };
  });
}

/** ` /127.0.0.1:34432[1](queued=0,recved=5,sent=5)`, also for IPv6: `/0:0:0:0:0:0:0:1:34432`, `/[0:0:0:0:0:0:0:1]:34432`. */
function connectionLines(text: string): string[] {
  return linesOf(text).filter((line) => /^ \S*\[[0-9a-f]+\]\(/.test(line));
}

function toConnection(line: string): {
  readonly connection: ClientConnection;
  readonly fields: ReadonlyMap<string, string>;
} {
  // A name that was looked up stands before the slash.
  const [, address = '', list = ''] = need(/^ (?:[^/\s]*\/)?(\S+)\[[0-9a-f]+\]\((.*)\)\s*$/, line, 'connection');
  const fields = new Map(
    list
      .split(',')
      .map((field): [string, string] => [field.slice(0, field.indexOf('=')), field.slice(field.indexOf('=') + 1)]),
  );
  const connection = {
    client: address,
    secure: undefined,
    outstanding: toNumber(fields.get('queued'), 'queued'),
    packetsReceived: toNumber(fields.get('recved'), 'recved'),
    packetsSent: toNumber(fields.get('sent'), 'sent'),
  };
  return { connection, fields };
}

function toSession(fields: ReadonlyMap<string, string>): ConnectedSession {
  const number = (name: string): number => toNumber(fields.get(name), name);
  const xid = fields.get('lcxid');
  return {
    id: toHexLong(fields.get('sid'), 'the session id'),
    lastOperation: fields.get('lop') ?? 'NA',
    establishedAt: number('est'),
    timeout: number('to'),
    // A number of 32 bits, which some releases write as one of 64 when it is negative: that of a ping, or none.
    lastXid: xid === undefined ? undefined : toHexLong(xid, 'lcxid').toInt(),
    lastZxid: toHexLong(fields.get('lzxid'), 'lzxid'),
    latency: { last: number('llat'), min: number('minlat'), average: number('avglat'), max: number('maxlat') },
  };
}
