import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { InvalidArgumentError } from 'zookit';
import { type CronSchedule, type Timetable, timetableOf } from '../../../recipes/leaders/cron-schedule.js';

const subject = { operation: 'ClusterCron', path: '/cron' };
const table = (schedule: CronSchedule, timeZone = 'utc'): Timetable => timetableOf(schedule, timeZone, subject);
const iso = (time: number): string => new Date(time).toISOString();

/** The next so many times after one. */
function times(timetable: Timetable, from: string, count: number): string[] {
  const found: string[] = [];
  for (let time = timetable.after(Date.parse(from)); found.length < count; time = timetable.after(time))
    found.push(iso(time).slice(0, 16));
  return found;
}

describe('a timetable', () => {
  it('of an interval counts from 1970, so that all processes agree', () => {
    const timetable = table({ every: 250 });
    expect([timetable.after(1_000), timetable.after(1_001), timetable.after(1_249)]).toEqual([1_250, 1_250, 1_250]);
    expect([timetable.upTo(1_000), timetable.upTo(1_249), timetable.upTo(999)]).toEqual([1_000, 1_000, 750]);
  });

  it.each([
    ['*/15 * * * *', '2026-11-21T15:14Z', ['2026-11-21T15:15', '2026-11-21T15:30', '2026-11-21T15:45']],
    ['*/15 * * * *', '2026-11-21T15:15Z', ['2026-11-21T15:30', '2026-11-21T15:45', '2026-11-21T16:00']],
    ['0 3 * * *', '2026-12-31T03:00Z', ['2027-01-01T03:00', '2027-01-02T03:00']],
    ['30 8 * * mon-fri', '2026-11-20T08:30Z', ['2026-11-23T08:30', '2026-11-24T08:30']],
    ['0 0 31 * *', '2026-01-31T00:00Z', ['2026-03-31T00:00', '2026-05-31T00:00']],
    ['0 0 29 feb *', '2096-03-01T00:00Z', ['2104-02-29T00:00']],
    // The 13th, and each Friday.
    ['0 0 13 * fri', '2026-11-12T00:00Z', ['2026-11-13T00:00', '2026-11-20T00:00', '2026-11-27T00:00']],
    ['0 0 13 * fri', '2026-12-11T00:00Z', ['2026-12-13T00:00', '2026-12-18T00:00']],
    // Mondays alone, among the odd days.
    ['0 0 */2 * mon', '2026-11-01T00:00Z', ['2026-11-09T00:00', '2026-11-23T00:00', '2026-12-07T00:00']],
    ['59 23 31 12 *', '2026-12-31T23:59Z', ['2027-12-31T23:59']],
  ])('%s after %s', (expression, from, expected) => {
    expect(times(table(expression), from, expected.length)).toEqual(expected);
  });

  it('has the same times backwards', () => {
    const expressions = ['*/7 * * * *', '0 3 * * *', '15 */5 1,15 * *', '0 0 * * sun', '5 4 29 2 *', '0 0 13 * 5'];
    const timetables = [...expressions.map((each) => table(each)), table({ every: 12_345 })];
    fc.assert(
      fc.property(fc.constantFrom(...timetables), fc.integer({ min: 0, max: 4e12 }), (timetable, time) => {
        const next = timetable.after(time);
        const last = timetable.upTo(time);
        expect([next > time, last <= time]).toEqual([true, true]);
        expect([timetable.upTo(next), timetable.after(last), timetable.upTo(next - 1)]).toEqual([next, next, last]);
      }),
      { numRuns: 200 },
    );
  });

  it.each(['0 0 30 2 *', '0 0 31 4,6,9,11 *'])('that never comes is refused: %s', (expression) => {
    expect(() => table(expression)).toThrow('never comes');
    expect(() => table(expression)).toThrow(InvalidArgumentError);
  });

  it.each([{ every: 0 }, { every: 1.5 }, { every: '5' }, {}, 5, null, undefined])(
    'that is none is refused: %j',
    (schedule) => expect(() => table(schedule as CronSchedule)).toThrow(InvalidArgumentError),
  );
});

describe('local time', () => {
  it('is that of the process, if wanted', () => {
    const noon = table('0 12 * * *', 'local');
    expect(new Date(noon.after(Date.parse('2026-11-21T00:00Z'))).getHours()).toBe(12);
  });

  it('is that of any place', () => {
    expect(times(table('0 3 * * *', 'Asia/Kolkata'), '2026-11-21T00:00Z', 2)).toEqual([
      '2026-11-21T21:30',
      '2026-11-22T21:30',
    ]);
    expect(times(table('*/30 * * * *', 'Asia/Kolkata'), '2026-11-21T00:10Z', 2)).toEqual([
      '2026-11-21T00:30',
      '2026-11-21T01:00',
    ]);
  });

  it('that is left out in spring comes an hour later, at a bound hour', () => {
    // On 2026-03-29, the hour from 2 to 3 is left out.
    expect(times(table('30 2 * * *', 'Europe/Berlin'), '2026-03-28T00:00Z', 3)).toEqual([
      '2026-03-28T01:30',
      '2026-03-29T01:30',
      '2026-03-30T00:30',
    ]);
    expect(times(table('0,30 * * * *', 'Europe/Berlin'), '2026-03-29T00:10Z', 3)).toEqual([
      '2026-03-29T00:30',
      '2026-03-29T01:00',
      '2026-03-29T01:30',
    ]);
  });

  it('that comes twice in autumn counts once, at a bound hour; each hour counts where a star stands', () => {
    // On 2026-10-25, the hour from 2 to 3 comes twice: from 0:00 to 2:00 UTC.
    expect(times(table('30 2 * * *', 'Europe/Berlin'), '2026-10-24T12:00Z', 2)).toEqual([
      '2026-10-25T00:30',
      '2026-10-26T01:30',
    ]);
    expect(times(table('30 * * * *', 'Europe/Berlin'), '2026-10-25T00:00Z', 3)).toEqual([
      '2026-10-25T00:30',
      '2026-10-25T01:30',
      '2026-10-25T02:30',
    ]);
    const timetable = table('30 2 * * *', 'Europe/Berlin');
    expect(iso(timetable.upTo(Date.parse('2026-10-25T01:45Z')))).toBe('2026-10-25T00:30:00.000Z');
  });
});

it('a time zone that is none is refused', () => {
  expect(() => table('0 3 * * *', 'Europe/Atlantis')).toThrow('Europe/Atlantis');
  expect(() => table('0 3 * * *', '')).toThrow(InvalidArgumentError);
});
