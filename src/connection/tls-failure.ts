import { TlsError, type TlsProblem } from '../errors.js';

/** What is known beside the error. */
export interface TlsFacts {
  /** The name that the certificate has to be for. */
  readonly name: string;
  /** Whether the client has a certificate to show. */
  readonly showsCertificate: boolean;
  /** What the server has said before: at most the alert itself, or also which version and cipher it takes. */
  readonly heard: Heard;
}

type Heard = 'nothing' | 'alert' | 'choice';

/** What the first bytes of a server have been, by their number: an alert is a record of 7. */
export function heardIn(bytes: number): Heard {
  if (bytes === 0) return 'nothing';
  return bytes <= 7 ? 'alert' : 'choice';
}

/** What OpenSSL says of the server's certificate. */
const certificateProblems: Readonly<Record<string, TlsProblem>> = {
  ERR_TLS_CERT_ALTNAME_INVALID: 'wrongHostName',
  CERT_HAS_EXPIRED: 'certificateExpired',
  CERT_NOT_YET_VALID: 'certificateNotYetValid',
  CERT_REVOKED: 'certificateRevoked',
  UNABLE_TO_GET_CRL: 'revocationUnknown',
  CRL_HAS_EXPIRED: 'revocationUnknown',
  CRL_NOT_YET_VALID: 'revocationUnknown',
  CRL_SIGNATURE_FAILURE: 'revocationUnknown',
};

/** What OpenSSL says of a chain that does not lead to a trusted authority. */
const untrusted = /^(UNABLE_TO_|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED|CERT_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH)/;

/** Alerts by which a server says what it thinks of the client's certificate, or that it misses one. */
const aboutClient =
  /ALERT_(BAD_CERTIFICATE|UNKNOWN_CA|UNSUPPORTED_CERTIFICATE|ACCESS_DENIED|DECRYPT_ERROR|CERTIFICATE_\w+)$/;
const incompatible =
  /ALERT_(PROTOCOL_VERSION|HANDSHAKE_FAILURE|INSUFFICIENT_SECURITY)|UNSUPPORTED_PROTOCOL|NO_SHARED|NO_CIPHERS|NO_PROTOCOLS|DH_KEY_TOO_SMALL|EE_KEY_TOO_SMALL|WRONG_SIGNATURE_TYPE/;

/** The error for a TLS connection that failed, during the handshake or later. */
export function tlsFailure(error: Error, facts: TlsFacts): TlsError {
  const problem = problemOf(error, facts);
  return new TlsError(problem, messageOf(problem, error, facts), error);
}

/** Whether TLS is what a connection that was open has failed over. */
export function isTlsFailure(error: Error): boolean {
  return ((error as NodeJS.ErrnoException).code ?? '').startsWith('ERR_SSL_');
}

function problemOf(error: Error, { showsCertificate, heard }: TlsFacts): TlsProblem {
  const { code = '' } = error as NodeJS.ErrnoException;
  const known = certificateProblems[code];
  if (known !== undefined) return known;
  if (untrusted.test(code)) return 'untrustedCertificate';
  if (!code.startsWith('ERR_SSL_')) return heard === 'nothing' ? 'notTls' : 'other';
  // Newer releases of Java say so, as RFC 5246 has it, where TLS 1.2 misses a certificate of the client.
  if (code.endsWith('_HANDSHAKE_FAILURE') && heard === 'choice' && !showsCertificate) return 'clientCertificateMissing';
  if (aboutClient.test(code)) return showsCertificate ? 'clientCertificateRefused' : 'clientCertificateMissing';
  if (incompatible.test(code)) return 'incompatible';
  return /WRONG_VERSION_NUMBER|PACKET_LENGTH|RECORD_LAYER|UNKNOWN_PROTOCOL/.test(code) ? 'notTls' : 'other';
}

function messageOf(problem: TlsProblem, error: Error, { name }: TlsFacts): string {
  // OpenSSL puts a number, its function and its source file around what it has to say.
  const { reason = error.message } = error as { readonly reason?: string };
  switch (problem) {
    case 'wrongHostName':
      return `the certificate is not for ${name} (${reason}); connect by a name that it has, or give tls.servername`;
    case 'certificateExpired':
      return 'the certificate of the server, or of an authority above it, has expired';
    case 'certificateNotYetValid':
      return 'the certificate of the server, or of an authority above it, is not valid yet; is the clock right?';
    case 'certificateRevoked':
      return 'the certificate of the server was revoked, says the list in tls.crl';
    case 'revocationUnknown':
      return `no valid list of revoked certificates covers that of the server (${error.message}); see tls.crl`;
    case 'untrustedCertificate':
      return `the certificate of the server comes from no authority that is trusted (${error.message}); see tls.ca`;
    case 'clientCertificateMissing':
      return `the server wants a certificate of the client (${reason}); give tls.cert and tls.key, or tls.pfx`;
    case 'clientCertificateRefused':
      return `the server refused the certificate of the client (${reason}); does it trust its authority?`;
    case 'incompatible':
      return `server and client have no version or cipher of TLS in common (${reason}); see tls.minVersion, tls.ciphers`;
    case 'notTls':
      return `this seems to be no TLS port (${reason}); TLS is spoken on the secureClientPort of a server`;
    default:
      return `TLS failed: ${reason}`;
  }
}
