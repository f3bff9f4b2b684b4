import { describe, expect, it } from '@jest/globals';
import { type MissedRule, plan } from '../../../recipes/leaders/cron-plan.js';
import { timetableOf } from '../../../recipes/leaders/cron-schedule.js';
import { decodeCronState, encodeCronState, type CronRecord } from '../../../recipes/leaders/cron-record.js';
import { withRecord } from '../../../recipes/leaders/cron-log.js';

const timetable = timetableOf({ every: 100 }, 'utc', { operation: 'ClusterCron', path: '/cron' });

function planned(last: number, now: number, missed: MissedRule, tolerance = 30): unknown {
  const { runs, upTo, skipped } = plan(timetable, last, now, { missed, tolerance });
  return { runs: runs.map((run) => [run.scheduledAt, run.missed]), upTo, skipped };
}

describe('what is due', () => {
  it.each<MissedRule>(['skip', 'runOnce', { catchUp: 3 }])('is nothing before its time, by the rule %j', (rule) => {
    expect(planned(100, 199, rule)).toEqual({ runs: [], upTo: 100, skipped: undefined });
    // A clock that was set back brings back nothing.
    expect(planned(500, 250, rule)).toEqual({ runs: [], upTo: 500, skipped: undefined });
  });

  it.each<MissedRule>(['skip', 'runOnce', { catchUp: 3 }])('is the run of now, by the rule %j', (rule) => {
    expect(planned(100, 200, rule)).toEqual({ runs: [[200, 0]], upTo: 200, skipped: undefined });
    expect(planned(100, 230, rule)).toEqual({ runs: [[200, 0]], upTo: 200, skipped: undefined });
  });

  it('leaves out what was missed', () => {
    expect(planned(100, 231, 'skip')).toEqual({ runs: [], upTo: 200, skipped: { count: 1, upTo: 200 } });
    expect(planned(100, 410, 'skip')).toEqual({ runs: [[400, 2]], upTo: 400, skipped: { count: 2, upTo: 300 } });
  });

  it('makes up for all by one run', () => {
    expect(planned(100, 231, 'runOnce')).toEqual({ runs: [[200, 0]], upTo: 200, skipped: undefined });
    expect(planned(100, 460, 'runOnce')).toEqual({ runs: [[400, 2]], upTo: 400, skipped: { count: 2, upTo: 300 } });
  });

  it('catches up, the last so many', () => {
    expect(planned(100, 260, { catchUp: 2 })).toEqual({ runs: [[200, 0]], upTo: 200, skipped: undefined });
    expect(planned(100, 460, { catchUp: 2 })).toEqual({
      runs: [
        [300, 1],
        [400, 0],
      ],
      upTo: 400,
      skipped: { count: 1, upTo: 200 },
    });
    expect(planned(100, 410, { catchUp: 1 })).toMatchObject({
      runs: [
        [300, 1],
        [400, 0],
      ],
    });
  });

  it('is late after half of the way to the next time, however much is tolerated', () => {
    expect(planned(100, 250, 'skip', 1e6)).toMatchObject({ runs: [[200, 0]] });
    expect(planned(100, 251, 'skip', 1e6)).toMatchObject({ runs: [] });
  });

  it('counts a thousand at most', () => {
    expect(planned(0, 1e9, 'runOnce')).toEqual({
      runs: [[1e9, 999]],
      upTo: 1e9,
      skipped: { count: 999, upTo: 1e9 - 100 },
    });
  });
});

describe('the state', () => {
  const record: CronRecord = { scheduledAt: 1, outcome: 'running', by: 'a', fencingToken: '7' };

  it('comes back as it was', () => {
    const state = { upTo: 5, history: [record] };
    expect(decodeCronState(encodeCronState(state))).toEqual(state);
  });

  it.each(['', 'x', 'null', '7', '{}', '{"upTo":"1","history":[]}', '{"upTo":1}', '{"upTo":1,"history":{}}'])(
    'is none: %j',
    (text) => expect(decodeCronState(text)).toBeUndefined(),
  );

  it('has no records that are none', () => {
    expect(decodeCronState('{"upTo":1,"history":[null,7,{"scheduledAt":1}]}')).toEqual({ upTo: 1, history: [] });
  });

  it('has one record of a run of a leader', () => {
    const done: CronRecord = { ...record, outcome: 'done' };
    const ofOther: CronRecord = { ...record, fencingToken: '8' };
    expect(withRecord([record], done)).toEqual([done]);
    expect(withRecord([record], ofOther)).toEqual([record, ofOther]);
  });
});
