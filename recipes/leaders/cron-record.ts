/** What became of a run. */
export type CronOutcome =
  /** It goes on. */
  | 'running'
  | 'done'
  /** The job has thrown. */
  | 'failed'
  /** Its signal aborted before it ended: by the rule for overlapping runs, or because the leader was to stop. */
  | 'interrupted'
  /** Its leader was lost while it ran: nobody knows how it ended. */
  | 'abandoned'
  /** Its time passed without a leader to start it. */
  | 'missed'
  /** Another run went on at its time. */
  | 'overlapped';

/** A run, as the history has it. Times are milliseconds since 1970, by the clock of the leader. */
export interface CronRecord {
  /** The time of the schedule. */
  readonly scheduledAt: number;
  readonly outcome: CronOutcome;
  /** Id of the leader. */
  readonly by: string;
  /** The fencing token of the leader. */
  readonly fencingToken: string;
  /** Left out of what was never started. */
  readonly startedAt?: number | undefined;
  readonly endedAt?: number | undefined;
  /** What the job has thrown, in short. */
  readonly error?: string | undefined;
  /** How many times this record stands for, if not for one. */
  readonly count?: number | undefined;
}

/** What the znode of a cron holds. */
export interface CronState {
  /** Up to when everything is decided: no leader starts anything of that time or before it. */
  readonly upTo: number;
  /** The oldest first. */
  readonly history: readonly CronRecord[];
}

/** The state as it stands in the znode. */
export function encodeCronState(state: CronState): string {
  return JSON.stringify(state);
}

/** Undefined where the data is none of ours: then it begins anew. */
export function decodeCronState(text: string): CronState | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const { upTo, history } = (value ?? {}) as Partial<CronState>;
  if (typeof upTo !== 'number' || !Number.isFinite(upTo) || !Array.isArray(history)) return undefined;
  return { upTo, history: history.filter(isRecord) };
}

function isRecord(value: unknown): value is CronRecord {
  const { scheduledAt, outcome } = (value ?? {}) as Partial<CronRecord>;
  return typeof scheduledAt === 'number' && typeof outcome === 'string';
}
