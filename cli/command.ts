/** What a command sees of the process that it runs in. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Writes to stdout. */
  readonly write: (text: string) => void;
  /** Resolves when the process is asked to end. */
  readonly stopped: Promise<void>;
}

/** A command of the command line: `zookit NAME`. */
export interface Command {
  /** What it does, in a few words. */
  readonly summary: string;
  /** Resolves with the exit code. @throws UsageError. */
  readonly run: (args: readonly string[], surroundings: Surroundings) => Promise<number>;
}
