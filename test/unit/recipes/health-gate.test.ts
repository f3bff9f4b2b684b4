import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError } from 'zookit';
import { HealthGate, type HealthGateOptions } from '../../../recipes/services/health-gate.js';
import { gate, until, within } from '../../support/until.js';

/** Verdicts, one for each check; the last one stays. */
function checkOf(...verdicts: (true | string)[]): { readonly made: number; readonly check: () => Promise<void> } {
  let made = 0;
  return {
    get made() {
      return made;
    },
    check: async () => {
      const verdict = verdicts[Math.min(made++, verdicts.length - 1)];
      if (typeof verdict === 'string') throw new Error(verdict);
    },
  };
}

/** The statuses that a gate tells, until there are so many. */
async function statuses(health: HealthGate, count: number): Promise<string[]> {
  const told: string[] = [];
  const following = (async () => {
    for await (const { status } of health) if (told.push(status) === count) return;
  })();
  await within(following, { what: `${count} statuses` });
  return told;
}

const fast = { interval: 1, startInterval: 1, timeout: 60_000 };

describe('a health gate', () => {
  it('opens with the first check that passes, and shuts with the third in a row that fails', async () => {
    const { check } = checkOf('a', 'b', 'c', 'd', true, 'e', 'f', true, 'g', 'h', 'i', true);
    using health = new HealthGate({ ...fast, check }).start();
    expect(await statuses(health, 4)).toEqual(['starting', 'passing', 'failing', 'passing']);
  });

  it('has thresholds for both', async () => {
    const checks = checkOf(true, 'a', true, true, 'b');
    using health = new HealthGate({ ...fast, check: checks.check, rise: 2, fall: 1 }).start();
    const told: [string, number][] = [];
    for await (const { status } of health) {
      told.push([status, checks.made]);
      if (status === 'failing') break;
    }
    expect(told).toEqual([
      ['starting', 0],
      ['passing', 4],
      ['failing', 5],
    ]);
    expect(health.state.error?.message).toBe('b');
  });

  it('says why a check has failed, also where that does not shut it', async () => {
    const { check } = checkOf(true, 'down');
    using health = new HealthGate({ ...fast, check, fall: 1_000_000 }).start();
    await until(() => health.state.error !== undefined, { what: 'a failure' });
    expect(health.state).toEqual({ status: 'passing', error: new Error('down') });
  });

  it('takes false for a failure, and what is thrown at once or is no error, too', async () => {
    for (const check of [
      () => false,
      () => {
        throw new Error('the check says no');
      },
      async () => {
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- what users throw need not be an error
        throw 'the check says no';
      },
    ]) {
      using health = new HealthGate({ ...fast, check }).start();
      await until(() => health.state.error?.message === 'the check says no', { what: 'the failure' });
    }
  });

  it('counts a check that hangs as failed, tells it, and begins no other one beside it', async () => {
    const [hung, told] = [gate(), gate()];
    let begun = 0;
    const check = async (signal: AbortSignal): Promise<void> => {
      if (++begun !== 2) return;
      signal.addEventListener('abort', () => told.open());
      await hung.promise;
    };
    using health = new HealthGate({ ...fast, check, timeout: 5, fall: 4 }).start();
    await until(() => health.state.status === 'failing', { what: 'the failures' });
    await told.promise;
    expect([begun, health.state.error?.message]).toEqual([2, expect.stringContaining('still goes on')]);
    hung.open();
    await until(() => health.state.status === 'passing', { what: 'the next check' });
  });

  it('does not take a verdict that comes too late', async () => {
    const hung = gate();
    let begun = 0;
    using health = new HealthGate({
      ...fast,
      timeout: 1,
      check: () => (++begun === 1 ? hung.promise : Promise.reject(new Error('down'))),
    }).start();
    await until(() => health.state.error !== undefined, { what: 'the end of its time' });
    hung.open();
    await until(() => begun > 3, { what: 'further checks' });
    expect(health.state.status).toBe('starting');
  });

  it('ends when it is closed: the check under way is told, and none comes after it', async () => {
    const told = gate();
    let begun = 0;
    const health = new HealthGate({
      ...fast,
      check: async (signal) => {
        begun++;
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        told.open();
      },
    }).start();
    const seen: string[] = [];
    const following = (async () => {
      for await (const { status } of health) seen.push(status);
    })();
    await until(() => begun === 1, { what: 'the check' });
    health.close();
    await Promise.all([told.promise, following]);
    expect([seen, begun, health.state]).toEqual([['starting'], 1, { status: 'starting', error: undefined }]);
  });

  it('that is closed before its start delay is over never checks', async () => {
    let begun = 0;
    const health = new HealthGate({ ...fast, check: () => begun++, startDelay: 60_000 }).start();
    health.close();
    await new Promise((resolve) => setImmediate(resolve));
    expect(begun).toBe(0);
  });

  it.each([
    [{ check: 'x' }, 'the check is no function'],
    [{ rise: 0 }, 'rise is 0'],
    [{ fall: 1.5 }, 'fall is 1.5'],
    [{ interval: -1 }, 'interval is -1'],
    [{ timeout: NaN }, 'timeout is NaN'],
    [{ startDelay: 2 ** 31 }, 'startDelay is 2147483648'],
    [{ startInterval: '5' }, 'startInterval is 5'],
    [{ every: 5 }, 'there is no option "every"'],
  ])('refuses %j', (wrong, problem) => {
    const make = (): HealthGate => new HealthGate({ check: () => true, ...wrong } as HealthGateOptions);
    expect(make).toThrow(InvalidArgumentError);
    expect(make).toThrow(problem);
  });
});
