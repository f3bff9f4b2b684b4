import { describe, expect, it } from '@jest/globals';
import type { Holder } from '../../../recipes/common/holder.js';
import { HolderGroup } from '../../../recipes/common/holder-group.js';

class FakeHolder {
  held = true;
  readonly #controller = new AbortController();
  readonly signal = this.#controller.signal;

  constructor(
    private readonly name: string,
    private readonly log: string[],
    private readonly failure?: Error,
  ) {}

  lose(why: string): void {
    this.held = false;
    this.#controller.abort(new Error(why));
  }

  async release(): Promise<void> {
    this.log.push(this.name);
    await Promise.resolve();
    if (this.failure !== undefined) throw this.failure;
  }
}

function group(...parts: FakeHolder[]): HolderGroup {
  return new HolderGroup(parts as unknown as Holder[]);
}

describe('a group', () => {
  it('is held as long as all of its parts are, and tells why it is not', () => {
    const parts = [new FakeHolder('a', []), new FakeHolder('b', [])];
    const all = group(...parts);
    const { signal } = all;
    expect([all.held, signal.aborted]).toEqual([true, false]);
    parts[1]!.lose('gone');
    expect([all.held, signal.aborted, signal.reason]).toEqual([false, true, new Error('gone')]);
    expect(group(...parts).signal.aborted).toBe(true);
  });

  it('is released once, the last part first, past errors', async () => {
    const log: string[] = [];
    const failure = new Error('b');
    const all = group(new FakeHolder('a', log), new FakeHolder('b', log, failure), new FakeHolder('c', log));
    await expect(all.release()).rejects.toBe(failure);
    await expect(all[Symbol.asyncDispose]()).rejects.toBe(failure);
    expect(log).toEqual(['c', 'b', 'a']);
  });

  it('tells all errors', async () => {
    const errors = [new Error('a'), new Error('b')];
    const all = group(...errors.map((error) => new FakeHolder(error.message, [], error)));
    await expect(all.release()).rejects.toMatchObject({ errors: [...errors].reverse() });
  });
});
