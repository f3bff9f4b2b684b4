/** A Kerberos realm for tests: a real KDC of MIT Kerberos, its principals and their keytabs. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeptProcess } from './kept-process.cjs';
import { freePort } from './ports.cjs';
import { until } from './until.js';

export const realm = 'ZOOKIT.TEST';

/** A KDC that listens on a port of 127.0.0.1. Dispose it. */
export class Kdc implements AsyncDisposable {
  private constructor(
    /** Removed with it. */
    readonly folder: string,
    private readonly process: KeptProcess,
    private readonly env: Readonly<Record<string, string>>,
  ) {}

  /** Use `startKdc`. */
  static async start(): Promise<Kdc> {
    const folder = mkdtempSync(join(tmpdir(), 'zookit-kdc-'));
    const port = await freePort();
    const env = { KRB5_CONFIG: join(folder, 'krb5.conf'), KRB5_KDC_PROFILE: join(folder, 'kdc.conf') };
    writeFileSync(env.KRB5_CONFIG, clientConfig(port));
    writeFileSync(env.KRB5_KDC_PROFILE, kdcConfig(folder, port));
    const kdc = new Kdc(folder, new KeptProcess({ output: 'pipe', folder }), env);
    kdc.run('kdb5_util', ['create', '-s', '-P', 'master', '-r', realm]);
    await kdc.process.start({
      command: 'krb5kdc',
      args: ['-n', '-r', realm],
      env: { ...process.env, PATH: pathWithSbin(), ...env },
    });
    await until(() => accepts(port), { what: 'the KDC to listen' });
    return kdc;
  }

  /** The configuration of the realm's clients. */
  get configFile(): string {
    return join(this.folder, 'krb5.conf');
  }

  /** Adds a principal such as `alice` or `zookeeper/localhost`. Returns the file with its key. */
  addPrincipal(name: string): string {
    const keytab = join(this.folder, `${name.replace('/', '-')}.keytab`);
    this.run('kadmin.local', ['-r', realm], `addprinc -randkey ${name}\nktadd -k ${keytab} ${name}\n`);
    readFileSync(keytab);
    return keytab;
  }

  /** Gets a ticket for a principal, as `kinit` does. Returns the name of the credential cache. */
  login(name: string, keytab: string): string {
    const cache = `FILE:${join(this.folder, `${name}.cache`)}`;
    this.run('kinit', ['-k', '-t', keytab, '-c', cache, name]);
    return cache;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process.dispose();
  }

  private run(command: string, args: readonly string[], input = ''): void {
    const env = { ...process.env, PATH: pathWithSbin(), ...this.env };
    const { status, stdout, stderr, error } = spawnSync(command, args, { env, input, encoding: 'utf8' });
    if (error !== undefined) {
      const hint =
        'node test/support/prepare.mjs installs it as root on Debian and Ubuntu (krb5-kdc, krb5-admin-server, krb5-user)';
      throw new Error(`${command} is missing; ${hint}`, { cause: error });
    }
    if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${stdout}${stderr}`);
  }
}

/** Starts a KDC. Resolves when it answers. */
export function startKdc(): Promise<Kdc> {
  return Kdc.start();
}

/** Where Debian keeps the programs of servers, which not every PATH has. */
function pathWithSbin(): string {
  return `${process.env.PATH ?? ''}:/usr/sbin`;
}

async function accepts(port: number): Promise<boolean> {
  const socket = createConnection({ host: '127.0.0.1', port });
  try {
    await once(socket, 'connect');
    return true;
  } finally {
    socket.destroy();
  }
}

function clientConfig(port: number): string {
  return `[libdefaults]
  default_realm = ${realm}
  dns_lookup_kdc = false
  dns_lookup_realm = false
  dns_canonicalize_hostname = false
  rdns = false
  udp_preference_limit = 1
[realms]
  ${realm} = {
    kdc = 127.0.0.1:${port}
  }
[domain_realm]
  localhost = ${realm}
`;
}

function kdcConfig(folder: string, port: number): string {
  return `[kdcdefaults]
  kdc_listen = ""
  kdc_tcp_listen = 127.0.0.1:${port}
[realms]
  ${realm} = {
    database_name = ${folder}/principal
    key_stash_file = ${folder}/stash
    acl_file = ${folder}/acl
  }
`;
}
