import { InvalidArgumentError } from 'zookit';
import type { OptionSubject } from '../common/options.js';
import { type CronFields, parseCron } from './cron-expression.js';
import { type Day, moved, Zone } from './cron-zone.js';

/** When jobs are to run: a cron expression of five fields, or every so many milliseconds. */
export type CronSchedule = string | { readonly every: number };

/** The times of a schedule, milliseconds since 1970. */
export interface Timetable {
  /** The first time after `time`. */
  after(time: number): number;
  /** The last time at or before `time`. */
  upTo(time: number): number;
}

/** So many days hold each 29th of February twice, also around a year such as 1900 that has none. */
const LONGEST_SEARCH = 9 * 366;

/** @throws InvalidArgumentError for a schedule that is none or never comes, and for a time zone that is none. */
export function timetableOf(schedule: CronSchedule, timeZone: string, subject: OptionSubject): Timetable {
  if (typeof schedule === 'string') return new CronTimetable(schedule, timeZone, subject);
  const every: unknown = (schedule as { readonly every: unknown } | undefined)?.every;
  if (typeof every !== 'number' || !Number.isInteger(every) || every < 1)
    throw new InvalidArgumentError(
      `the schedule is ${JSON.stringify(schedule)}; it must be a cron expression, or { every: milliseconds }`,
      subject,
    );
  // Counted from 1970, so that all processes agree.
  return {
    after: (time) => (Math.floor(time / every) + 1) * every,
    upTo: (time) => Math.floor(time / every) * every,
  };
}

class CronTimetable implements Timetable {
  readonly #fields: CronFields;
  readonly #zone: Zone;

  constructor(expression: string, timeZone: string, subject: OptionSubject) {
    this.#fields = parseCron(expression, subject);
    this.#zone = new Zone(timeZone, subject);
    if (this.#search(0, 1, (time) => time > 0) === undefined)
      throw new InvalidArgumentError(`the schedule ${JSON.stringify(expression)} never comes`, subject);
  }

  after(time: number): number {
    return this.#search(time, 1, (each) => each > time) ?? Infinity;
  }

  upTo(time: number): number {
    return this.#search(time, -1, (each) => each <= time) ?? -Infinity;
  }

  /** Day by day from that of `time` on: the first time, in the direction of the search, that is wanted. */
  #search(time: number, direction: 1 | -1, isWanted: (time: number) => boolean): number | undefined {
    const start = this.#zone.dayOf(time);
    for (let days = 0; days <= LONGEST_SEARCH; days++) {
      const day = moved(start, days * direction);
      if (!this.#matches(day)) continue;
      const wanted = this.#timesOf(day).filter(isWanted);
      if (wanted.length > 0) return direction === 1 ? Math.min(...wanted) : Math.max(...wanted);
    }
    return undefined;
  }

  #matches({ year, month, day }: Day): boolean {
    const { months, daysOfMonth, daysOfWeek, eitherDay } = this.#fields;
    if (!months.has(month + 1)) return false;
    const byMonth = daysOfMonth.has(day);
    const byWeek = daysOfWeek.has(new Date(Date.UTC(year, month, day)).getUTCDay());
    return eitherDay ? byMonth || byWeek : byMonth && byWeek;
  }

  /**
   * The times of a day. Where the clocks are changed: a bound hour that is left out comes an hour later, and one that
   * comes twice counts once; with a star for the hour, each hour that is really there counts.
   */
  #timesOf(day: Day): number[] {
    const { hours, minutes, hasHours } = this.#fields;
    if (!hasHours) return this.#zone.timesOn(day, hours, minutes);
    return [...hours].flatMap((hour) => [...minutes].map((minute) => this.#zone.timeOf(day, hour, minute)));
  }
}
