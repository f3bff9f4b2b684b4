import type { WaitOptions, ZooKeeper } from 'zookit';
import { Candidate, type CandidateOptions, type Dialect } from './candidate.js';
import { LeaderObserver } from './leader-observer.js';
import { type Participant, readParticipants } from './participants.js';

/** What a `LeaderLatch` and a `LeaderElection` have in common: a candidate at a path, and a view of all who stand there. */
export abstract class Candidacy<Payload, State extends string> {
  /** Stands, again and again. */
  protected readonly candidate: Candidate<Payload>;
  protected readonly closing = new AbortController();

  /** @throws InvalidPathError, InvalidArgumentError. Does not connect. */
  constructor(
    protected readonly zk: ZooKeeper,
    readonly path: string,
    private readonly dialect: Dialect,
    options: CandidateOptions<Payload>,
  ) {
    this.candidate = new Candidate<Payload>(zk, path, dialect, options);
  }

  abstract get state(): State | 'standing' | 'leading';

  /** Who this candidate is. */
  get id(): string {
    return this.candidate.id;
  }

  /** All who stand, the leader first. Those that vanish meanwhile are left out. Does not stand. @throws NoAuthError. */
  async participants(): Promise<Participant<Payload>[]> {
    return await readParticipants<Payload>(this.zk, this.path, this.dialect.markers);
  }

  /** Who leads, if anybody does, at this look. Does not stand. */
  async leader(): Promise<Participant<Payload> | undefined> {
    return (await this.participants())[0];
  }

  /** Follows who leads. Does not stand. Close the observer, or `await using` it: it outlives this candidate. */
  observe(): LeaderObserver<Payload> {
    return new LeaderObserver<Payload>(this.zk, this.path, this.dialect.markers);
  }

  /**
   * Says whether this candidate is fit to take over from a leader who hands over; for one that was made with the option
   * `ready`. Resolves when its znode says so. Who is not ready leads all the same when all before it are gone.
   *
   * @throws OperationTimeoutError, AbortedError; InvalidArgumentError without that option; NoAuthError.
   */
  async setReady(ready = true, options: WaitOptions = {}): Promise<void> {
    await this.candidate.setReady(ready, options, {
      isStanding: () => this.state === 'standing' || this.state === 'leading',
      closing: this.closing.signal,
    });
  }
}
