import { beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { Delivery } from '../../../src/session/delivery.js';
import { uncaughtDuring } from '../support/uncaught.js';

let delivery: Delivery;
let order: string[];

beforeEach(() => {
  delivery = new Delivery();
  order = [];
});

/** Hands out a result as a request does; what waits for it goes on for `steps` microtasks and writes its name each time. */
function result(name: string, steps = 1): void {
  const deliver = (): void => {
    void new Promise<void>((resolve) => resolve()).then(async () => {
      for (let step = 1; step <= steps; step++) {
        order.push(steps === 1 ? name : `${name}.${step}`);
        await Promise.resolve();
      }
    });
  };
  if (delivery.congested) delivery.result(deliver);
  else deliver();
}

function event(name: string): void {
  delivery.event(() => order.push(name));
}

/** Lets everything that is under way come to its end. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe('the order', () => {
  it('of a result and a later event: what waits for the result goes first', async () => {
    result('result');
    event('event');
    await settled();
    expect(order).toEqual(['result', 'event']);
  });

  it('holds for whatever the result sets in motion within its microtasks', async () => {
    result('result', 5);
    event('event');
    await settled();
    expect(order).toEqual(['result.1', 'result.2', 'result.3', 'result.4', 'result.5', 'event']);
  });

  it('of an event and a later result: the event goes first', async () => {
    event('event');
    result('result');
    await settled();
    expect(order).toEqual(['event', 'result']);
  });

  it('of an event and a later result: what the event sets in motion goes before the result', async () => {
    delivery.event(() => {
      void Promise.resolve().then(() => order.push('reaction'));
    });
    result('result');
    await settled();
    expect(order).toEqual(['reaction', 'result']);
  });

  it('is that of the wire, in any mixture', async () => {
    const anyStream = fc.array(fc.record({ isEvent: fc.boolean(), steps: fc.integer({ min: 1, max: 4 }) }));
    await fc.assert(
      fc.asyncProperty(anyStream, async (stream) => {
        order = [];
        delivery = new Delivery();
        stream.forEach(({ isEvent, steps }, index) => (isEvent ? event(`${index}`) : result(`${index}`, steps)));
        // One run of results goes on side by side; events part the runs.
        const runs = stream.map((_, index) => stream.slice(0, index).filter((each) => each.isEvent).length * 2);
        await settled();
        const seen = order.map((name) => {
          const index = parseInt(name, 10);
          return (runs[index] ?? 0) + (stream[index]?.isEvent === true ? 1 : 0);
        });
        expect(seen).toEqual([...seen].sort((a, b) => a - b));
        expect(new Set(order.map((name) => parseInt(name, 10))).size).toBe(stream.length);
      }),
      { numRuns: 30 },
    );
  });

  it('holds for what comes while others are handed out', async () => {
    delivery.event(() => {
      order.push('first');
      event('third');
      result('fourth');
    });
    event('second');
    await settled();
    expect(order).toEqual(['first', 'second', 'third', 'fourth']);
  });

  it('holds for what a continuation asks for', async () => {
    event('first');
    delivery.result(() => {
      order.push('second');
      void Promise.resolve().then(() => event('fourth'));
    });
    event('third');
    await settled();
    expect(order).toEqual(['first', 'second', 'third', 'fourth']);
  });
});

describe('a result', () => {
  it('is handed out at once where no event is waiting', () => {
    delivery.result(() => order.push('result'));
    expect(order).toEqual(['result']);
    expect(delivery.congested).toBe(false);
  });

  it('has to wait as long as an event does', async () => {
    event('event');
    expect(delivery.congested).toBe(true);
    await settled();
    expect(delivery.congested).toBe(false);
  });
});

it('an event never calls its listener at once', async () => {
  event('event');
  expect(order).toEqual([]);
  await settled();
  expect(order).toEqual(['event']);
});

it('a listener that throws is reported on a turn of its own, and disturbs nothing', async () => {
  const error = new Error('of a listener');
  const reported = await uncaughtDuring(async () => {
    delivery.event(() => {
      throw error;
    });
    event('next');
    result('result');
    await settled();
  });
  expect(order).toEqual(['next', 'result']);
  expect(reported).toEqual([error]);
});

it('ten thousand events are handed out without a turn for each of them', async () => {
  let count = 0;
  for (let index = 0; index < 10_000; index++) delivery.event(() => count++);
  await new Promise((resolve) => setImmediate(resolve));
  expect(count).toBe(10_000);
});
