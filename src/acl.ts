import { createHash } from 'node:crypto';

/** What an identity may do with a znode; create and delete speak of its children. */
export type Permission = 'read' | 'write' | 'create' | 'delete' | 'admin';

/** One entry of an access control list: who may do what. The permissions of several matching entries add up. */
export interface Acl {
  /** `world`, `auth`, `digest`, `ip`, `x509`, `sasl` or one that the server was extended with. */
  readonly scheme: string;
  /** Whom the scheme means: `anyone`, `user:hash`, `10.0.0.0/8`, ... */
  readonly id: string;
  readonly permissions: readonly Permission[];
}

/** Every permission, in the order of the bits on the wire. */
export const allPermissions: readonly Permission[] = ['read', 'write', 'create', 'delete', 'admin'];

/** The bits that stand for permissions on the wire: read 1, write 2, create 4, delete 8, admin 16. */
export function permissionBits(permissions: readonly Permission[]): number {
  return permissions.reduce((bits, permission) => bits | (1 << allPermissions.indexOf(permission)), 0);
}

/** The permissions that the bits of the wire stand for. */
export function permissionsOf(bits: number): readonly Permission[] {
  return allPermissions.filter((_, index) => (bits & (1 << index)) !== 0);
}

/**
 * The id of a `digest` entry: `user:` and base64 of SHA-1 of `user:password`. It is computed here; the password does
 * not travel. The server must use the default algorithm (`zookeeper.DigestAuthenticationProvider.digestAlg`).
 */
export function digestId(user: string, password: string): string {
  return `${user}:${createHash('sha1').update(`${user}:${password}`).digest('base64')}`;
}

/** Ready-made access control lists. Without permissions given, an entry grants all of them. */
export const acl = {
  /** Anybody who reaches the server. */
  world: (...permissions: Permission[]): Acl => entry('world', 'anyone', permissions),
  /** Every identity that the creating connection has proved (digest, x509, sasl); the server puts them in. */
  auth: (...permissions: Permission[]): Acl => entry('auth', '', permissions),
  /** A user with a password, given in clear text; see {@link digestId}. */
  digest: (user: string, password: string, ...permissions: Permission[]): Acl =>
    entry('digest', digestId(user, password), permissions),
  /** Clients at an address, or in a network such as `10.0.0.0/8`. */
  ip: (address: string, ...permissions: Permission[]): Acl => entry('ip', address, permissions),
  /** The subject of a client certificate in the form of RFC 2253: `CN=client,O=Acme`. */
  x509: (subject: string, ...permissions: Permission[]): Acl => entry('x509', subject, permissions),
  /** A name that SASL has proved. */
  sasl: (id: string, ...permissions: Permission[]): Acl => entry('sasl', id, permissions),

  /** Anybody may do anything: the default. */
  open: [entry('world', 'anyone', [])] as readonly Acl[],
  /** Anybody may read, nobody may change. */
  readOnly: [entry('world', 'anyone', ['read'])] as readonly Acl[],
  /** The identities of the creating connection may do anything, others nothing. */
  creatorAll: [entry('auth', '', [])] as readonly Acl[],
} as const;

function entry(scheme: string, id: string, permissions: readonly Permission[]): Acl {
  return { scheme, id, permissions: permissions.length === 0 ? allPermissions : permissions };
}

/** `Array.isArray` knows nothing of readonly arrays. */
function isList(value: unknown): boolean {
  return Array.isArray(value);
}

/** What is wrong with an ACL that somebody has handed in, if anything is. */
export function aclProblem(list: readonly Acl[]): string | undefined {
  const problem = firstProblem(list);
  return problem && `${problem}; acl.open, acl.creatorAll and acl.digest(...) are examples`;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : `of type ${typeof value}`;
}

function firstProblem(list: readonly Acl[]): string | undefined {
  if (!isList(list) || list.length === 0) return 'the ACL must be a list with at least one entry';
  for (const entry of list as readonly unknown[]) {
    if (typeof entry !== 'object' || entry === null) return 'an entry of the ACL is no object';
    const { scheme, id, permissions } = entry as Acl;
    if (typeof scheme !== 'string' || scheme === '' || typeof id !== 'string')
      return 'an entry of the ACL has no scheme or no id';
    if (!isList(permissions)) return `the entry ${scheme}:${id} of the ACL has no permissions`;
    const unknown = (permissions as readonly unknown[]).findIndex(
      (each) => !allPermissions.includes(each as Permission),
    );
    if (unknown !== -1)
      return `there is no permission ${shown(permissions[unknown])}; known are ${allPermissions.join(', ')}`;
  }
  return undefined;
}
