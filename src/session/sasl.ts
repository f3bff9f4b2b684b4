import { after, type Timer } from '../clock.js';
import { formatServer } from '../connection/connect-string.js';
import { type Failure, isFailure, SaslError, UnansweredFailure } from '../errors.js';
import { logOf } from '../log.js';
import type { SaslToken } from '../operations/auth.js';
import { sasl } from '../operations/index.js';
import type { OperationMeter } from '../metrics/operation-meter.js';
import type { SaslExchange, SaslServer, SaslSource } from '../sasl-options.js';
import type { Channel } from './channel.js';
import type { Delivery } from './delivery.js';
import { DigestMd5 } from './digest-md5.js';
import { Gssapi } from './gssapi.js';
import { TypedRequest } from './pending-request.js';

const log = logOf('sasl');

/** Who is told what comes of it. Where the connection ends first, or the server refuses, the channel tells. */
export interface SaslUser {
  /** Both sides have proved what they had to. */
  proved(): void;
  /** Trying again would not help. */
  failed(error: SaslError): void;
}

/** What all requests of the session share. */
export interface SaslSurroundings {
  readonly delivery: Delivery;
  readonly meter: OperationMeter;
  readonly unref: boolean;
}

/** Failures that may have passed at the next attempt: a vault that is down, a ticket that is renewed. */
const passing: readonly SaslError['problem'][] = ['noCredentials', 'timeout'];

/**
 * The SASL exchange on one connection. Nothing else may be sent before it is over, pings included: a server that demands
 * SASL ends the session over them.
 */
export class SaslDialogue {
  readonly #timer: Timer;
  #over = false;

  constructor(
    private readonly channel: Channel,
    private readonly source: SaslSource,
    private readonly around: SaslSurroundings,
    /** Milliseconds that it may take. */
    timeout: number,
    private readonly user: SaslUser,
  ) {
    const late = `the exchange was not over within ${Math.round(timeout)} ms`;
    this.#timer = after(timeout, () => this.#fail(new SaslError('timeout', this.#told(late))), around.unref);
    void this.#run();
  }

  /** The error for a server that said no, in words of its own. */
  refusal(why: string): SaslError {
    const options = this.source.reveal();
    const user = 'username' in options ? ` the user ${JSON.stringify(options.username)}` : '';
    return new SaslError('refused', this.#told(`the server refused${user}, or what was to prove it (${why})`));
  }

  /** The connection has ended. */
  stop(): void {
    this.#over = true;
    this.#timer.cancel();
  }

  async #run(): Promise<void> {
    try {
      await this.#exchange();
    } catch (error) {
      this.#fail(this.#explain(error));
    }
    if (this.#over) return;
    this.stop();
    log('%s: %s is done', formatServer(this.channel.connection.server), this.source.mechanism);
    this.user.proved();
  }

  async #exchange(): Promise<void> {
    const exchange = await beginExchange(this.source, this.channel.connection.server);
    let token: Uint8Array | undefined = await exchange.start();
    while (token !== undefined && !this.#over) {
      const challenge = await this.#ask(token);
      if (challenge === undefined) this.stop();
      else token = await exchange.step(challenge);
    }
  }

  /** What the server says to a token; undefined if the connection has ended, or the server has refused. */
  #ask(token: Uint8Array): Promise<Uint8Array | null | undefined> {
    const { delivery, meter } = this.around;
    return new Promise((resolve) => {
      this.channel.send(
        new TypedRequest(
          sasl,
          { token },
          token.length,
          delivery,
          (outcome) => resolve(this.#tokenOf(outcome)),
          undefined,
          meter,
        ),
      );
    });
  }

  #tokenOf(outcome: SaslToken | Failure): Uint8Array | null | undefined {
    if (!isFailure(outcome)) return outcome.token;
    // An outcome without an answer is the end of the connection, or of the session; the channel tells of it.
    if (!(outcome instanceof UnansweredFailure))
      this.#fail(new SaslError('refused', this.#told('the server cannot do it'), outcome.toError({})));
    return undefined;
  }

  #fail(error: SaslError): void {
    if (this.#over) return;
    this.stop();
    if (passing.includes(error.problem)) this.channel.connection.end(error);
    else this.user.failed(error);
  }

  #explain(error: unknown): SaslError {
    if (error instanceof SaslError) return new SaslError(error.problem, this.#told(error.message), error.cause);
    const said = error instanceof Error ? error.message : String(error);
    return new SaslError('noCredentials', this.#told(said), error);
  }

  #told(message: string): string {
    return `SASL ${this.source.mechanism}: ${message}`;
  }
}

async function beginExchange(source: SaslSource, { host, port }: SaslServer): Promise<SaslExchange> {
  const options = source.reveal();
  if ('begin' in options) return options.begin({ host, port });
  if (options.mechanism === 'GSSAPI') return Gssapi.begin(options, { host, port });
  const { username, password } = options;
  return new DigestMd5({ username, password: typeof password === 'string' ? password : await password() });
}
