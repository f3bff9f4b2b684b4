/** What the fault tests share: a client behind a proxy, a record of what it tells, and an observer as the truth. */
import {
  type ClientOptions,
  type HostProvider,
  type OneShotEvent,
  type SessionEvent,
  type WatchEvent,
  ZooKeeper,
} from 'zookit';
import { connectOpCode, type Proxy, type ProxyRequest, startProxy } from '../support/proxy.js';
import { sharedServer, useChroot } from '../support/shared.js';
import { gate, until, within } from '../support/until.js';
import { superAuth } from '../support/zookeeper.js';

/** Op codes as in the protocol, for what the proxy and the wire server see. */
export const op = {
  connect: connectOpCode,
  create: 1,
  delete: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  getChildren: 8,
  sync: 9,
  ping: 11,
  multi: 14,
  close: -11,
  auth: 100,
  setWatches: 101,
  setWatches2: 105,
  addWatch: 106,
} as const;

/** A session timeout for tests that wait for its end, ms: no longer than that takes, and no shorter than need be. */
export const SHORT = 2_000;

type EventOf<Type extends SessionEvent['type']> = Extract<SessionEvent, { type: Type }>;

/** The events of a client, in order, and when each was told. */
export class EventLog {
  readonly all: SessionEvent[] = [];
  /** On the clock of `performance.now()`. */
  readonly times: number[] = [];
  private readonly waiting = new Set<() => void>();

  constructor(zk: ZooKeeper) {
    zk.on('session', (event) => {
      // A busy machine holds up this process at times, which is no event of the test.
      if (event.type === 'stalled') return;
      this.all.push(event);
      this.times.push(performance.now());
      for (const look of this.waiting) look();
    });
  }

  get types(): string[] {
    return this.all.map(({ type }) => type);
  }

  /** Forgets what was told so far. */
  clear(): void {
    this.all.length = 0;
    this.times.length = 0;
  }

  /** The first event of the type since the last `clear`, waiting for it. Rejects after `timeout` ms. */
  async first<Type extends SessionEvent['type']>(type: Type, timeout = 15_000): Promise<EventOf<Type>> {
    const found = gate<EventOf<Type>>();
    const look = (): void => {
      const event = this.all.find((each): each is EventOf<Type> => each.type === type);
      if (event !== undefined) found.open(event);
    };
    this.waiting.add(look);
    look();
    try {
      return await within(found.promise, { what: `the event ${type} after ${this.types.join(', ')}`, timeout });
    } finally {
      this.waiting.delete(look);
    }
  }

  /** When the first event of the type since the last `clear` was told. */
  timeOf(type: SessionEvent['type']): number {
    return this.times[this.types.indexOf(type)] ?? NaN;
  }
}

/** What watches told, in order, in short: `deleted /a`, `ended closed`, `resync`. */
export class Seen {
  readonly all: string[] = [];

  /** The listener; the same function at every look. */
  readonly tell = (event: OneShotEvent | WatchEvent): void => {
    this.all.push(inShort(event));
  };

  /** Resolves when so many events were told. */
  async count(count: number): Promise<void> {
    await until(() => this.all.length >= count, { what: `${count} watch events after ${this.all.join(', ')}` });
  }
}

export function inShort(event: OneShotEvent | WatchEvent): string {
  if (event.type === 'resync') return event.type;
  return event.type === 'ended' ? `${event.type} ${event.reason}` : `${event.type} ${event.path}`;
}

/** What the promise rejects with; throws if it does not. */
export async function failureOf<E = unknown>(promise: Promise<unknown>): Promise<E> {
  try {
    await promise;
  } catch (error) {
    return error as E;
  }
  throw new Error('it was to fail, and did not');
}

/** When it resolves, the client has seen every event of what had happened at the server before the call. */
export async function fence(zk: ZooKeeper): Promise<void> {
  await zk.sync('/');
}

interface Target {
  readonly host: string;
  readonly port: number;
}

export interface RigOptions extends ClientOptions {
  /** Default: the server that all test files share. */
  readonly server?: Target;
}

/** A client that reaches its server through a proxy, in a part of the tree of its own. */
export class Rig {
  readonly events: EventLog;
  private readonly opened: ZooKeeper[];

  constructor(
    readonly zk: ZooKeeper,
    readonly proxy: Proxy,
    private readonly root: ZooKeeper,
    readonly chroot: string,
  ) {
    this.events = new EventLog(zk);
    this.opened = [zk];
  }

  /** A client with a session of its own that goes straight to the server and sees the same part of the tree. */
  get observer(): ZooKeeper {
    return this.root.chroot(this.chroot);
  }

  /** The connection string of the client. */
  get connectString(): string {
    return this.proxy.connectString + this.chroot;
  }

  /** Closes one more client at the end. */
  add<Client extends ZooKeeper>(client: Client): Client {
    this.opened.push(client);
    return client;
  }

  /** Op codes of the requests that came on the proxy's newest connection, pings left out. */
  get newestOpCodes(): number[] {
    return this.newestRequests.map(({ opCode }) => opCode);
  }

  get newestRequests(): ProxyRequest[] {
    const newest = this.proxy.requests.at(-1)?.connection;
    return this.proxy.requests.filter(({ connection, opCode }) => connection === newest && opCode !== op.ping);
  }

  /** Ends the connection and refuses new ones. Resolves when the client has noticed. */
  async unlink(): Promise<void> {
    this.events.clear();
    this.proxy.refuse();
    this.proxy.resetAll();
    await this.events.first('suspended');
  }

  /** Ends an `unlink` or an `outlive`. Resolves when the client is connected again. */
  async relink(): Promise<void> {
    await this.restore();
    await this.events.first('connected');
  }

  /** Ends an `unlink` or an `outlive`, and waits for nothing. */
  async restore(): Promise<void> {
    await this.proxy.accept();
    this.proxy.heal({ deliver: false });
  }

  /** Resets the connection. Resolves when the client is connected again. */
  async reconnect(): Promise<void> {
    this.events.clear();
    this.proxy.resetAll();
    await this.events.first('connected');
  }

  /**
   * Ends the connection, and holds back every new one until the server has ended the session and the client has told
   * that it is lost. The link stays down. For a rig with a session timeout of `SHORT`.
   */
  async outlive(): Promise<void> {
    const { path } = await this.zk.create('/alive-', null, { mode: 'ephemeralSequential' });
    this.events.clear();
    this.proxy.cut();
    this.proxy.resetAll();
    await until(async () => !(await this.observer.has(path)), { what: 'the server to end the session' });
    await this.events.first('lost');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.opened.map((client) => client.close({ timeout: 300 })));
    await this.proxy.close();
    // Only tidies up, and is not to hide why a test has failed.
    await this.root.deleteTree(this.chroot).catch(() => undefined);
    await this.root.close();
  }
}

/** A client of a scripted server, which answers no farewell: at the end it does not wait for one. */
export function openTo(servers: string | HostProvider, options: ClientOptions = {}): ZooKeeper {
  const zk = ZooKeeper.open(servers, { sessionTimeout: 2_000, ...options });
  return Object.assign(zk, { [Symbol.asyncDispose]: () => zk.close({ timeout: 20 }) });
}

/** As `openTo`, with a session. */
export async function connectTo(servers: string | HostProvider, options: ClientOptions = {}): Promise<ZooKeeper> {
  const zk = openTo(servers, options);
  await zk.ready({ timeout: 10_000 });
  return zk;
}

/** A client whose session outlives a busy machine, unless told otherwise, its proxy and its observer. */
export async function startRig({ server = sharedServer(), ...options }: RigOptions = {}): Promise<Rig> {
  const chroot = useChroot();
  const root = await ZooKeeper.connect(`${server.host}:${server.port}`, { auth: [superAuth] });
  await root.ensurePath(chroot);
  const proxy = await startProxy(server);
  const zk = await ZooKeeper.connect(proxy.connectString + chroot, { sessionTimeout: 30_000, ...options });
  return new Rig(zk, proxy, root, chroot);
}
