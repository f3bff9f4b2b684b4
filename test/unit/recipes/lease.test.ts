import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { LeaseLostError, Long } from 'zookit';
import { formatLease, InvalidLeaseError, parseLease, wholeSecond } from '../../../recipes/locks/lease-format.js';
import { LeaseTerm } from '../../../recipes/locks/lease-term.js';

const noon = Date.UTC(2026, 10, 21, 12);

afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

describe('the format', () => {
  it('is that of kazoo', () => {
    expect(formatLease({ holder: 'host-1', end: noon })).toBe(
      '{"version":1,"holder":"host-1","end":"2026-11-21T12:00:00"}',
    );
    // As Python's json writes it.
    expect(parseLease('{"version": 1, "holder": "host-1", "end": "2026-11-21T12:00:00"}', '/a')).toEqual({
      holder: 'host-1',
      end: noon,
    });
  });

  it('takes the second after, so that nobody else takes it too early', () => {
    expect([wholeSecond(noon), wholeSecond(noon + 1)]).toEqual([noon, noon + 1_000]);
  });

  it.each([
    '',
    'null',
    '{}',
    '[1]',
    '{"version":1,"holder":5,"end":"2026-11-21T12:00:00"}',
    '{"version":1,"holder":"a","end":"noon"}',
  ])('refuses %p', (text) => {
    expect(() => parseLease(text, '/a')).toThrow('the data are no lease');
  });

  it('refuses another version', () => {
    const text = '{"version":2,"holder":"a","end":"2026-11-21T12:00:00"}';
    expect(() => parseLease(text, '/a')).toThrow(InvalidLeaseError);
    expect(() => parseLease(text, '/a')).toThrow('the lease is of version 2; 1 is known');
  });
});

describe('a term', () => {
  const actions = { renew: () => Promise.resolve(), release: () => Promise.resolve() };

  function begun(duration = 5_000): LeaseTerm {
    const term = new LeaseTerm('/a/lease_holder', 'host-1', duration, actions);
    term.begin(Long.ONE);
    return term;
  }

  it('is held until its end by the clock of the machine, and never again', () => {
    const clock = jest.spyOn(Date, 'now').mockReturnValue(noon + 1);
    const term = begun();
    expect([term.end, term.written]).toEqual([noon + 5_001, { holder: 'host-1', end: noon + 6_000 }]);
    clock.mockReturnValue(noon + 5_000);
    expect([term.held, term.signal.aborted]).toEqual([true, false]);
    clock.mockReturnValue(noon + 5_001);
    expect([term.held, term.signal.aborted]).toEqual([false, true]);
    expect(term.signal.reason).toBeInstanceOf(LeaseLostError);
    clock.mockReturnValue(noon);
    expect(term.held).toBe(false);
  });

  it('is no longer when the clock of the machine is set back', () => {
    const clock = jest.spyOn(Date, 'now').mockReturnValue(noon);
    const steady = jest.spyOn(performance, 'now').mockReturnValue(1_000);
    const term = begun();
    clock.mockReturnValue(noon - 3_600_000);
    steady.mockReturnValue(5_999);
    expect(term.held).toBe(true);
    steady.mockReturnValue(6_000);
    expect(term.held).toBe(false);
  });

  it('aborts its signal in time, also at the end of a very long one', () => {
    jest.useFakeTimers({ now: noon });
    const term = begun(40 * 24 * 3_600_000);
    const { signal } = term;
    jest.advanceTimersByTime(40 * 24 * 3_600_000 - 1);
    expect([signal.aborted, term.held]).toEqual([false, true]);
    jest.advanceTimersByTime(1);
    expect([signal.aborted, term.held]).toEqual([true, false]);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('leaves no timer when it is released', async () => {
    jest.useFakeTimers({ now: noon });
    const term = begun();
    const { signal } = term;
    expect(jest.getTimerCount()).toBe(1);
    await term.release();
    expect([signal.aborted, term.held, jest.getTimerCount()]).toEqual([true, false, 0]);
  });

  it('has no token before it was written', () => {
    expect(() => new LeaseTerm('/a', 'host-1', 5_000, actions).fencingToken).toThrow(LeaseLostError);
  });
});
