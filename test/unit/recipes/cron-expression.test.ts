import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError } from 'zookit';
import { type CronFields, parseCron } from '../../../recipes/leaders/cron-expression.js';

const subject = { operation: 'ClusterCron', path: '/cron' };
const parse = (expression: string): CronFields => parseCron(expression, subject);
const inOrder = (values: ReadonlySet<number>): number[] => [...values].sort((a, b) => a - b);
const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, index) => from + index);

describe('a cron expression', () => {
  it.each([
    ['*', range(0, 59)],
    ['7', [7]],
    ['07', [7]],
    ['1,2,1', [1, 2]],
    ['5-8', [5, 6, 7, 8]],
    ['*/20', [0, 20, 40]],
    ['10-30/10', [10, 20, 30]],
    ['50/4', [50, 54, 58]],
    ['0,15-17,*/30', [0, 15, 16, 17, 30]],
    ['59-59', [59]],
    ['*/100', [0]],
  ])('has a first field %s', (field, minutes) => {
    expect(inOrder(parse(`${field} * * * *`).minutes)).toEqual(minutes);
  });

  it('knows the names of months and of days of the week, in either case', () => {
    expect(inOrder(parse('0 0 1 JAN,mar-May *').months)).toEqual([1, 3, 4, 5]);
    expect(inOrder(parse('0 0 * * mon-FRI').daysOfWeek)).toEqual([1, 2, 3, 4, 5]);
    expect(inOrder(parse('0 0 * * sun').daysOfWeek)).toEqual([0]);
  });

  it('has two numbers for Sunday', () => {
    expect(inOrder(parse('0 0 * * 7').daysOfWeek)).toEqual([0]);
    expect(inOrder(parse('0 0 * * 5-7').daysOfWeek)).toEqual([0, 5, 6]);
    expect(inOrder(parse('0 0 * * *').daysOfWeek)).toEqual(range(0, 6));
    expect(inOrder(parse('0 0 * * */2').daysOfWeek)).toEqual([0, 2, 4, 6]);
    expect(inOrder(parse('0 0 * * */7').daysOfWeek)).toEqual([0]);
  });

  it('knows shorthands', () => {
    expect(parse('@daily')).toEqual(parse('0 0 * * *'));
    expect(parse('@Hourly')).toEqual(parse('0 * * * *'));
    expect(parse(' @weekly ')).toEqual(parse('0 0 * * 0'));
    expect(parse('@monthly')).toEqual(parse('0 0 1 * *'));
    expect(parse('@annually')).toEqual(parse('@yearly'));
  });

  it('takes one of the two days where both are bound, and no star begins them', () => {
    expect(parse('0 0 1 * 1').eitherDay).toBe(true);
    expect(parse('0 0 */2 * 1').eitherDay).toBe(false);
    expect(parse('0 0 1 * *').eitherDay).toBe(false);
  });

  it.each([
    ['', 'five fields'],
    ['* * * *', 'five fields'],
    ['* * * * * *', 'five fields'],
    ['@reboot', 'five fields'],
    ['60 * * * *', 'minute "60"'],
    ['-1 * * * *', 'minute "-1"'],
    ['* 24 * * *', 'hour "24"'],
    ['* * 0 * *', 'day of the month "0"'],
    ['* * 32 * *', 'day of the month "32"'],
    ['* * L * *', 'day of the month "L"'],
    ['* * * 13 *', 'month "13"'],
    ['* * * january *', 'month "january"'],
    ['* * * * 8', 'day of the week "8"'],
    ['* * * * fri-mon', 'day of the week "fri-mon"'],
    ['* * * * 1#2', 'day of the week "1#2"'],
    ['jan * * * *', 'minute "jan"'],
    ['1- * * * *', 'minute "1-"'],
    ['1-2-3 * * * *', 'minute "1-2-3"'],
    ['*/0 * * * *', 'minute "*/0"'],
    ['*/ * * * *', 'minute "*/"'],
    ['*/2/2 * * * *', 'minute "*/2/2"'],
    ['1,,2 * * * *', 'minute "1,,2"'],
    ['1.5 * * * *', 'minute "1.5"'],
    ['*-5 * * * *', 'minute "*-5"'],
    ['5-* * * * *', 'minute "5-*"'],
    ['? * * * *', 'minute "?"'],
  ])('that is none is refused, with what is wrong: %j', (expression, words) => {
    expect(() => parse(expression)).toThrow(InvalidArgumentError);
    expect(() => parse(expression)).toThrow(words);
  });
});
