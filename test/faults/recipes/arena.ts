/** Several clients, each behind a proxy of its own, and faults at random that a seed decides. */
import { setTimeout as pause } from 'node:timers/promises';
import { isPassing, SessionExpiredError, UnansweredError, ZooKeeper } from 'zookit';
import { expireSession } from '../../support/expire-session.js';
import { HoldRecorder } from '../../support/histories/holds.js';
import type { Failure } from '../../support/histories/recorder.js';
import { type Proxy, startProxy } from '../../support/proxy.js';
import { sharedServer, useChroot } from '../../support/shared.js';
import { until, within } from '../../support/until.js';
import { superAuth } from '../../support/zookeeper.js';
import { seeded } from '../../unit/support/random.js';
import { op } from '../rig.js';

/** ms: a session that is cut off ends soon, and one that is not lives on. */
const SESSION_TIMEOUT = 4_000;

/** What happens to one client. */
type Fault = (player: Player, arena: Arena) => Promise<void>;

/** One client of an arena. */
export interface Player {
  readonly name: string;
  readonly zk: ZooKeeper;
  readonly proxy: Proxy;
}

const isOperation = ({ opCode }: { readonly opCode: number }): boolean => opCode !== op.ping && opCode !== op.connect;

/** All that an arena does to its players. */
const faults = {
  'a lost reply': async ({ proxy }) => void proxy.swallowNextReply(isOperation),
  'a lost request': async ({ proxy }) => void proxy.swallowNextRequest(isOperation),
  'half a reply': async ({ proxy }) => void proxy.cutNextReply(isOperation),
  'a reset': async ({ proxy }) => proxy.resetAll(),
  'late replies': async ({ proxy }, { random }) => {
    proxy.cutToClient();
    await pause(random() * 100);
    proxy.heal();
  },
  'lost replies': async ({ proxy }, { random }) => {
    proxy.cutToClient();
    await pause(random() * 100);
    proxy.heal({ deliver: false });
  },
  'no server': async ({ proxy }, { random }) => {
    proxy.refuse();
    proxy.resetAll();
    await pause(random() * 200);
    await proxy.accept();
  },
  'a session that somebody ends': async (player, arena) => {
    const { zk } = player;
    await zk.ready({ timeout: 30_000 });
    const { session } = zk;
    arena.holds.disown(player.name);
    await expireSession(sharedServer(), session.export());
    await until(() => zk.session !== session, { what: 'a new session', timeout: 30_000 });
    arena.holds.readmit(player.name);
  },
  'a silence that outlasts the session': async ({ zk, proxy }, { observer }) => {
    await zk.ready({ timeout: 30_000 });
    const { session } = zk;
    const { path } = await zk.retry(() => zk.create('/alive-', null, { mode: 'ephemeralSequential' }));
    proxy.cut();
    await until(async () => !(await observer.has(path)), { what: 'the end of the session', timeout: 30_000 });
    proxy.heal({ deliver: false });
    await until(() => zk.session !== session, { what: 'a new session', timeout: 30_000 });
  },
} as const satisfies Record<string, Fault>;

export type FaultName = keyof typeof faults;

/** How often each fault comes. The slow ones come once. */
const usual = Object.fromEntries(
  (Object.keys(faults) as FaultName[]).map((name) => [name, name.startsWith('a silence') ? 1 : 3]),
) as Readonly<Record<FaultName, number>>;

export class Arena implements AsyncDisposable {
  readonly players: readonly Player[];
  readonly random: () => number;
  /** Who holds what. */
  readonly holds = new HoldRecorder();
  private isOver_ = false;

  private constructor(
    seed: number,
    /** Goes straight to the server. */
    readonly observer: ZooKeeper,
    private readonly root: ZooKeeper,
    private readonly chroot: string,
    players: readonly Player[],
  ) {
    this.random = seeded(seed);
    this.players = players;
  }

  static async start(seed: number, count: number): Promise<Arena> {
    const { connectString } = sharedServer();
    const chroot = useChroot();
    const root = await ZooKeeper.connect(connectString, { auth: [superAuth] });
    await root.ensurePath(chroot);
    const players = await Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const proxy = await startProxy(sharedServer());
        const zk = await ZooKeeper.connect(proxy.connectString + chroot, { sessionTimeout: SESSION_TIMEOUT });
        return { name: `client-${index}`, zk, proxy };
      }),
    );
    return new Arena(seed, root.chroot(chroot), root, chroot, players);
  }

  /** Whether the last fault is over: nothing new is to be begun. */
  get isOver(): boolean {
    return this.isOver_;
  }

  /** A pause of up to so many ms, which the seed decides. */
  async linger(most: number): Promise<void> {
    await pause(this.random() * most);
  }

  /** Whether something that happens so often happens now. */
  chance(probability: number): boolean {
    return this.random() < probability;
  }

  /** Lets each player work, over and over, while the faults happen, each to one of them. Resolves when all is quiet. */
  async play(turn: (player: Player, round: number) => Promise<void>, times: Readonly<Record<string, number>> = usual) {
    const working = Promise.all(
      this.players.map(async (player) => {
        for (let round = 0; !this.isOver_; round++) await turn(player, round);
      }),
    );
    // Whoever fails is told of in the end.
    working.catch(() => undefined);
    await this.interfere(times);
    this.isOver_ = true;
    await within(working, { what: 'the last turns', timeout: 60_000 });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isOver_ = true;
    await Promise.all(this.players.map(({ zk }) => zk.close({ timeout: 1_000 })));
    await Promise.all(this.players.map(({ proxy }) => proxy.close()));
    // Only tidies up, and is not to hide why a test has failed.
    await this.root.deleteTree(this.chroot).catch(() => undefined);
    await this.root.close();
  }

  private async interfere(times: Readonly<Record<string, number>>): Promise<void> {
    const names = Object.entries(times).flatMap(([name, count]) =>
      Array.from({ length: count }, () => name as FaultName),
    );
    for (let left = names.length; left > 0; left--) {
      const [name] = names.splice(Math.floor(this.random() * left), 1);
      const player = this.players[Math.floor(this.random() * this.players.length)]!;
      await faults[name!](player, this);
      await this.linger(60);
    }
  }
}

/** For a recorder: what an error of a call says of its effect. Throws what is none of a lost connection or session. */
export function judge(error: unknown): Failure {
  if (error instanceof UnansweredError) return error.mayHaveBeenApplied ? 'unknown' : 'without effect';
  if (error instanceof SessionExpiredError || isPassing(error)) return 'unknown';
  throw error;
}

/** The seeds of the histories: one that is new each time, or those of ZOOKIT_HISTORY_SEEDS, with commas between. */
export function seeds(): number[] {
  const given = (process.env.ZOOKIT_HISTORY_SEEDS ?? '').split(',').filter(Boolean).map(Number);
  return given.length > 0 ? given : [Math.floor(Math.random() * 2 ** 31)];
}
