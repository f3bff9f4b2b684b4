import { expect, test } from '@jest/globals';
import { type Job, Look, WorkList } from '../../../../recipes/caches/work-list.js';

function next(work: WorkList): Job {
  const job = work.take();
  if (job === undefined) throw new Error('there is no work');
  return job;
}

test('hands out each path once, in order, with all that came up for it', () => {
  const work = new WorkList();
  work.add('/a', Look.data, false);
  work.add('/b', Look.data, false);
  work.add('/a', Look.children, true);
  expect([work.isIdle, work.loading]).toEqual([false, 1]);
  expect(next(work)).toEqual({ path: '/a', look: Look.data | Look.children, loads: true });
  expect(next(work).path).toBe('/b');
  expect(work.take()).toBeUndefined();
});

test('never hands out a path that is under way; what comes up meanwhile comes after', () => {
  const work = new WorkList();
  work.add('/a', Look.data, true);
  const first = next(work);
  work.add('/a', Look.children, false);
  expect([work.take(), [...work.underWay], work.loading]).toEqual([undefined, ['/a'], 1]);
  work.done(first);
  expect(work.loading).toBe(0);
  const second = next(work);
  expect(second).toEqual({ path: '/a', look: Look.children, loads: false });
  work.done(second);
  expect(work.isIdle).toBe(true);
});

test('counts what loads until it is done, tried again or forgotten', () => {
  const work = new WorkList();
  work.add('/a', Look.data, true);
  work.add('/a', Look.data, true);
  work.add('/b', Look.data, true);
  expect(work.loading).toBe(2);
  work.again(next(work));
  expect(work.loading).toBe(2);
  const b = next(work);
  work.again(next(work));
  work.done(b);
  expect(work.loading).toBe(1);
  work.clear();
  expect([work.loading, work.isIdle, work.take()]).toEqual([0, true, undefined]);
});

test('takes no longer for each, however much waits', () => {
  const work = new WorkList();
  for (let index = 0; index < 200_000; index++) work.add(`/${index}`, Look.data, true);
  for (let index = 0; index < 200_000; index++) work.done(next(work));
  expect([work.isIdle, work.loading]).toEqual([true, 0]);
});
