import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { Farewell } from '../../../src/session/farewell.js';
import { type TestClock, useRealClock, useTestClock } from '../support/clock.js';

let clock: TestClock;
const onDone = jest.fn();

beforeEach(() => {
  clock = useTestClock();
  onDone.mockReset();
});
afterEach(useRealClock);

it('is open until the server has confirmed it', () => {
  const farewell = new Farewell(1_000, false, onDone);
  expect(farewell.isOpen).toBe(true);
  farewell.done(true);
  expect(farewell.isOpen).toBe(false);
  expect(onDone.mock.calls).toEqual([[true]]);
});

it('is over after its time, unconfirmed', async () => {
  const farewell = new Farewell(1_000, false, onDone);
  await clock.advance(999);
  expect(farewell.isOpen).toBe(true);
  await clock.advance(1);
  expect(farewell.isOpen).toBe(false);
  expect(onDone.mock.calls).toEqual([[false]]);
});

it('is done once', async () => {
  const farewell = new Farewell(1_000, false, onDone);
  farewell.done(true);
  farewell.done(false);
  await clock.advance(5_000);
  expect(onDone).toHaveBeenCalledTimes(1);
});

it('leaves no timer', () => {
  new Farewell(1_000, false, onDone).done(true);
  expect(clock.timers).toBe(0);
});
