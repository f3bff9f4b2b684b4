import type { Timetable } from './cron-schedule.js';

/**
 * What becomes of runs that nobody has started in time, because nobody led, or the leader slept: nothing; one run for
 * all of them; or one for each of the last so many.
 */
export type MissedRule = 'skip' | 'runOnce' | { readonly catchUp: number };

/** Times that are due. */
export interface Due {
  /** What is to be started, in order. */
  readonly runs: readonly PlannedRun[];
  /** Up to when this decides, milliseconds since 1970. */
  readonly upTo: number;
  /** What is given up: how many times, at most 1,000, and the newest of them. */
  readonly skipped: { readonly count: number; readonly upTo: number } | undefined;
}

export interface PlannedRun {
  /** The time of the schedule, milliseconds since 1970. */
  readonly scheduledAt: number;
  /** How many times right before it were given up. */
  readonly missed: number;
}

/** So many missed times are counted, not more. */
const MOST_COUNTED = 1_000;

/**
 * What to do about the times after `last` and up to `now`. A time that is no older than `tolerance`, or half of the way
 * to the next one, is in time; all others are missed.
 */
export function plan(
  timetable: Timetable,
  last: number,
  now: number,
  { missed: rule, tolerance }: { readonly missed: MissedRule; readonly tolerance: number },
): Due {
  const times = timesBetween(timetable, last, now);
  const newest = times.at(-1);
  if (newest === undefined) return { runs: [], upTo: last, skipped: undefined };
  const isInTime = now - newest <= Math.min(tolerance, (timetable.after(newest) - newest) / 2);
  const chosen = chosenOf(times, isInTime, rule);
  const count = times.length - chosen.length;
  const runs = chosen.map((scheduledAt, index) => ({ scheduledAt, missed: index === 0 ? count : 0 }));
  const lastSkipped = times[count - 1];
  return { runs, upTo: newest, skipped: lastSkipped === undefined ? undefined : { count, upTo: lastSkipped } };
}

function chosenOf(times: readonly number[], isInTime: boolean, rule: MissedRule): readonly number[] {
  if (rule === 'runOnce') return times.slice(-1);
  const most = (rule === 'skip' ? 0 : rule.catchUp) + (isInTime ? 1 : 0);
  return most === 0 ? [] : times.slice(-most);
}

/** The newest times, oldest first. */
function timesBetween(timetable: Timetable, last: number, now: number): number[] {
  const times: number[] = [];
  for (let time = timetable.upTo(now); time > last && times.length < MOST_COUNTED; time = timetable.upTo(time - 1))
    times.unshift(time);
  return times;
}
