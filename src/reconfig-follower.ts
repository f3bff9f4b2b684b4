import { isSameServer, type ServerAddress } from './connection/connect-string.js';
import type { EnsembleConfig, EnsembleServer } from './ensemble-config.js';
import { UnansweredError } from './errors.js';
import type { ConnectedEvent, OneShotEvent } from './events.js';
import { logOf } from './log.js';

const log = logOf('reconfig');

/** Host addresses that stand for all of a machine's own. */
const anyAddress: readonly string[] = ['0.0.0.0', '::', '0:0:0:0:0:0:0:0'];

/** What a follower needs of its client. */
export interface FollowedClient {
  on(event: 'connected', listener: (event: ConnectedEvent) => void): unknown;
  getConfig(options: { readonly watch: (event: OneShotEvent) => void }): Promise<EnsembleConfig>;
}

/**
 * Keeps the list of a client's servers that of the ensemble's configuration: looks at it in each new session, and
 * whenever its watch fires. Whatever goes wrong is logged, and the client keeps the servers that it has.
 */
export class ReconfigFollower {
  #servers: readonly ServerAddress[];
  /** The last look had no answer: the next connection is to bring one. */
  #isOverdue = false;

  constructor(
    private readonly client: FollowedClient,
    /** The servers that the client was given. */
    given: readonly ServerAddress[],
    private readonly update: (servers: readonly ServerAddress[]) => void,
  ) {
    this.#servers = given;
    client.on('connected', ({ resumed }) => {
      if (!resumed || this.#isOverdue) void this.#look();
    });
  }

  /** The same function at every look, so that the watch is one however often it is set. */
  readonly #onEvent = (event: OneShotEvent): void => {
    if (event.type !== 'ended') void this.#look();
  };

  async #look(): Promise<void> {
    this.#isOverdue = false;
    try {
      const { servers: members, version } = await this.client.getConfig({ watch: this.#onEvent });
      const servers = clientAddresses(members, this.#servers);
      if (servers.length === 0 || areSame(servers, this.#servers)) return;
      log('version %s has %d client addresses', version.toString(16), servers.length);
      this.update(servers);
      this.#servers = servers;
    } catch (error) {
      // An answer that is an error would be the same next time; before 3.5 there is no configuration to be read.
      this.#isOverdue = error instanceof UnansweredError;
      log('not followed: %s', (error as Error).message);
    }
  }
}

/**
 * Where clients reach the members. A member without an address for clients is reached as before, if it was known. The
 * configuration has no addresses for TLS: those clients keep the port that they were given.
 */
export function clientAddresses(
  members: readonly EnsembleServer[],
  known: readonly ServerAddress[],
): readonly ServerAddress[] {
  const secure = known.find(({ tls }) => tls === true);
  return members.flatMap(({ client, peers: [peer] }) => {
    const host = client === undefined || anyAddress.includes(client.host) ? peer?.host : client.host;
    if (host === undefined) return [];
    if (secure !== undefined) return [{ host, port: secure.port, tls: true }];
    return client === undefined ? known.filter((server) => server.host === host) : [{ host, port: client.port }];
  });
}

function areSame(some: readonly ServerAddress[], others: readonly ServerAddress[]): boolean {
  return some.length === others.length && some.every((one) => others.some((other) => isSameServer(one, other)));
}
