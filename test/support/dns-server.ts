import { createSocket, type Socket } from 'node:dgram';

/** An SRV record as a name server gives it out. */
export interface ServedRecord {
  readonly target: string;
  readonly port: number;
  readonly priority?: number;
  readonly weight?: number;
}

const SRV = 33;
const INTERNET = 1;
const NAME_ERROR = 3;

/** A name server on a port of 127.0.0.1 that knows the SRV records of some names, and no other. */
export class DnsServer {
  /** By name. A name with `'silence'` is never answered. */
  readonly records = new Map<string, readonly ServedRecord[] | 'silence'>();
  /** The names that were asked for, in order. */
  readonly asked: string[] = [];

  private constructor(private readonly socket: Socket) {
    socket.on('message', (query, { port, address }) => {
      const answer = this.answer(query);
      if (answer !== undefined) socket.send(answer, port, address);
    });
  }

  /** Use `startDnsServer`. */
  static async start(): Promise<DnsServer> {
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    return new DnsServer(socket);
  }

  /** As `Resolver.setServers` takes it. */
  get address(): string {
    const { address, port } = this.socket.address();
    return `${address}:${port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.socket.close(resolve));
  }

  // RFC 1035, section 4.1: header, question, answers.
  private answer(query: Buffer): Buffer | undefined {
    const { name, end } = readName(query, 12);
    this.asked.push(name);
    const records = this.records.get(name) ?? [];
    if (records === 'silence') return undefined;
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8180 | (records.length === 0 ? NAME_ERROR : 0), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(records.length, 6);
    return Buffer.concat([header, query.subarray(12, end + 4), ...records.map(answerOf)]);
  }
}

/** Starts a name server that knows no name yet. */
export function startDnsServer(): Promise<DnsServer> {
  return DnsServer.start();
}

function answerOf({ target, port, priority = 0, weight = 0 }: ServedRecord): Buffer {
  const data = Buffer.concat([shorts(priority, weight, port), writeName(target)]);
  // The name is a pointer to that of the question; it may be kept for no time.
  return Buffer.concat([shorts(0xc00c, SRV, INTERNET, 0, 0, data.length), data]);
}

function shorts(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(2 * values.length);
  values.forEach((value, index) => bytes.writeUInt16BE(value, 2 * index));
  return bytes;
}

function writeName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  return Buffer.concat([
    ...labels.flatMap((label) => [Buffer.from([label.length]), Buffer.from(label)]),
    Buffer.from([0]),
  ]);
}

function readName(message: Buffer, start: number): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let at = start;
  for (let length = message.readUInt8(at); length > 0; length = message.readUInt8(at)) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.'), end: at + 1 };
}
