import { expect, it } from '@jest/globals';
import { AbortedError } from 'zookit';
import { Barrier, DoubleBarrier } from 'zookit/recipes';
import { findPassed, type GateInput } from '../../support/histories/gates.js';
import { findEarly, type Participation } from '../../support/histories/meetings.js';
import { Order, Recorder } from '../../support/histories/recorder.js';
import { Arena, judge, seeds } from './arena.js';

it.each(seeds())(
  'nobody passes a barrier that is set: seed %d',
  async (seed) => {
    await using arena = await Arena.start(seed, 4);
    const recorder = new Recorder<GateInput, boolean>(judge);
    await arena.play(async ({ name, zk }) => {
      const barrier = new Barrier(zk, '/gate');
      const way = arena.random();
      if (way < 0.3) await recorder.call(name, 'set', () => barrier.set());
      else if (way < 0.6) await recorder.call(name, 'remove', () => barrier.remove());
      else await recorder.call(name, 'wait', () => barrier.wait({ timeout: 200 }).then(() => true));
      await arena.linger(20);
    });
    const passed = recorder.calls.filter(({ input, output }) => input === 'wait' && output === true);
    expect(passed.length).toBeGreaterThan(10);
    expect(findPassed(recorder.calls)).toEqual([]);
  },
  180_000,
);

/** One meeting at a double barrier, as it goes on. */
class Meeting {
  private readonly participations = new Map<string, Participation>();
  /** Who has lost its session while it was entering: the others may have gone through without it. */
  private readonly late = new Map<string, AbortController>();
  private readonly waits = new Map<string, AbortController>();

  constructor(private readonly order: Order) {}

  get all(): Participation[] {
    return [...this.participations.values()];
  }

  get isComplete(): boolean {
    return this.all.every(({ left }) => left !== undefined);
  }

  /** Whether somebody lost its session on the way. */
  get isDisturbed(): boolean {
    return this.late.size > 0 || this.all.some(({ lost }) => lost !== undefined);
  }

  /** Notes what a participant does now. */
  note(client: string, what: 'entering' | 'entered' | 'leaving' | 'left'): void {
    const before = this.participations.get(client) ?? { client, entering: NaN };
    this.participations.set(client, { ...before, [what]: this.order.next() });
    this.sendHome();
  }

  /** Aborts when all others have gone through without this participant. */
  signalFor(client: string): AbortSignal {
    const wait = new AbortController();
    this.waits.set(client, wait);
    return wait.signal;
  }

  lost(client: string): void {
    const own = this.participations.get(client);
    if (own === undefined || own.left !== undefined) return;
    if (own.entered === undefined) this.late.set(client, this.waits.get(client)!);
    else this.participations.set(client, { lost: this.order.next(), ...own });
    this.sendHome();
  }

  private sendHome(): void {
    if (this.all.every(({ client, leaving }) => leaving !== undefined || this.late.has(client)))
      for (const wait of this.late.values()) wait.abort();
  }
}

it.each(seeds())(
  'all enter a double barrier together, and leave it together: seed %d',
  async (seed) => {
    await using arena = await Arena.start(seed, 4);
    const order = new Order();
    const barriers = new Map(arena.players.map(({ name, zk }) => [name, new DoubleBarrier(zk, '/meeting', 4)]));
    const meetings: Meeting[] = [];
    arena.onLost = ({ name }) => meetings.at(-1)?.lost(name);
    await arena.playTogether(async ({ name }, round) => {
      const meeting = (meetings[round] ??= new Meeting(order));
      const barrier = barriers.get(name)!;
      await arena.linger(20);
      const signal = meeting.signalFor(name);
      meeting.note(name, 'entering');
      try {
        await barrier.enter({ signal });
      } catch (error) {
        if (error instanceof AbortedError) return;
        throw error;
      }
      meeting.note(name, 'entered');
      await arena.linger(20);
      meeting.note(name, 'leaving');
      await barrier.leave();
      meeting.note(name, 'left');
    });
    const undisturbed = meetings.filter((meeting) => !meeting.isDisturbed);
    expect(undisturbed.length).toBeGreaterThan(0);
    expect(undisturbed.filter((meeting) => !meeting.isComplete)).toEqual([]);
    expect(meetings.flatMap(({ all }) => findEarly(all, 4))).toEqual([]);
    expect(await arena.observer.getChildren('/meeting')).toEqual([]);
  },
  180_000,
);
