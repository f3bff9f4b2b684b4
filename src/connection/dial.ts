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
      lookup(hostname, options, (error, addresses, family) => {
        // A look-up that has failed gives no addresses at all, whatever its type says.
        if (error !== null) callback(error, addresses, family);
        else if (addresses.length === 0) fail(new Error(`no address was found for ${hostname}`));
        else callback(error, typeof addresses === 'string' ? addresses : shuffle(addresses, Math.random), family);
      });
    } catch (error) {
      fail(error instanceof Error ? error : new Error(String(error)));
    }
  };
}

/** Node reports a failed attempt at several addresses as an aggregate with an empty message. */
export function describeLinkFailure(error: Error): string {
  const { errors } = error as Partial<AggregateError>;
  return Array.isArray(errors) ? errors.map((each) => (each as Error).message).join(', ') : error.message;
}
