import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { InFlight } from '../../../src/session/in-flight.js';
import type { PendingRequest } from '../../../src/session/pending-request.js';
import { askRead } from '../support/requests.js';

function requests(count: number): PendingRequest[] {
  return Array.from({ length: count }, () => askRead().request);
}

/** Takes so many off, one by one. */
function shifted(inFlight: InFlight, count: number): (PendingRequest | undefined)[] {
  return Array.from({ length: count }, () => {
    const { first } = inFlight;
    inFlight.shift();
    return first;
  });
}

describe('requests in flight', () => {
  it('are answered in the order in which they were sent', () => {
    const inFlight = new InFlight();
    const sent = requests(5);
    for (const request of sent) inFlight.push(request);
    expect(shifted(inFlight, 5)).toEqual(sent);
    expect(inFlight.first).toBeUndefined();
  });

  it('keep their order and their number over any mixture of sending and answering, also beyond 1,024', () => {
    const pool = requests(5_000);
    const steps = fc.array(fc.tuple(fc.nat(2_000), fc.nat(2_000)), { maxLength: 6 });
    fc.assert(
      fc.property(steps, (batches) => {
        const inFlight = new InFlight();
        const model: PendingRequest[] = [];
        let next = 0;
        for (const [push, shift] of batches) {
          for (let count = 0; count < push; count++) {
            const request = pool[next++ % pool.length]!;
            inFlight.push(request);
            model.push(request);
          }
          for (let count = Math.min(shift, model.length); count > 0; count--) {
            if (inFlight.first !== model.shift()) throw new Error('the order is wrong');
            inFlight.shift();
          }
          expect(inFlight.size).toBe(model.length);
        }
        expect(inFlight.takeAll()).toEqual(model);
      }),
      { numRuns: 30 },
    );
  });

  it('can be answered out of turn; the others keep theirs', () => {
    const inFlight = new InFlight();
    const sent = requests(4);
    sent.forEach((request, index) => {
      request.xid = index + 1;
      inFlight.push(request);
    });
    inFlight.shift();
    expect(inFlight.take(3)).toBe(sent[2]);
    expect(inFlight.take(3)).toBeUndefined();
    expect(inFlight.take(1)).toBeUndefined();
    expect(shifted(inFlight, 2)).toEqual([sent[1], sent[3]]);
    expect(inFlight.size).toBe(0);
  });

  it('can be taken off all at once, in order, and leave nothing', () => {
    const inFlight = new InFlight();
    const sent = requests(4);
    for (const request of sent) inFlight.push(request);
    inFlight.shift();
    expect(inFlight.takeAll()).toEqual(sent.slice(1));
    expect([inFlight.size, inFlight.first, inFlight.takeAll()]).toEqual([0, undefined, []]);
  });
});

describe('the bytes in flight', () => {
  it('are those of the requests that are on the wire', () => {
    const inFlight = new InFlight();
    requests(5).forEach((request, index) => {
      request.xid = index + 1;
      request.size = 10 ** index;
      inFlight.push(request);
    });
    expect(inFlight.bytes).toBe(11_111);
    inFlight.shift();
    expect(inFlight.bytes).toBe(11_110);
    inFlight.take(3);
    inFlight.take(99);
    expect(inFlight.bytes).toBe(11_010);
    inFlight.takeAll();
    expect(inFlight.bytes).toBe(0);
    inFlight.push(requests(1)[0]!);
    expect(inFlight.bytes).toBe(0);
  });
});
