import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { SaslError } from '../errors.js';
import type { SaslExchange } from '../sasl-options.js';

/** ZooKeeper's protocol and server name for this mechanism; the real host has no part in it. */
const DIGEST_URI = 'zookeeper/zk-sasl-md5';
/** An answer is counted; there is one on each connection. */
const NONCE_COUNT = '00000001';
const BUFFER_SIZE = 65_536;

/** What is to be proved, and to whom. */
export interface DigestMd5Secret {
  readonly username: string;
  readonly password: string;
}

type Stage = 'challenged' | 'answered' | 'over';

/** The mechanism DIGEST-MD5 of RFC 2831, without a security layer (`qop=auth`), from the client's side. */
export class DigestMd5 implements SaslExchange {
  readonly #secret: DigestMd5Secret;
  readonly #clientNonce: string;
  #stage: Stage = 'challenged';
  #expectedProof = '';

  constructor(secret: DigestMd5Secret, clientNonce = randomBytes(16).toString('base64')) {
    this.#secret = secret;
    this.#clientNonce = clientNonce;
  }

  /** The server begins. */
  start(): Uint8Array {
    return new Uint8Array(0);
  }

  step(challenge: Uint8Array | null): Uint8Array | undefined {
    if (challenge === null || this.#stage === 'over') throw this.#cutShort();
    const directives = parseDirectives(Buffer.from(challenge).toString('utf8'));
    if (this.#stage === 'challenged') {
      this.#stage = 'answered';
      return this.#answer(directives);
    }
    this.#stage = 'over';
    this.#verify(directives);
    return undefined;
  }

  #cutShort(): SaslError {
    return this.#stage === 'challenged'
      ? new SaslError('notDone', 'the server knows no SASL: its JAAS configuration has no section Server')
      : new SaslError('notDone', 'the server ended the exchange without a proof that it knows the password');
  }

  #answer(challenge: ReadonlyMap<string, string>): Buffer {
    const nonce = challenge.get('nonce');
    if (nonce === undefined) throw badChallenge('it has no nonce');
    const algorithm = challenge.get('algorithm');
    if (algorithm !== 'md5-sess') throw badChallenge('its algorithm is not md5-sess');
    const offered = (challenge.get('qop') ?? 'auth').split(/\s*,\s*/);
    if (!offered.includes('auth')) throw badChallenge('it offers no authentication without a security layer');
    const { username } = this.#secret;
    const isUtf8 = challenge.get('charset') === 'utf-8';
    const realm = challenge.get('realm') ?? '';
    const key = this.#key(realm, nonce, isUtf8);
    this.#expectedProof = this.#response(key, nonce, '');
    const directives = [
      ...(isUtf8 ? ['charset=utf-8'] : []),
      `username=${quote(username)}`,
      `realm=${quote(realm)}`,
      `nonce=${quote(nonce)}`,
      `nc=${NONCE_COUNT}`,
      `cnonce=${quote(this.#clientNonce)}`,
      `digest-uri=${quote(DIGEST_URI)}`,
      `maxbuf=${BUFFER_SIZE}`,
      `response=${this.#response(key, nonce, 'AUTHENTICATE')}`,
      'qop=auth',
    ];
    return Buffer.from(directives.join(','), isUtf8 ? 'utf8' : 'latin1');
  }

  /** MD5 of what the RFC calls A1: { MD5(user:realm:password), ":", nonce, ":", cnonce }. */
  #key(realm: string, nonce: string, isUtf8: boolean): string {
    const { username, password } = this.#secret;
    // Texts that ISO 8859-1 can hold are hashed in it, whatever the charset.
    const hash = createHash('md5');
    [username, realm, password].forEach((text, index) => {
      if (index > 0) hash.update(':');
      hash.update(Buffer.from(text, isUtf8 && !isLatin1(text) ? 'utf8' : 'latin1'));
    });
    return createHash('md5').update(hash.digest()).update(`:${nonce}:${this.#clientNonce}`).digest('hex');
  }

  /** `method` is empty in the proof of the server. */
  #response(key: string, nonce: string, method: string): string {
    const a2 = md5(`${method}:${DIGEST_URI}`);
    return md5(`${key}:${nonce}:${NONCE_COUNT}:${this.#clientNonce}:auth:${a2}`);
  }

  #verify(final: ReadonlyMap<string, string>): void {
    const proof = Buffer.from(final.get('rspauth') ?? '');
    const expected = Buffer.from(this.#expectedProof);
    if (proof.length !== expected.length || !timingSafeEqual(proof, expected))
      throw new SaslError('serverNotProven', 'the server does not know the password: it is not who it should be');
  }
}

function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

function isLatin1(text: string): boolean {
  return Buffer.from(text, 'latin1').toString('latin1') === text;
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

function badChallenge(problem: string): SaslError {
  return new SaslError('badChallenge', `the challenge of the server is not one of DIGEST-MD5: ${problem}`);
}

/** Reads `name="a \"quoted\" value",name=token`; of a name that comes twice the first one counts. */
export function parseDirectives(text: string): ReadonlyMap<string, string> {
  const directives = new Map<string, string>();
  const directive = /[\s,]*([\w-]+)\s*=\s*(?:"((?:[^"\\]|\\[\s\S])*)"|([^\s",]+))\s*(?=,|$)/y;
  let end = 0;
  for (let match = directive.exec(text); match !== null; match = directive.exec(text)) {
    const [, name = '', quoted, token = ''] = match;
    const key = name.toLowerCase();
    if (!directives.has(key)) directives.set(key, quoted?.replace(/\\([\s\S])/g, '$1') ?? token);
    end = directive.lastIndex;
  }
  if (!/^[\s,]*$/.test(text.slice(end))) throw badChallenge('it is no list of directives');
  return directives;
}
