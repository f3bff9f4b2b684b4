import type { Call } from './linearizable.js';

/** What became of a call that has failed. */
export type Failure = 'unknown' | 'without effect';

/** The one order of all that happens in a test. */
export class Order {
  private last = 0;

  next(): number {
    return ++this.last;
  }
}

/** Writes down the calls of several clients. */
export class Recorder<Input, Output> {
  readonly calls: Call<Input, Output>[] = [];
  private readonly order = new Order();

  /** `judge` says of an error what it tells about the effect; it throws what is not to be expected. */
  constructor(private readonly judge: (error: unknown) => Failure) {}

  /** Makes a call and notes what it comes to. Resolves with the output; undefined if it has failed. */
  async call(client: string, input: Input, run: () => Promise<Output>): Promise<Output | undefined> {
    const called = this.order.next();
    try {
      const output = await run();
      this.calls.push({ client, input, called, returned: this.order.next(), output });
      return output;
    } catch (error) {
      if (this.judge(error) === 'unknown') this.calls.push({ client, input, called, returned: Infinity });
      return undefined;
    }
  }
}
