import { InvalidArgumentError } from 'zookit';
import type { OptionSubject } from '../common/options.js';

/** A day of the calendar; the month counts from 0, as in `Date`. */
export interface Day {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** The clocks are changed on the quarter of an hour, if at all. */
const QUARTER = 15 * MINUTE;

/** The day so many days later. */
export function moved({ year, month, day }: Day, days: number): Day {
  return dayIn(Date.UTC(year, month, day + days));
}

function dayIn(time: number): Day {
  const date = new Date(time);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth(), day: date.getUTCDate() };
}

/** How the clocks of a place show the times. */
export class Zone {
  readonly #offsetAt: (time: number) => number;

  /**
   * @param name `utc`, `local` or an IANA name: `Europe/Berlin`.
   * @throws InvalidArgumentError where there is none of this name.
   */
  constructor(name: string, subject: OptionSubject) {
    this.#offsetAt = name === 'utc' ? () => 0 : offsetsOf(name, subject);
  }

  /** The day on which a time is. */
  dayOf(time: number): Day {
    return dayIn(time + this.#offsetAt(time));
  }

  /** The time at which the clocks show this; an hour later where they leave it out, the first one where they show it twice. */
  timeOf({ year, month, day }: Day, hour: number, minute: number): number {
    const shown = Date.UTC(year, month, day, hour, minute);
    const before = shown - this.#offsetAt(shown - 24 * HOUR);
    const after = shown - this.#offsetAt(shown + 24 * HOUR);
    const found = [before, after].filter((time) => time + this.#offsetAt(time) === shown);
    return found.length === 0 ? before : Math.min(...found);
  }

  /** The times of a day at which the clocks show one of these, each as often as they do. */
  timesOn(day: Day, hours: ReadonlySet<number>, minutes: ReadonlySet<number>): number[] {
    const times: number[] = [];
    const end = this.timeOf(moved(day, 1), 0, 0);
    for (let quarter = this.timeOf(day, 0, 0); quarter < end; quarter += QUARTER) {
      const offset = this.#offsetAt(quarter);
      for (let time = quarter; time < quarter + QUARTER; time += MINUTE) {
        const date = new Date(time + offset);
        if (minutes.has(date.getUTCMinutes()) && hours.has(date.getUTCHours())) times.push(time);
      }
    }
    return times;
  }
}

/** By how much the clocks are ahead of UTC, milliseconds. */
function offsetsOf(name: string, subject: OptionSubject): (time: number) => number {
  const format = formatOf(name, subject);
  return (time) => {
    const parts = new Map(format.formatToParts(time).map(({ type, value }) => [type, Number(value)]));
    const [year = 0, month = 1, day, hour, minute, second] = FIELDS.map((field) => parts.get(field));
    return Date.UTC(year, month - 1, day, hour, minute, second) - Math.floor(time / 1_000) * 1_000;
  };
}

const FIELDS = ['year', 'month', 'day', 'hour', 'minute', 'second'] as const;

function formatOf(name: string, subject: OptionSubject): Intl.DateTimeFormat {
  const fields = Object.fromEntries(FIELDS.map((field) => [field, 'numeric']));
  const timeZone = name === 'local' ? undefined : name;
  try {
    return new Intl.DateTimeFormat('en-US', { ...fields, timeZone, hourCycle: 'h23' });
  } catch (cause) {
    const problem = `there is no time zone ${JSON.stringify(name)}; known are "utc", "local" and names such as "Europe/Berlin"`;
    throw new InvalidArgumentError(problem, { ...subject, cause });
  }
}
