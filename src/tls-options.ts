import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { InvalidArgumentError, TlsError, type TlsProblem } from './errors.js';

/** What Node's `tls.createSecureContext` takes as it is. */
type PassedOn = Pick<
  SecureContextOptions,
  | 'ca'
  | 'cert'
  | 'key'
  | 'pfx'
  | 'passphrase'
  | 'crl'
  | 'minVersion'
  | 'maxVersion'
  | 'ciphers'
  | 'sigalgs'
  | 'ecdhCurve'
>;

/**
 * How to speak TLS to a server. What has the name of an option of `tls.createSecureContext` is that option, and holds
 * contents. What ends in `File` names a file, which is read again for every connection: a certificate that was replaced
 * is used from the next reconnect on.
 */
export interface TlsOptions {
  /** Certificates of the authorities to trust, PEM. Default: those that Node trusts. */
  readonly ca?: PassedOn['ca'];
  readonly caFile?: string | undefined;
  /** The client's certificate, PEM, with those between it and its authority. Goes with `key`. */
  readonly cert?: PassedOn['cert'];
  readonly certFile?: string | undefined;
  /** The client's private key, PEM. */
  readonly key?: PassedOn['key'];
  readonly keyFile?: string | undefined;
  /** The client's certificate and key in one, PKCS #12. In place of `cert` and `key`. */
  readonly pfx?: PassedOn['pfx'];
  readonly pfxFile?: string | undefined;
  /** What the key or the `pfx` is encrypted with. */
  readonly passphrase?: string | undefined;
  /** A file that holds the passphrase; an end of line at its end does not count. */
  readonly passphraseFile?: string | undefined;
  /** Lists of revoked certificates, PEM. With them, each certificate needs the list of its authority. */
  readonly crl?: PassedOn['crl'];
  readonly crlFile?: string | undefined;
  /** The oldest version of TLS. Default: Node's, `'TLSv1.2'`. */
  readonly minVersion?: PassedOn['minVersion'];
  /** The newest version of TLS. Default: Node's, `'TLSv1.3'`. */
  readonly maxVersion?: PassedOn['maxVersion'];
  /** In the form of OpenSSL. Default: Node's. */
  readonly ciphers?: string | undefined;
  readonly sigalgs?: string | undefined;
  readonly ecdhCurve?: string | undefined;
  /**
   * The name that the certificate must be for, and that is asked for (SNI). Default: the host of the connection string.
   */
  readonly servername?: string | undefined;
  /**
   * Takes a certificate for any name, as long as it comes from a trusted authority. Whoever holds another certificate of
   * that authority can then pose as a server. `servername` is the better way where names differ.
   */
  readonly insecureSkipHostNameCheck?: boolean | undefined;
}

/** Is asked before each connection. */
export type TlsOptionsSource = () => TlsOptions | Promise<TlsOptions>;

/** What one connection needs. */
export interface TlsSettings {
  readonly context: SecureContext;
  readonly servername: string | undefined;
  readonly checksHostName: boolean;
  /** Whether there is a certificate to show. */
  readonly hasCertificate: boolean;
}

const contents = ['ca', 'cert', 'key', 'pfx', 'passphrase', 'crl'] as const;
type Content = (typeof contents)[number];
const others = ['minVersion', 'maxVersion', 'ciphers', 'sigalgs', 'ecdhCurve'] as const;

const names: readonly string[] = [
  ...contents,
  ...contents.map((name) => `${name}File` as const),
  ...others,
  'servername',
  'insecureSkipHostNameCheck',
] satisfies (keyof TlsOptions)[];

/** Where the settings of each connection come from. It holds keys and shows none. */
export class TlsSource {
  /** Without certificates of one's own, trusting whom Node trusts. */
  static readonly standard = new TlsSource({});

  readonly #given: TlsOptions | TlsOptionsSource;
  /** Made once, where nothing can change. */
  readonly #fixed: TlsSettings | undefined;

  /** Throws `InvalidArgumentError` for whatever can be told to be wrong now, files included. */
  constructor(given: TlsOptions | TlsOptionsSource) {
    this.#given = given;
    if (typeof given === 'function') return;
    try {
      const settings = settingsOf(given, loadNow(given));
      if (filesOf(given).length === 0) this.#fixed = settings;
    } catch (error) {
      if (!(error instanceof TlsError)) throw error;
      throw new InvalidArgumentError(`the option tls: ${error.message}`, { cause: error });
    }
  }

  /** The settings for the next connection. @throws TlsError if they cannot be had. */
  async settings(): Promise<TlsSettings> {
    if (this.#fixed !== undefined) return this.#fixed;
    const given = typeof this.#given === 'function' ? await ask(this.#given) : this.#given;
    return settingsOf(given, await load(given));
  }
}

/** The option `tls`: undefined where it is not wanted. Throws `InvalidArgumentError`. */
export function checkTls(tls: boolean | TlsOptions | TlsOptionsSource | undefined): TlsSource | undefined {
  if (tls === undefined || tls === false) return undefined;
  if (tls === true) return TlsSource.standard;
  if (typeof tls === 'function' || isObject(tls)) return new TlsSource(tls);
  throw new InvalidArgumentError('the option tls must be true, false, an object, or a function that returns one');
}

async function ask(source: TlsOptionsSource): Promise<TlsOptions> {
  try {
    return await source();
  } catch (error) {
    throw new TlsError('sourceFailed', `the function of the option tls failed: ${messageOf(error)}`, error);
  }
}

// --- Files -----------------------------------------------------------------------------------------------------------

type Loaded = Partial<Record<Content, Buffer>>;

function filesOf(given: TlsOptions): { readonly name: Content; readonly file: string }[] {
  if (!isObject(given)) throw new InvalidArgumentError('the function of the option tls must return an object');
  return contents.flatMap((name) => {
    const file = given[`${name}File`];
    if (file === undefined) return [];
    if (typeof file !== 'string' || file === '') throw invalid(`${name}File must be the name of a file`);
    if (given[name] !== undefined) throw invalid(`${name} and ${name}File exclude each other`);
    return [{ name, file }];
  });
}

function loadNow(given: TlsOptions): Loaded {
  const loaded: Loaded = {};
  for (const { name, file } of filesOf(given)) {
    try {
      loaded[name] = readFileSync(file);
    } catch (error) {
      throw unreadable(name, error);
    }
  }
  return loaded;
}

async function load(given: TlsOptions): Promise<Loaded> {
  const loaded: Loaded = {};
  for (const { name, file } of filesOf(given)) {
    loaded[name] = await readFile(file).catch((error: unknown) => {
      throw unreadable(name, error);
    });
  }
  return loaded;
}

function unreadable(name: Content, error: unknown): TlsError {
  return new TlsError('unreadableFile', `${name}File cannot be read: ${messageOf(error)}`, error);
}

// --- From contents to a context --------------------------------------------------------------------------------------

function settingsOf(given: TlsOptions, loaded: Loaded): TlsSettings {
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw invalid(`there is no setting ${JSON.stringify(unknown)}; known are ${names.join(', ')}`);
  const { servername, insecureSkipHostNameCheck = false } = given;
  if (servername !== undefined && (typeof servername !== 'string' || servername === ''))
    throw invalid('servername must be the name of a host');
  if (typeof insecureSkipHostNameCheck !== 'boolean') throw invalid('insecureSkipHostNameCheck must be true or false');
  const material = materialOf(given, loaded);
  return {
    context: contextOf(material),
    servername,
    checksHostName: !insecureSkipHostNameCheck,
    hasCertificate: material.cert !== undefined || material.pfx !== undefined,
  };
}

function materialOf(given: TlsOptions, loaded: Loaded): SecureContextOptions {
  const material: Record<string, unknown> = {};
  for (const name of [...contents, ...others]) if (given[name] !== undefined) material[name] = given[name];
  for (const name of contents) if (loaded[name] !== undefined) material[name] = loaded[name];
  if (loaded.passphrase !== undefined) material.passphrase = loaded.passphrase.toString().replace(/\r?\n$/, '');
  if ((material.cert === undefined) !== (material.key === undefined))
    throw invalid('cert and key go together: the client shows the one and proves with the other that it is its own');
  if (material.pfx !== undefined && material.cert !== undefined)
    throw invalid('pfx takes the place of cert and key; give the one or the others');
  return material;
}

function contextOf(material: SecureContextOptions): SecureContext {
  try {
    // Node takes text without any certificate for an empty list, and nothing would be trusted.
    for (const ca of listOf(material.ca)) new X509Certificate(ca);
  } catch (error) {
    throw new TlsError('invalidMaterial', `ca holds no certificate in PEM form: ${messageOf(error)}`, error);
  }
  try {
    return createSecureContext(material);
  } catch (error) {
    throw explain(material, error);
  }
}

/** What OpenSSL says of the material, in words that help. */
function explain(material: SecureContextOptions, error: unknown): TlsError {
  const { code = '' } = error as NodeJS.ErrnoException;
  const said = messageOf(error);
  const as = (problem: TlsProblem, message: string): TlsError =>
    new TlsError(problem, `${message} (${said.replace(/^error:\w+:/, '')})`, error);
  if (code.startsWith('ERR_OSSL_X509_KEY_')) return as('keyMismatch', 'the key is not that of the certificate in cert');
  if (code.includes('BAD_DECRYPT') || said === 'mac verify failure') {
    const place = material.pfx === undefined ? 'key' : 'pfx';
    return as(
      'wrongPassphrase',
      material.passphrase === undefined
        ? `${place} is encrypted: give its passphrase or passphraseFile`
        : `the passphrase is not that of ${place}`,
    );
  }
  const culprit = (['cert', 'crl', 'pfx'] as const).find(
    (name) => material[name] !== undefined && !stands(name, material),
  );
  if (culprit !== undefined) {
    return as('invalidMaterial', `${culprit} cannot be read as ${culprit === 'pfx' ? 'PKCS #12' : 'PEM'}`);
  }
  return code.startsWith('ERR_OSSL')
    ? as('invalidMaterial', 'key cannot be read as PEM')
    : as('invalidMaterial', 'Node does not take these settings');
}

/** Whether one part of the material is taken by itself. */
function stands(name: 'cert' | 'crl' | 'pfx', { [name]: part, passphrase }: SecureContextOptions): boolean {
  try {
    createSecureContext({ [name]: part, passphrase });
    return true;
  } catch {
    return false;
  }
}

function listOf(ca: SecureContextOptions['ca']): readonly (string | Buffer)[] {
  if (ca === undefined) return [];
  return Array.isArray(ca) ? ca : [ca];
}

function invalid(problem: string): InvalidArgumentError {
  return new InvalidArgumentError(`the option tls: ${problem}`);
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function messageOf(error: unknown): string {
  return isObject(error) ? (error as Error).message : String(error);
}
