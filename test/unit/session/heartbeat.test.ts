import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { now } from '../../../src/clock.js';
import { Heartbeat } from '../../../src/session/heartbeat.js';
import { type TestClock, useRealClock, useTestClock } from '../support/clock.js';

const T = 9_000;

let clock: TestClock;
let heartbeat: Heartbeat;
const ping = jest.fn<() => void>();
const silence = jest.fn<(milliseconds: number) => void>();
const late = jest.fn<(milliseconds: number) => void>();

beforeEach(() => {
  clock = useTestClock();
  ping.mockReset().mockImplementation(() => heartbeat.wrote(now()));
  silence.mockReset();
  late.mockReset();
  heartbeat = new Heartbeat({ ping, silence, late });
  heartbeat.start(T);
});
afterEach(() => {
  heartbeat.stop();
  useRealClock();
});

describe('a ping', () => {
  it('is sent when nothing was written for a third of the session timeout', async () => {
    await clock.advance(T / 3 - 1);
    expect(ping).not.toHaveBeenCalled();
    await clock.advance(1);
    expect(ping).toHaveBeenCalledTimes(1);
  });

  it('is put off by everything that is written', async () => {
    await clock.advance(2_000);
    heartbeat.wrote(now());
    await clock.advance(2_999);
    expect(ping).not.toHaveBeenCalled();
    await clock.advance(1);
    expect(ping).toHaveBeenCalledTimes(1);
  });

  it('is sent again a third after the last one, whatever the server sends meanwhile', async () => {
    for (let round = 1; round <= 5; round++) {
      await clock.advance(T / 3);
      heartbeat.heard(now());
      expect(ping).toHaveBeenCalledTimes(round);
    }
  });
});

describe('a server is given up', () => {
  it('when nothing was heard for two thirds of the session timeout', async () => {
    await clock.advance((T * 2) / 3 - 1);
    await immediates();
    expect(silence).not.toHaveBeenCalled();
    await clock.advance(1);
    await immediates();
    expect(silence.mock.calls).toEqual([[(T * 2) / 3]]);
  });

  it('not while bytes come, be it in the middle of a long reply', async () => {
    for (let round = 0; round < 10; round++) {
      await clock.advance(T / 2);
      heartbeat.heard(now());
    }
    await immediates();
    expect(silence).not.toHaveBeenCalled();
  });

  it('not before what waits in the socket was read, after a stop of the process', async () => {
    await clock.advance(T / 3);
    clock.freeze(T);
    await clock.advance(T);
    heartbeat.heard(now());
    await immediates();
    expect(silence).not.toHaveBeenCalled();
    await clock.advance(T);
    await immediates();
    expect(silence).toHaveBeenCalledTimes(1);
  });

  it('not before it had the time to answer a ping, after a stop of the process in which it was asked nothing', async () => {
    await clock.advance(T / 6);
    clock.freeze(T);
    await clock.advance(T / 6);
    expect(ping).toHaveBeenCalledTimes(1);
    await clock.advance(T / 3 - 1);
    await immediates();
    expect(silence).not.toHaveBeenCalled();
    await clock.advance(1);
    await immediates();
    expect(silence).toHaveBeenCalledTimes(1);
  });
});

describe('an end', () => {
  it('leaves no timer', async () => {
    heartbeat.stop();
    expect(clock.timers).toBe(0);
    await clock.advance(10 * T);
    expect(ping).not.toHaveBeenCalled();
  });

  it('takes back the last look at the socket', async () => {
    await clock.advance(T);
    heartbeat.stop();
    await immediates();
    expect(silence).not.toHaveBeenCalled();
  });
});

it('wakes a few times a session timeout, however much is written', async () => {
  const timers = jest.spyOn(globalThis, 'setTimeout');
  timers.mockClear();
  for (let write = 0; write < 1_000; write++) {
    await clock.advance(T / 100);
    heartbeat.wrote(now());
    heartbeat.heard(now());
  }
  expect(timers.mock.calls.length).toBeLessThanOrEqual(31);
});

async function immediates(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe('a timer', () => {
  it('that comes in time is told to be not late', async () => {
    await clock.advance(T / 3);
    expect(late.mock.calls).toEqual([[0]]);
  });

  it('that comes late tells by how much, before anything is judged', async () => {
    clock.freeze(1_234);
    await clock.advance(T / 3);
    expect(late.mock.calls).toEqual([[1_234]]);
    expect(silence).not.toHaveBeenCalled();
  });

  it.each([true, false])('keeps the process with unref: false only (unref: %s)', (unref) => {
    const timers = jest.spyOn(globalThis, 'setTimeout');
    timers.mockClear();
    heartbeat.stop();
    heartbeat = new Heartbeat({ ping, silence, late }, unref);
    heartbeat.start(T);
    expect((timers.mock.results[0]?.value as NodeJS.Timeout).hasRef()).toBe(!unref);
  });
});
