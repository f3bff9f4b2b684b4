import { InvalidArgumentError } from 'zookit';
import type { OptionSubject } from '../common/options.js';

/** When a cron expression matches: each field is the set of values that it takes. */
export interface CronFields {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly daysOfMonth: ReadonlySet<number>;
  /** From 1. */
  readonly months: ReadonlySet<number>;
  /** From 0, which is Sunday. */
  readonly daysOfWeek: ReadonlySet<number>;
  /** Whether the hour is bound: the field does not begin with a star. */
  readonly hasHours: boolean;
  /** Whether one of two days is enough: neither of their fields begins with a star. */
  readonly eitherDay: boolean;
}

interface Field {
  readonly name: string;
  readonly lowest: number;
  readonly highest: number;
  /** Names that stand for the values from the lowest on. */
  readonly names: readonly string[];
}

const FIELDS = [
  { name: 'minute', lowest: 0, highest: 59, names: [] },
  { name: 'hour', lowest: 0, highest: 23, names: [] },
  { name: 'day of the month', lowest: 1, highest: 31, names: [] },
  {
    name: 'month',
    lowest: 1,
    highest: 12,
    names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  },
  // 7 is Sunday, too.
  { name: 'day of the week', lowest: 0, highest: 7, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
] as const satisfies readonly Field[];

const SHORTHANDS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
};

/**
 * Reads a cron expression of five fields: minute, hour, day of the month, month, day of the week. A field is a list of
 * values, ranges (`1-5`) and steps (`10-50/20`; `5/15`: from 5 on; a star with a step); months and days of the week may be named.
 * `@hourly`, `@daily`, `@weekly`, `@monthly` and `@yearly` are known.
 *
 * As in Vixie's cron: where both the day of the month and the day of the week are bound, one of them is enough.
 *
 * @throws InvalidArgumentError that says which field is wrong.
 */
export function parseCron(expression: string, subject: OptionSubject): CronFields {
  const text = SHORTHANDS[expression.trim().toLowerCase()] ?? expression;
  const parts = text.trim().split(/\s+/);
  const [minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = ''] = parts;
  if (parts.length !== FIELDS.length)
    throw new InvalidArgumentError(
      `the schedule ${JSON.stringify(expression)} must have five fields, minute, hour, day of the month, month and day of the week`,
      subject,
    );
  const read = (field: Field, part: string): Set<number> => {
    const values = new Set(part.split(',').flatMap((item) => valuesOf(field, item) ?? [undefined]));
    if (!values.has(undefined)) return values as Set<number>;
    const hint = `values from ${field.lowest} to ${field.highest}, ranges, steps, and lists of them`;
    throw new InvalidArgumentError(
      `the schedule ${JSON.stringify(expression)} has the ${field.name} ${JSON.stringify(part)}; it takes ${hint}`,
      subject,
    );
  };
  return {
    minutes: read(FIELDS[0], minute),
    hours: read(FIELDS[1], hour),
    daysOfMonth: read(FIELDS[2], dayOfMonth),
    months: read(FIELDS[3], month),
    daysOfWeek: new Set([...read(FIELDS[4], dayOfWeek)].map((day) => day % 7)),
    hasHours: !hour.startsWith('*'),
    eitherDay: !dayOfMonth.startsWith('*') && !dayOfWeek.startsWith('*'),
  };
}

/** The values of one item of a list, or undefined if it is none. */
function valuesOf(field: Field, item: string): number[] | undefined {
  const [, range = '', step] = /^([^/]+)(?:\/(\d{1,4}))?$/.exec(item) ?? [];
  const [first = '', last, ...others] = range.split('-');
  if (range === '' || others.length > 0) return undefined;
  const isAll = range === '*';
  const from = isAll ? field.lowest : valueOf(field, first);
  // 5/15: from 5 on. A star for the day of the week is one week, with one Sunday.
  const open = isAll || step !== undefined ? field.highest - (isAll && field.highest === 7 ? 1 : 0) : from;
  const to = last === undefined ? open : valueOf(field, last);
  const by = Number(step ?? 1);
  if (from === undefined || to === undefined || to < from || by < 1) return undefined;
  return Array.from({ length: Math.floor((to - from) / by) + 1 }, (_, index) => from + index * by);
}

function valueOf({ lowest, highest, names }: Field, text: string): number | undefined {
  const index = names.indexOf(text.toLowerCase());
  if (index !== -1) return lowest + index;
  const value = /^\d{1,2}$/.test(text) ? Number(text) : NaN;
  return value >= lowest && value <= highest ? value : undefined;
}
