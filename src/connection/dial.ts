import { lookup as systemLookup } from 'node:dns';
import { connect, type LookupFunction, type Socket } from 'node:net';
import type { ServerAddress } from './connect-string.js';
import { shuffle } from './shuffle.js';

/** Finds the addresses of a host name; the form of `dns.lookup`. */
export type Lookup = LookupFunction;

/** How long one of several addresses of a name is waited for before the next one is tried beside it, milliseconds. */
const NEXT_ADDRESS_AFTER = 250;

/**
 * A socket on its way to a server. The name is looked up now, and all its addresses are tried, IPv6 and IPv4 in turn,
 * so that a container that came back elsewhere is found.
 */
export function dial(server: ServerAddress, lookup: Lookup = systemLookup): Socket {
  return connect({
    host: server.host,
    port: server.port,
    lookup: guarded(lookup),
    noDelay: true,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_AFTER,
  });
}

/**
 * A look-up that throws or finds nothing has failed, like one that calls back with an error: Node would crash over it.
 * Several addresses come in any order, so that clients spread over them, and dead ones in front cannot use up every attempt.
 */
function guarded(lookup: Lookup): Lookup {
  return (hostname, options, callback) => {
    const fail = (error: Error): void => process.nextTick(() => callback(error, []));
    try {
      // Whatever the types say: one that has failed gives no addresses at all, and one that has not may give no error.
      lookup(hostname, options, (error: NodeJS.ErrnoException | null | undefined, addresses, family) => {
        if (error !== null && error !== undefined) callback(error, addresses, family);
        else if (!hasAddresses(addresses)) fail(new Error(`no address was found for ${hostname}`));
        else callback(null, typeof addresses === 'string' ? addresses : shuffle(addresses, Math.random), family);
      });
    } catch (error) {
      fail(error instanceof Error ? error : new Error(String(error)));
    }
  };
}

function hasAddresses(addresses: unknown): boolean {
  if (typeof addresses === 'string') return addresses !== '';
  return Array.isArray(addresses) && addresses.length > 0 && addresses.every((each) => Boolean(each));
}

/** Node reports a failed attempt at several addresses as an aggregate with an empty message. */
export function describeLinkFailure(error: Error): string {
  const { errors } = error as Partial<AggregateError>;
  return Array.isArray(errors) ? errors.map((each) => (each as Error).message).join(', ') : error.message;
}
