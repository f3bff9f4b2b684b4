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

/** Rounds at least: where the faults were over sooner, the last ones show that all goes on. */
const LEAST_ROUNDS = 6;

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
    arena.onLost(player);
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
) as FaultCounts;

type FaultCounts = Readonly<Record<FaultName, number>>;
type Turn = (player: Player, round: number) => Promise<void>;

export class Arena implements AsyncDisposable {
  readonly players: readonly Player[];
  readonly random: () => number;
  /** Who holds what. */
  readonly holds = new HoldRecorder();
  /** Called when the session of a player is over, or may be. */
  onLost: (player: Player) => void = () => undefined;
  private isOver = false;

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
    for (const player of players) player.zk.on('lost', () => this.onLost(player));
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

  /** A pause of up to so many ms, which the seed decides. */
  async linger(most: number): Promise<void> {
    await pause(this.random() * most);
  }

  /** Whether something that happens so often happens now. */
  chance(probability: number): boolean {
    return this.random() < probability;
  }

  /** Each player takes its turns, one after the other, while faults happen to them. Resolves when all is quiet again. */
  async play(turn: Turn, times: FaultCounts = usual): Promise<void> {
    await this.disturb(
      this.players.map((player) => (round) => turn(player, round)),
      times,
    );
  }

  /** As `play`, but nobody begins its next turn before all have ended the last one. */
  async playTogether(turn: Turn, times: FaultCounts = usual): Promise<void> {
    const all = (round: number) => Promise.all(this.players.map((player) => turn(player, round)));
    await this.disturb([all], times);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.isOver = true;
    await Promise.all(this.players.map(({ zk }) => zk.close({ timeout: 1_000 })));
    await Promise.all(this.players.map(({ proxy }) => proxy.close()));
    // Only tidies up, and is not to hide why a test has failed.
    await this.root.deleteTree(this.chroot).catch(() => undefined);
    await this.root.close();
  }

  private async disturb(works: readonly ((round: number) => Promise<unknown>)[], times: FaultCounts): Promise<void> {
    const working = Promise.all(
      works.map(async (work) => {
        for (let round = 0; !this.isOver || round < LEAST_ROUNDS; round++) await work(round);
      }),
    );
    // Whoever fails is told of in the end.
    working.catch(() => undefined);
    await this.interfere(times);
    this.isOver = true;
    await within(working, { what: 'the last turns', timeout: 60_000 });
  }

  private async interfere(times: FaultCounts): Promise<void> {
    const names = (Object.keys(times) as FaultName[]).flatMap((name) =>
      Array.from({ length: times[name] }, () => name),
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

/** The seeds of the histories: always the same one, or those of ZOOKIT_HISTORY_SEEDS, with commas between; `random`: a new one. */
export function seeds(): number[] {
  const given = (process.env.ZOOKIT_HISTORY_SEEDS ?? '').split(',').filter(Boolean);
  if (given.length === 0) return [1];
  return given.map((seed) => (seed === 'random' ? Math.floor(Math.random() * 2 ** 31) : Number(seed)));
}
