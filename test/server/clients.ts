/** What the tests of this folder share: clients of the shared server, and records of what watches told. */
import { afterAll, beforeAll } from '@jest/globals';
import { type ClientOptions, type WatchEvent, ZooKeeper } from 'zookit';
import { sharedServer, useChroot } from '../support/shared.js';
import { superAuth } from '../support/zookeeper.js';

/** Clients of one server that see a part of the tree that nobody else uses. They are closed after the file. */
export class Clients {
  readonly chroot = useChroot();
  private readonly opened: ZooKeeper[] = [];
  private main: ZooKeeper | undefined;
  private folders = 0;

  constructor(private readonly server: () => { readonly connectString: string }) {}

  /** The client that most tests of the file use. */
  get zk(): ZooKeeper {
    if (this.main === undefined) throw new Error('there is no client before beforeAll');
    return this.main;
  }

  /** One more client, with a session of its own. `below`: the path that is its root, in the eyes of the others. */
  async another(options: ClientOptions = {}, below = ''): Promise<ZooKeeper> {
    return this.connect(this.chroot + below, options);
  }

  /** One more client, at another server of the same ensemble. */
  async at(server: { readonly connectString: string }): Promise<ZooKeeper> {
    return this.connect(this.chroot, {}, server);
  }

  /** One more client, that sees the whole tree and passes every ACL. */
  async superUser(): Promise<ZooKeeper> {
    return this.connect('', { auth: [superAuth] });
  }

  /** The path of a new, empty znode for one test. */
  async folder(): Promise<string> {
    return (await this.zk.create(`/folder-${++this.folders}`)).path;
  }

  async open(): Promise<void> {
    const superUser = await this.superUser();
    await superUser.ensurePath(this.chroot);
    this.main = await this.another();
  }

  async close(): Promise<void> {
    const [superUser, ...others] = this.opened;
    await Promise.all(others.map((client) => client.close()));
    try {
      await superUser?.deleteTree(this.chroot);
    } finally {
      await superUser?.close();
    }
  }

  private async connect(chroot: string, options: ClientOptions, server = this.server()): Promise<ZooKeeper> {
    const client = await ZooKeeper.connect(server.connectString + chroot, options);
    this.opened.push(client);
    return client;
  }
}

/** Clients for the tests of one file; by default of the server that all files share. */
export function useClients(server: () => { readonly connectString: string } = sharedServer): Clients {
  const clients = new Clients(server);
  beforeAll(() => clients.open());
  afterAll(() => clients.close());
  return clients;
}

/** What watches told, in order, in short: `deleted /a`, `ended closed`, `resync`. */
export class Recorder {
  readonly seen: string[] = [];

  /** The listener; it is the same function at every look. */
  readonly tell = (event: WatchEvent): void => {
    this.seen.push(inShort(event));
  };
}

export function inShort(event: WatchEvent): string {
  if (event.type === 'resync') return event.type;
  return event.type === 'ended' ? `${event.type} ${event.reason}` : `${event.type} ${event.path}`;
}

/** What the promise rejects with, of this class; throws any other error as it is. */
export async function expectFailure<E extends Error>(
  promise: Promise<unknown>,
  errorClass: abstract new (...args: never[]) => E,
): Promise<E> {
  const error = await failureOf(promise);
  if (!(error instanceof errorClass)) throw error;
  return error;
}

/** What the promise rejects with; throws if it does not. */
export async function failureOf(promise: Promise<unknown>): Promise<unknown> {
  let result: unknown;
  try {
    result = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`it was to fail, and gave ${JSON.stringify(result)}`);
}
