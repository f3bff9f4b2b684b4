import { InvalidArgumentError } from './errors.js';

/** A secret, or a function that is asked for it before each authentication: so it may come from a file or a vault. */
export type SecretSource = string | (() => string | Promise<string>);

/** User and password, checked by the server without sending the password. Needs a `DigestLoginModule` at the server. */
export interface DigestMd5Options {
  readonly mechanism: 'DIGEST-MD5';
  readonly username: string;
  readonly password: SecretSource;
}

/**
 * Kerberos, through the package `kerberos`, which has to be installed beside zookit. Tickets come from where the
 * system's Kerberos library has them: a credential cache (`kinit`, `KRB5CCNAME`) or a keytab (`KRB5_CLIENT_KTNAME`).
 */
export interface GssapiOptions {
  readonly mechanism: 'GSSAPI';
  /** The first part of the servers' principal `zookeeper/host@REALM`. Default: `'zookeeper'`. */
  readonly serviceName?: string | undefined;
  /** The second part of the servers' principal. Default: the host of the connection string. */
  readonly serviceHost?: string | undefined;
  /** Whose credentials to take, `user@REALM`, where there are several. Default: those of the credential cache. */
  readonly principal?: string | undefined;
  /** The package `kerberos`, where it cannot be found by its name, as in a bundle. */
  readonly kerberos?: KerberosModule | undefined;
}

/** What is used of the package `kerberos`. */
export interface KerberosModule {
  readonly GSS_C_MUTUAL_FLAG: number;
  readonly GSS_C_INTEG_FLAG: number;
  readonly GSS_C_SEQUENCE_FLAG: number;
  readonly GSS_MECH_OID_KRB5: number;
  initializeClient(
    service: string,
    options: { readonly gssFlags: number; readonly mechOID: number; readonly principal?: string },
  ): Promise<KerberosClient>;
}

/** One security context of the package `kerberos`. Tokens are base64 text; null stands for none. */
export interface KerberosClient {
  readonly contextComplete: boolean;
  step(challenge: string): Promise<string | null>;
  wrap(challenge: string, options: object): Promise<string>;
  unwrap(challenge: string): Promise<string>;
}

/** The server that an exchange is with. */
export interface SaslServer {
  readonly host: string;
  readonly port: number;
}

/** One authentication on one connection. What it throws ends the connection, and the next server is tried. */
export interface SaslExchange {
  /** The first token; an empty one where the mechanism lets the server begin. */
  start(): Uint8Array | Promise<Uint8Array>;
  /**
   * The answer to a token of the server; `undefined` when the exchange is over and the server has proved what it has to.
   * `null` means that the server has nothing to say any more, or never had: it does not tell one from the other.
   */
  step(challenge: Uint8Array | null): Uint8Array | undefined | Promise<Uint8Array | undefined>;
}

/** A mechanism of one's own. */
export interface CustomSaslOptions {
  /** Its name, for messages. ZooKeeper does not negotiate it. */
  readonly mechanism: string;
  /** Begins an exchange; called for each connection. */
  readonly begin: (server: SaslServer) => SaslExchange | Promise<SaslExchange>;
}

/** How to prove by SASL who the client is. */
export type SaslOptions = DigestMd5Options | GssapiOptions | CustomSaslOptions;

/** Keeps what it was given out of sight of `util.inspect` and `JSON.stringify`. */
export class SaslSource {
  readonly #options: SaslOptions;

  constructor(options: SaslOptions) {
    this.#options = options;
  }

  get mechanism(): string {
    return this.#options.mechanism;
  }

  reveal(): SaslOptions {
    return this.#options;
  }
}

/** Checks the option `sasl`. Throws `InvalidArgumentError`; what is secret appears in no message. */
export function checkSasl(sasl: SaslOptions | undefined): SaslSource | undefined {
  if (sasl === undefined) return undefined;
  if (typeof sasl !== 'object' || (sasl as unknown) === null || typeof sasl.mechanism !== 'string')
    throw invalid("it must be an object with a mechanism: 'DIGEST-MD5', 'GSSAPI', or one of your own with begin()");
  const { mechanism } = sasl;
  if ('begin' in sasl) checkCustom(sasl);
  else if (mechanism === 'DIGEST-MD5') checkDigestMd5(sasl);
  else if (mechanism === 'GSSAPI') checkGssapi(sasl);
  else throw invalid(`the mechanism ${JSON.stringify(mechanism)} is not built in; give begin() with it`);
  return new SaslSource({ ...sasl });
}

function checkCustom(sasl: CustomSaslOptions): void {
  checkNames(sasl, ['mechanism', 'begin']);
  if (typeof sasl.begin !== 'function') throw invalid('begin must be a function');
}

function checkDigestMd5(sasl: DigestMd5Options): void {
  checkNames(sasl, ['mechanism', 'username', 'password']);
  if (typeof sasl.username !== 'string' || sasl.username === '')
    throw invalid('the username must be a non-empty string');
  if (typeof sasl.password !== 'string' && typeof sasl.password !== 'function')
    throw invalid('the password must be a string, or a function that returns one');
}

function checkGssapi(sasl: GssapiOptions): void {
  const texts = ['serviceName', 'serviceHost', 'principal'] as const;
  checkNames(sasl, ['mechanism', ...texts, 'kerberos']);
  for (const name of texts) {
    const value = sasl[name];
    if (value !== undefined && (typeof value !== 'string' || value === ''))
      throw invalid(`${name} must be a non-empty string`);
  }
  if (sasl.kerberos !== undefined && typeof sasl.kerberos.initializeClient !== 'function')
    throw invalid('kerberos must be the package of that name');
}

function checkNames(sasl: object, known: readonly string[]): void {
  const unknown = Object.keys(sasl).find((name) => !known.includes(name));
  if (unknown !== undefined)
    throw invalid(`there is no setting ${JSON.stringify(unknown)} of this mechanism; known are ${known.join(', ')}`);
}

function invalid(problem: string): InvalidArgumentError {
  return new InvalidArgumentError(`the option sasl: ${problem}`);
}
