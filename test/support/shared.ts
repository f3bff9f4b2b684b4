/** The one standalone server that all test files share; jest starts it before the first file (global-setup.cjs). */
import { randomUUID } from 'node:crypto';

export interface SharedServer {
  readonly host: string;
  readonly port: number;
  /** Without a chroot. */
  readonly connectString: string;
}

export function sharedServer(): SharedServer {
  const connectString = process.env.ZOOKIT_TEST_SERVER;
  if (!connectString) throw new Error('there is no shared server: jest was told to run only test/unit or test/package');
  const [host = '', port = ''] = connectString.split(':');
  return { host, port: Number(port), connectString };
}

/** A chroot that no other test file uses, such as `/t-5f0c...`. It does not exist yet: create it by `ensurePath`. */
export function useChroot(): string {
  return `/t-${randomUUID()}`;
}
