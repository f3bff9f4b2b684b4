/** A certificate that is its own authority, made by the openssl command. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface SelfSigned extends Disposable {
  /** PEM. */
  readonly cert: string;
  readonly certFile: string;
  /** PKCS #12, with the key. */
  readonly storeFile: string;
  readonly password: string;
}

/** For servers at 127.0.0.1. Dispose it. */
export function selfSigned(): SelfSigned {
  const folder = mkdtempSync(join(tmpdir(), 'zookit-self-signed-'));
  const keyFile = join(folder, 'key.pem');
  const certFile = join(folder, 'cert.pem');
  const storeFile = join(folder, 'store.p12');
  const password = 'secret';
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
  openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    '-keyout',
    keyFile,
    '-out',
    certFile,
    ...subject,
  );
  openssl('pkcs12', '-export', '-in', certFile, '-inkey', keyFile, '-out', storeFile, '-passout', `pass:${password}`);
  return {
    cert: readFileSync(certFile, 'utf8'),
    certFile,
    storeFile,
    password,
    [Symbol.dispose]: () => rmSync(folder, { recursive: true }),
  };
}

function openssl(...args: string[]): void {
  const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`openssl ${args[0] ?? ''} failed: ${stderr}`);
}
