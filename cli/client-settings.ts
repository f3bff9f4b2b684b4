import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { type Acl, acl, type ClientOptions } from 'zookit';
import { choiceIn, flagIn, millisecondsIn, type OptionTable, type OptionValues } from './option-table.js';
import { UsageError } from './usage-error.js';

/** How to reach ZooKeeper, and as whom. Secrets come from files: arguments and variables can be read by others. */
export const clientOptions = {
  connect: {
    env: 'ZOOKIT_CONNECT',
    value: 'SERVERS',
    help: 'The ensemble, such as zk1:2181,zk2:2181/chroot. Required.',
  },
  'session-timeout': {
    env: 'ZOOKIT_SESSION_TIMEOUT',
    value: 'MS',
    help: 'How long registrations outlive this process when it dies.',
    default: '10000',
  },
  'auth-file': {
    env: 'ZOOKIT_AUTH_FILE',
    value: 'PATH',
    help: 'A file with user:password, for the scheme digest.',
  },
  'sasl-user': { env: 'ZOOKIT_SASL_USER', value: 'NAME', help: 'The user for SASL DIGEST-MD5.' },
  'sasl-password-file': {
    env: 'ZOOKIT_SASL_PASSWORD_FILE',
    value: 'PATH',
    help: 'A file with the password for SASL. It is read again at each connection.',
  },
  acl: {
    env: 'ZOOKIT_ACL',
    value: 'open|creator|creator-read',
    help: 'Who may do what with new znodes: anybody everything; the own identity everything; or that, and anybody may read.',
    default: 'open',
  },
  tls: { env: 'ZOOKIT_TLS', value: 'true|false', help: 'Whether to speak TLS.', default: 'false' },
  'tls-ca-file': { env: 'ZOOKIT_TLS_CA_FILE', value: 'PATH', help: 'Authorities to trust, PEM. Implies --tls true.' },
  'tls-cert-file': {
    env: 'ZOOKIT_TLS_CERT_FILE',
    value: 'PATH',
    help: 'The own certificate, PEM. Implies --tls true.',
  },
  'tls-key-file': { env: 'ZOOKIT_TLS_KEY_FILE', value: 'PATH', help: 'The key of the own certificate, PEM.' },
  'tls-passphrase-file': {
    env: 'ZOOKIT_TLS_PASSPHRASE_FILE',
    value: 'PATH',
    help: 'A file with the passphrase of the key.',
  },
  'tls-servername': {
    env: 'ZOOKIT_TLS_SERVERNAME',
    value: 'NAME',
    help: 'The name that certificates of servers must be for. Default: the host of --connect.',
  },
} as const satisfies OptionTable;

type Values = OptionValues<typeof clientOptions>;

const acls: Readonly<Record<'open' | 'creator' | 'creator-read', readonly Acl[]>> = {
  open: acl.open,
  creator: acl.creatorAll,
  'creator-read': [...acl.creatorAll, ...acl.readOnly],
};

/** @throws UsageError, also when a file cannot be read. */
export function clientSettings(values: Values): { readonly servers: string; readonly options: ClientOptions } {
  const { connect } = values;
  if (connect === undefined) throw new UsageError('--connect or ZOOKIT_CONNECT is missing: which ensemble?');
  const sasl = saslSettings(values);
  const tls = tlsSettings(values);
  const authFile = values['auth-file'];
  return {
    servers: connect,
    options: {
      sessionTimeout: millisecondsIn('session-timeout', values['session-timeout']),
      defaultAcl: acls[choiceIn('acl', values.acl, ['open', 'creator', 'creator-read']) ?? 'open'],
      ...(authFile !== undefined && { auth: [{ scheme: 'digest', auth: secretIn('auth-file', authFile) }] }),
      ...(sasl !== undefined && { sasl }),
      ...(tls !== undefined && { tls }),
    },
  };
}

function saslSettings(values: Values): ClientOptions['sasl'] {
  const username = values['sasl-user'];
  const file = values['sasl-password-file'];
  if (username === undefined && file === undefined) return undefined;
  if (username === undefined || file === undefined)
    throw new UsageError('--sasl-user and --sasl-password-file go together');
  secretIn('sasl-password-file', file);
  return { mechanism: 'DIGEST-MD5', username, password: async () => withoutEnd(await readFile(file, 'utf8')) };
}

function tlsSettings(values: Values): ClientOptions['tls'] {
  const files = {
    caFile: values['tls-ca-file'],
    certFile: values['tls-cert-file'],
    keyFile: values['tls-key-file'],
    passphraseFile: values['tls-passphrase-file'],
    servername: values['tls-servername'],
  };
  const given = Object.fromEntries(Object.entries(files).filter(([, value]) => value !== undefined));
  const isOn = flagIn('tls', values.tls) === true || files.caFile !== undefined || files.certFile !== undefined;
  if (!isOn) {
    if (Object.keys(given).length > 0) throw new UsageError('settings of TLS were given, and --tls is not true');
    return undefined;
  }
  return Object.keys(given).length === 0 ? true : given;
}

function secretIn(name: string, path: string): string {
  try {
    return withoutEnd(readFileSync(path, 'utf8'));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`--${name}: ${why}`, { cause });
  }
}

/** An end of line at the end of a file is the editor's. */
function withoutEnd(text: string): string {
  return text.replace(/\r?\n$/, '');
}
