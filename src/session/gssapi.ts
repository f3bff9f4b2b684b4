import { SaslError } from '../errors.js';
import type { GssapiOptions, KerberosClient, KerberosModule, SaslExchange, SaslServer } from '../sasl-options.js';

/** The bit that stands for "no security layer" in the negotiation of RFC 4752. */
const NO_LAYER = 1;

type Stage = 'context' | 'layer' | 'confirmation' | 'over';

/** The mechanism GSSAPI (Kerberos) of RFC 4752, without a security layer, from the client's side. */
export class Gssapi implements SaslExchange {
  #stage: Stage = 'context';

  private constructor(private readonly client: KerberosClient) {}

  /** @throws SaslError without the package `kerberos`, and without credentials. */
  static async begin(options: GssapiOptions, server: SaslServer): Promise<Gssapi> {
    const kerberos = options.kerberos ?? (await loadKerberos());
    const { serviceName = 'zookeeper', serviceHost = server.host, principal } = options;
    const { GSS_C_MUTUAL_FLAG, GSS_C_INTEG_FLAG, GSS_C_SEQUENCE_FLAG, GSS_MECH_OID_KRB5 } = kerberos;
    const client = await ofKerberos(() =>
      kerberos.initializeClient(`${serviceName}@${serviceHost}`, {
        gssFlags: GSS_C_MUTUAL_FLAG | GSS_C_INTEG_FLAG | GSS_C_SEQUENCE_FLAG,
        mechOID: GSS_MECH_OID_KRB5,
        ...(principal === undefined ? {} : { principal }),
      }),
    );
    return new Gssapi(client);
  }

  async start(): Promise<Uint8Array> {
    return this.#context('');
  }

  async step(challenge: Uint8Array | null): Promise<Uint8Array | undefined> {
    switch (this.#stage) {
      case 'context':
        if (challenge === null) throw this.#cutShort();
        return this.#context(toBase64(challenge));
      case 'layer':
        if (challenge === null) throw this.#cutShort();
        return this.#chooseLayer(toBase64(challenge));
      case 'confirmation':
        // The server is content, which it says by nothing.
        this.#stage = 'over';
        return undefined;
      case 'over':
        throw this.#cutShort();
    }
  }

  #cutShort(): SaslError {
    return new SaslError('notDone', 'the server knows no SASL, or ended the exchange before it was over');
  }

  /** Goes on with the Kerberos tokens. An empty one tells the server that it is its turn with the security layer. */
  async #context(challenge: string): Promise<Uint8Array> {
    const response = await ofKerberos(() => this.client.step(challenge));
    if (this.client.contextComplete) this.#stage = 'layer';
    return Buffer.from(response ?? '', 'base64');
  }

  /** The server offers security layers: a byte of bits, three bytes of its buffer's size. */
  async #chooseLayer(challenge: string): Promise<Uint8Array> {
    const offer = Buffer.from(await ofKerberos(() => this.client.unwrap(challenge)), 'base64');
    if (offer.length !== 4 || (offer.readUInt8(0) & NO_LAYER) === 0)
      throw new SaslError('badChallenge', 'the server does not offer GSSAPI without a security layer');
    this.#stage = 'confirmation';
    // Without a layer there is no buffer; and whoever the ticket names is who the client wants to be.
    const choice = Buffer.from([NO_LAYER, 0, 0, 0]).toString('base64');
    return Buffer.from(await ofKerberos(() => this.client.wrap(choice, {})), 'base64');
  }
}

async function ofKerberos<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new SaslError('noCredentials', `Kerberos: ${said}; klist shows which tickets there are`, error);
  }
}

/** Bundlers leave a name alone that they cannot read: the package is optional, and has native code. */
async function loadKerberos(): Promise<KerberosModule> {
  const name: string = ['kerberos'].join('');
  try {
    const loaded = (await import(/* webpackIgnore: true */ /* @vite-ignore */ name)) as KerberosModule & {
      readonly default?: KerberosModule;
    };
    return loaded.default ?? loaded;
  } catch (error) {
    throw new SaslError(
      'kerberosMissing',
      'the mechanism GSSAPI needs the package kerberos beside zookit: npm install kerberos',
      error,
    );
  }
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
