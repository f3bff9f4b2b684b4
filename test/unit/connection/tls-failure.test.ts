import { describe, expect, it } from '@jest/globals';
import { heardIn, tlsFailure } from '../../../src/connection/tls-failure.js';

const refused = Object.assign(new Error('handshake failure'), { code: 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE' });
const problem = (heard: ReturnType<typeof heardIn>, showsCertificate: boolean): string =>
  tlsFailure(refused, { name: 'localhost', showsCertificate, heard }).problem;

describe('an alert that the handshake failed', () => {
  it('is about version or cipher where the server has said nothing else', () => {
    expect(problem(heardIn(7), false)).toBe('incompatible');
    expect(problem(heardIn(7), true)).toBe('incompatible');
  });

  it('is about the certificate that the client does not have, once version and cipher were chosen', () => {
    expect(problem(heardIn(1_500), false)).toBe('clientCertificateMissing');
    expect(problem(heardIn(1_500), true)).toBe('incompatible');
  });
});
