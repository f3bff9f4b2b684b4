import { promises as dns } from 'node:dns';
import { now } from '../clock.js';
import { LinkError } from '../errors.js';
import type { SrvRecord, SrvResolver } from '../options.js';
import { checkServers, type ServerAddress } from './connect-string.js';
import type { HostProvider } from './host-provider.js';

/** Rounds that follow each other faster share one look-up, milliseconds. */
const LEAST_INTERVAL = 1_000;

/** Servers named by the SRV records of a name, which are looked up for each round (RFC 2782). */
export class SrvHosts implements HostProvider {
  readonly name: string;
  #found: { readonly records: readonly SrvRecord[]; readonly at: number } | undefined;

  constructor(
    private readonly srvName: string,
    private readonly resolve: SrvResolver = systemResolver,
    /** A number from 0 up to, not including, 1. */
    private readonly random: () => number = Math.random,
  ) {
    this.name = `dns-srv://${srvName}`;
  }

  async servers(signal: AbortSignal): Promise<readonly ServerAddress[]> {
    if (this.#found === undefined || now() - this.#found.at >= LEAST_INTERVAL) {
      const records = usable(await this.resolve(this.srvName, signal));
      if (records.length === 0) throw new LinkError(`there is no SRV record of ${this.srvName} with a host and a port`);
      this.#found = { records, at: now() };
    }
    return inOrder(this.#found.records, this.random).map(({ name, port }) => ({ host: name, port }));
  }
}

/** Those that name a server. The target `.` says that there is none. */
function usable(records: readonly SrvRecord[]): readonly SrvRecord[] {
  if (!Array.isArray(records)) throw new LinkError('the look-up of SRV records gave no list');
  return (records as readonly SrvRecord[]).filter(
    (record) => typeof checkServers([{ host: record?.name, port: record?.port }]) !== 'string' && record.name !== '.',
  );
}

/** Lower priorities first; within one, by chance, in proportion to the weights. */
function inOrder(records: readonly SrvRecord[], random: () => number): SrvRecord[] {
  const priorities = [...new Set(records.map(({ priority }) => priority))].sort((a, b) => a - b);
  return priorities.flatMap((priority) =>
    byWeight(
      records.filter((record) => record.priority === priority),
      random,
    ),
  );
}

function byWeight(records: readonly SrvRecord[], random: () => number): SrvRecord[] {
  // Records without weight stand first, so that they have a small chance beside those that have some.
  const rest = [...records].sort((a, b) => Number(a.weight > 0) - Number(b.weight > 0));
  const ordered: SrvRecord[] = [];
  while (rest.length > 0) {
    const sum = rest.reduce((total, { weight }) => total + weight, 0);
    let left = Math.floor(random() * (sum + 1));
    // Where all weights are 0 they say nothing, and each is as likely as any other.
    const index =
      sum === 0 ? Math.floor(random() * rest.length) : rest.findIndex(({ weight }) => (left -= weight) <= 0);
    ordered.push(...rest.splice(Math.max(index, 0), 1));
  }
  return ordered;
}

/** Asks the system's name servers. A look-up that nobody waits for is cancelled, so that it keeps no process alive. */
function systemResolver(name: string, signal: AbortSignal): Promise<readonly SrvRecord[]> {
  const resolver = new dns.Resolver();
  signal.addEventListener('abort', () => resolver.cancel());
  return resolver.resolveSrv(name);
}
