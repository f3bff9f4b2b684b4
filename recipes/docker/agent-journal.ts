/** Where an agent writes what it does, a line each; `console` is one. What it throws is dropped. */
export interface DockerAgentLogger {
  debug?(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** How often something has happened since the agent was made. */
export interface DockerAgentCounts {
  /** Instances that were registered; also those that were taken over from an agent before. */
  readonly registered: number;
  readonly unregistered: number;
  /** Problems, each counted once as long as it lasts. */
  readonly problems: number;
  /** How often the stream of the engine's events has broken off. */
  readonly engineLosses: number;
  readonly malformedEvents: number;
  /** Registrations of an agent before on this node that no container backs, and that were removed. */
  readonly orphans: number;
}

/** Something that keeps a service from being registered as its labels say. */
export interface DockerAgentProblem {
  /** What it is about: the name and the id of a container, `engine`, `swarm`. */
  readonly subject: string;
  readonly problem: string;
}

/** What an agent has to tell: lines of a log, counts, and the problems that there are now. */
export class AgentJournal {
  readonly #counts: Record<keyof DockerAgentCounts, number> = {
    registered: 0,
    unregistered: 0,
    problems: 0,
    engineLosses: 0,
    malformedEvents: 0,
    orphans: 0,
  };
  readonly #problems = new Map<string, readonly string[]>();

  constructor(private readonly logger: DockerAgentLogger | undefined) {}

  get counts(): DockerAgentCounts {
    return { ...this.#counts };
  }

  get problems(): DockerAgentProblem[] {
    return [...this.#problems].flatMap(([subject, list]) => list.map((problem) => ({ subject, problem })));
  }

  count(what: keyof DockerAgentCounts): void {
    this.#counts[what] += 1;
  }

  /** The problems that a subject has now, in place of those that it had. New ones are logged and counted. */
  setProblems(subject: string, problems: readonly string[]): void {
    const known = this.#problems.get(subject) ?? [];
    for (const problem of problems) {
      if (known.includes(problem)) continue;
      this.count('problems');
      this.warn(`${subject}: ${problem}`);
    }
    if (problems.length === 0) this.#problems.delete(subject);
    else this.#problems.set(subject, problems);
  }

  debug(message: string): void {
    this.#write('debug', message);
  }

  info(message: string): void {
    this.#write('info', message);
  }

  warn(message: string): void {
    this.#write('warn', message);
  }

  error(message: string): void {
    this.#write('error', message);
  }

  #write(level: 'debug' | 'info' | 'warn' | 'error', message: string): void {
    try {
      this.logger?.[level]?.(message);
    } catch {
      // Dropped, as the interface says.
    }
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
