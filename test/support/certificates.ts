/** Real certificates, made by the openssl command: authorities, servers, clients, revocation lists. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Days before and after today between which a certificate is valid. */
export interface Validity {
  /** Default -1: since yesterday. */
  readonly from?: number;
  /** Default 30. */
  readonly to?: number;
}

export interface CertificateOptions extends Validity {
  /** Default: none, as for a client. `DNS:localhost`, `IP:127.0.0.1`. */
  readonly altNames?: readonly string[];
}

/** A certificate with its key, as files. */
export interface Certificate {
  readonly certFile: string;
  readonly keyFile: string;
  /** Both in one, as a server of ZooKeeper wants them; the name ends in `.pem`. */
  readonly bothFile: string;
}

/** A folder of authorities and what they have issued. Dispose it. */
export class Certificates implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'zookit-certificates-'));

  /** An authority that nobody trusts who is not told to. */
  authority(name: string): Authority {
    return new Authority(join(this.folder, name), name);
  }

  /** A file with this content. */
  file(name: string, content: string | Uint8Array): string {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export class Authority {
  readonly certFile: string;
  private readonly config: string;
  private issued = 0;

  /** Use `Certificates.authority`. */
  constructor(
    private readonly folder: string,
    name: string,
  ) {
    mkdirSync(folder);
    this.certFile = join(folder, 'ca.pem');
    this.config = join(folder, 'ca.cnf');
    writeFileSync(join(folder, 'index.txt'), '');
    writeFileSync(this.config, configOf(folder));
    openssl(
      'req',
      '-x509',
      ...newKey(join(folder, 'ca.key')),
      '-out',
      this.certFile,
      '-subj',
      `/CN=${name}`,
      '-days',
      '30',
    );
  }

  get cert(): string {
    return readFileSync(this.certFile, 'utf8');
  }

  /** @param subject such as `/O=Acme/CN=client` */
  issue(subject: string, { altNames = [], from = -1, to = 30 }: CertificateOptions = {}): Certificate {
    const base = join(this.folder, String(++this.issued));
    const certificate = { certFile: `${base}.crt`, keyFile: `${base}.key`, bothFile: `${base}.pem` };
    const request = `${base}.csr`;
    const names = altNames.length === 0 ? [] : ['-addext', `subjectAltName=${altNames.join(',')}`];
    openssl('req', '-new', ...newKey(certificate.keyFile), '-out', request, '-subj', subject, ...names);
    const validity = ['-startdate', opensslDate(from), '-enddate', opensslDate(to)];
    openssl(
      'ca',
      '-batch',
      '-config',
      this.config,
      ...validity,
      '-in',
      request,
      '-out',
      certificate.certFile,
      '-notext',
    );
    writeFileSync(
      certificate.bothFile,
      [certificate.keyFile, certificate.certFile].map((file) => readFileSync(file, 'utf8')).join(''),
    );
    return certificate;
  }

  /** Revokes certificates, and returns the list of all that are revoked, PEM. */
  revoke(...certificates: readonly Certificate[]): string {
    for (const { certFile } of certificates) openssl('ca', '-config', this.config, '-revoke', certFile);
    return openssl('ca', '-config', this.config, '-gencrl');
  }
}

/** Puts one certificate in the place of another, as a tool that renews certificates does. */
export function replaceCertificate(place: Certificate, by: Certificate): void {
  copyFileSync(by.certFile, place.certFile);
  copyFileSync(by.keyFile, place.keyFile);
}

/** The key, encrypted. */
export function encryptedKey({ keyFile }: Certificate, passphrase: string): string {
  return openssl('pkcs8', '-topk8', '-in', keyFile, '-passout', `pass:${passphrase}`);
}

/** Certificate and key as PKCS #12. */
export function pkcs12({ certFile, keyFile }: Certificate, passphrase: string): Buffer {
  const file = `${keyFile}.p12`;
  openssl('pkcs12', '-export', '-in', certFile, '-inkey', keyFile, '-out', file, '-passout', `pass:${passphrase}`);
  return readFileSync(file);
}

function newKey(file: string): string[] {
  return ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', file];
}

function configOf(folder: string): string {
  return `
[ca]
default_ca = this
[this]
database = ${folder}/index.txt
new_certs_dir = ${folder}
certificate = ${folder}/ca.pem
private_key = ${folder}/ca.key
rand_serial = yes
unique_subject = no
default_md = sha256
default_crl_days = 30
copy_extensions = copy
policy = policy
[policy]
organizationName = optional
commonName = supplied
`;
}

function opensslDate(days: number): string {
  const date = new Date(Date.now() + days * 24 * 60 * 60 * 1_000);
  return date.toISOString().replace(/[-:T]|\.\d+/g, '');
}

function openssl(...args: string[]): string {
  const { status, stdout, stderr, error } = spawnSync('openssl', args, { encoding: 'utf8' });
  if (error !== undefined) throw new Error('the tests need the openssl command', { cause: error });
  if (status !== 0) throw new Error(`openssl ${args.join(' ')} failed:\n${stderr}`);
  return stdout;
}
