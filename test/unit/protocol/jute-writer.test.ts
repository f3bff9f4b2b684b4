import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { JuteWriter } from '../../../src/protocol/jute-writer.js';
import { bytes, frame, int } from '../../support/frames.js';
import { anyBytes, anyInt, anyLong, anyText } from '../support/arbitraries.js';
import { bool, longOf, vector } from '../support/reference.js';

function written(write: (out: JuteWriter) => void): Buffer {
  const out = new JuteWriter();
  write(out);
  return out.take();
}

describe('every type of jute', () => {
  it('writes any int', () => {
    fc.assert(fc.property(anyInt, (value) => expect(written((out) => out.int(value))).toEqual(int(value))));
  });

  it('writes any long', () => {
    fc.assert(fc.property(anyLong, (value) => expect(written((out) => out.long(value))).toEqual(longOf(value))));
  });

  it('writes booleans as 0 and 1', () => {
    expect(written((out) => out.boolean(false))).toEqual(bool(false));
    expect(written((out) => out.boolean(true))).toEqual(bool(true));
  });

  it('writes any buffer', () => {
    fc.assert(fc.property(anyBytes, (value) => expect(written((out) => out.buffer(value))).toEqual(bytes(value))));
  });

  it('writes any string', () => {
    fc.assert(fc.property(anyText, (value) => expect(written((out) => out.ustring(value))).toEqual(bytes(value))));
  });

  it('writes null with the length -1, empty with the length 0', () => {
    expect(written((out) => out.buffer(null))).toEqual(int(-1));
    expect(written((out) => out.ustring(null))).toEqual(int(-1));
    expect(written((out) => out.buffer(new Uint8Array()))).toEqual(int(0));
    expect(written((out) => out.ustring(''))).toEqual(int(0));
  });

  it('writes any vector', () => {
    fc.assert(
      fc.property(fc.array(anyText), (values) => {
        const content = written((out) => out.vector(values, (each, value) => each.ustring(value)));
        expect(content).toEqual(vector(values.map(bytes)));
      }),
    );
  });
});

describe('frames', () => {
  it('have their length in front', () => {
    const out = new JuteWriter();
    const mark = out.openFrame();
    out.ustring('hello');
    expect(out.closeFrame(mark)).toBe(9);
    expect(out.take()).toEqual(frame(bytes('hello')));
  });

  it('that are given up leave no trace between their neighbours', () => {
    const out = new JuteWriter(32);
    const write = (text: string): number => {
      const mark = out.openFrame();
      out.ustring(text);
      out.closeFrame(mark);
      return mark;
    };
    write('before');
    out.discardFrame(write('a text that does not fit what is left of the buffer'));
    write('after');
    expect(out.take()).toEqual(Buffer.concat([frame(bytes('before')), frame(bytes('after'))]));
  });

  it('come out the same at any size of the buffer, however often they are taken', () => {
    const step = fc.record({ text: anyText, take: fc.boolean(), discard: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step), fc.integer({ min: 1, max: 64 }), (steps, slabBytes) => {
        const out = new JuteWriter(slabBytes);
        const taken: Buffer[] = [];
        for (const { text, take, discard } of steps) {
          const mark = out.openFrame();
          out.ustring(text);
          if (discard) out.discardFrame(mark);
          else out.closeFrame(mark);
          if (take) taken.push(out.take());
        }
        taken.push(out.take());
        const kept = steps.filter((each) => !each.discard).map((each) => frame(bytes(each.text)));
        expect(Buffer.concat(taken)).toEqual(Buffer.concat(kept));
      }),
    );
  });
});

describe('what was taken', () => {
  it('is never written to again', () => {
    const out = new JuteWriter(64);
    out.int(1);
    const first = out.take();
    out.int(2);
    out.discardFrame(0);
    for (let value = 0; value < 100; value++) out.int(value);
    expect(first).toEqual(int(1));
  });

  it('is kept until all of it has been given back', () => {
    const out = new JuteWriter(64);
    out.int(1);
    const first = out.take();
    out.int(2);
    const second = out.take();
    out.giveBack();
    for (let value = 0; value < 100; value++) out.int(value);
    expect([first, second]).toEqual([int(1), int(2)]);
  });

  it('makes room for what follows when all of it has been given back', () => {
    const out = new JuteWriter(64);
    const offsets = [1, 2, 3].map((value) => {
      out.int(value);
      const { byteOffset } = out.take();
      out.giveBack();
      return byteOffset;
    });
    expect(offsets).toEqual([0, 0, 0]);
  });

  it('does not make room of what is still to be taken', () => {
    const out = new JuteWriter(64);
    out.int(1);
    out.take();
    out.int(2);
    out.giveBack();
    out.int(3);
    expect(out.take()).toEqual(Buffer.concat([int(2), int(3)]));
  });

  it('leaves no large buffer behind that is not needed any more', () => {
    const out = new JuteWriter(64);
    const sizes = [1000, 1000, 1, 1].map((length) => {
      out.buffer(Buffer.alloc(length));
      const { byteLength } = out.take().buffer;
      out.giveBack();
      return byteLength;
    });
    // The second large one finds the buffer of the first, and so does the first small one.
    expect(sizes).toEqual([2008, 2008, 2008, 64]);
  });

  it('does not count as length any more', () => {
    const out = new JuteWriter();
    out.int(1);
    expect(out.length).toBe(4);
    out.take();
    expect(out.length).toBe(0);
  });
});

it('copies a burst that outgrows its buffer a bounded number of times for each byte', () => {
  const set = jest.spyOn(Buffer.prototype, 'set');
  const out = new JuteWriter();
  const part = Buffer.alloc(1024);
  for (let count = 0; count < 4096; count++) out.buffer(part);
  const copied = set.mock.calls.reduce((sum, [source]) => sum + (source as Uint8Array).length, 0);
  set.mockRestore();
  // Once to get there, and as much again at most for the doublings.
  expect(out.length).toBe(4096 * 1028);
  expect(copied).toBeLessThan(2.5 * out.length);
});
