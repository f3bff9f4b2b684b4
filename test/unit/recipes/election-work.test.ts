import { describe, expect, it } from '@jest/globals';
import { LeaseLostError } from 'zookit';
import type { Leadership } from '../../../recipes/leaders/leadership.js';
import { ElectionTerm } from '../../../recipes/leaders/election-term.js';
import { runWork } from '../../../recipes/leaders/election-work.js';
import { LeaderWorkError } from '../../../recipes/leaders/errors.js';
import { gate } from '../../support/until.js';
import { settle } from './fake-client.js';

function someTerm(): { readonly term: ElectionTerm; readonly lost: AbortController } {
  const lost = new AbortController();
  const leadership = { signal: lost.signal, held: true } as unknown as Leadership;
  return { term: new ElectionTerm(leadership), lost };
}

const limits = { grace: undefined, report: () => undefined };

describe('the function of an election', () => {
  it('gives its result, or its error in a typed one', async () => {
    const { term } = someTerm();
    const done = await runWork(() => 7, term, limits);
    expect([await done.result, done.failure]).toEqual([7, undefined]);
    const cause = new Error('no');
    const failed = await runWork(() => Promise.reject(cause), term, limits);
    expect(failed.failure).toBeInstanceOf(LeaderWorkError);
    expect(failed.failure).toMatchObject({ code: 'LEADER_WORK_FAILED', cause });
    await expect(failed.result).rejects.toBe(cause);
    const atOnce = await runWork(
      () => {
        throw cause;
      },
      term,
      limits,
    );
    expect(atOnce.failure).toMatchObject({ cause });
  });

  it.each([
    ['the reason of the signal', (signal: AbortSignal) => signal.reason as Error],
    ['an AbortError', () => new DOMException('aborted', 'AbortError')],
    ['an error with that reason as its cause', (signal: AbortSignal) => new Error('ended', { cause: signal.reason })],
  ])('has not failed where it throws %s', async (_, error) => {
    const { term } = someTerm();
    const outcome = runWork(
      async ({ signal }) => {
        await settle();
        throw error(signal);
      },
      term,
      limits,
    );
    term.interrupt('enough');
    expect((await outcome).failure).toBeUndefined();
    expect(term.signal.reason).toBeInstanceOf(LeaseLostError);
  });

  it('has failed where it throws something else after its signal, or an AbortError of its own', async () => {
    const { term, lost } = someTerm();
    const own = await runWork(() => Promise.reject(new DOMException('aborted', 'AbortError')), term, limits);
    expect(own.failure).toBeInstanceOf(LeaderWorkError);
    lost.abort(new LeaseLostError('lost'));
    const other = await runWork(() => Promise.reject(new Error('disk full')), term, limits);
    expect(other.failure).toMatchObject({ cause: { message: 'disk full' } });
  });

  it('may go on for its grace after its signal, and what it throws then is told', async () => {
    const { term } = someTerm();
    const goesOn = gate();
    const told: unknown[] = [];
    const outcome = runWork(() => goesOn.promise, term, { grace: 5, report: (error) => told.push(error) });
    term.interrupt('enough');
    expect((await outcome).failure?.message).toContain('goes on 5 ms after');
    const cause = new Error('late');
    goesOn.fail(cause);
    await settle();
    expect(told).toMatchObject([{ code: 'LEADER_WORK_FAILED', cause }]);
  });

  it('is waited for no longer than need be, whatever its grace', async () => {
    const { term } = someTerm();
    term.interrupt('enough');
    const outcome = await runWork(() => 'done', term, { ...limits, grace: 3_600_000 });
    expect(await outcome.result).toBe('done');
  });
});
