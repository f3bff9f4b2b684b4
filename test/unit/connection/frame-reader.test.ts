import { afterEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { FrameReader } from '../../../src/connection/frame-reader.js';
import { FrameTooLargeError, ProtocolError } from '../../../src/errors.js';
import type { JuteReader } from '../../../src/protocol/jute-reader.js';
import { frame, int } from '../../support/frames.js';
import { resultOrProtocolError } from '../support/codec.js';
import { damaged } from '../support/damage.js';

const LIMIT = 1024;

/** What is left of the frame, as bytes. */
function contentOf(reader: JuteReader): Buffer {
  return Buffer.from(Array.from({ length: reader.remaining }, () => (reader.boolean() ? 1 : 0)));
}

/** A frame reader that gathers the contents of the frames, which may only hold zeros and ones. */
function gathering(limit = LIMIT): { readonly frames: Buffer[]; readonly reader: FrameReader } {
  const frames: Buffer[] = [];
  return { frames, reader: new FrameReader(limit, (each) => frames.push(contentOf(each))) };
}

const anyContents = fc.array(
  fc.uint8Array({ max: 1, maxLength: 40 }).map((content) => Buffer.from(content)),
  { maxLength: 20 },
);

/** Cuts bytes at the positions, which may repeat. */
function cut(content: Buffer, positions: readonly number[]): Buffer[] {
  const cuts = [...positions.map((each) => each % (content.length + 1)), content.length].sort((a, b) => a - b);
  return cuts.map((end, index) => content.subarray(cuts[index - 1] ?? 0, end));
}

afterEach(() => {
  jest.restoreAllMocks();
});

describe('frames come out whole', () => {
  it('wherever the bytes are split', () => {
    fc.assert(
      fc.property(anyContents, fc.array(fc.nat(), { maxLength: 30 }), (contents, positions) => {
        const { frames, reader } = gathering();
        const stream = Buffer.concat(contents.map((content) => frame(content)));
        for (const chunk of cut(stream, positions)) reader.push(chunk);
        expect(frames).toEqual(contents);
      }),
    );
  });

  it('when every byte comes alone, and when the stream is split at each of its positions (C7)', () => {
    const contents = [Buffer.alloc(3, 1), Buffer.alloc(0), Buffer.alloc(7, 1)];
    const stream = Buffer.concat(contents.map((content) => frame(content)));
    const splits = [Array.from(stream, (_, at) => at), ...Array.from(stream, (_, at) => [at])];
    for (const positions of splits) {
      const { frames, reader } = gathering();
      for (const chunk of cut(stream, positions)) reader.push(chunk);
      expect(frames).toEqual(contents);
    }
  });

  it('with a stack that does not grow, when 500 of them are in one chunk (C7)', () => {
    const depths: number[] = [];
    const reader = new FrameReader(LIMIT, () => depths.push(stackDepth()));
    reader.push(Buffer.concat(Array.from({ length: 500 }, () => frame(Buffer.alloc(16)))));
    expect(depths).toHaveLength(500);
    expect(new Set(depths).size).toBe(1);
  });

  it('when they are as long as the limit', () => {
    const { frames, reader } = gathering();
    reader.push(frame(Buffer.alloc(LIMIT)));
    expect(frames).toEqual([Buffer.alloc(LIMIT)]);
  });

  it('when they have no content', () => {
    const { frames, reader } = gathering();
    reader.push(int(0));
    expect(frames).toEqual([Buffer.alloc(0)]);
  });
});

describe('what cannot be a frame', () => {
  it('is a negative length', () => {
    const { reader } = gathering();
    expect(() => reader.push(int(-1))).toThrow(new ProtocolError('a frame of -1 bytes was announced'));
  });

  it('is found behind frames that were whole, which are handed out', () => {
    const { frames, reader } = gathering();
    expect(() => reader.push(Buffer.concat([frame(Buffer.alloc(1)), int(-5)]))).toThrow(ProtocolError);
    expect(frames).toHaveLength(1);
  });

  it('is a frame above the limit; the error has its size, the limit and the xid', () => {
    const { reader } = gathering();
    const error = thrownBy(() => reader.push(Buffer.concat([int(LIMIT + 1), int(42)])));
    expect(error).toBeInstanceOf(FrameTooLargeError);
    expect(error).toMatchObject({ size: LIMIT + 1, limit: LIMIT, xid: 42 });
  });

  it('is a frame of 2 GiB, for which nothing is allocated', () => {
    const { reader } = gathering();
    const chunk = Buffer.concat([int(2 ** 31 - 1), int(1)]);
    const allocations = [jest.spyOn(Buffer, 'allocUnsafe'), jest.spyOn(Buffer, 'alloc'), jest.spyOn(Buffer, 'concat')];
    expect(() => reader.push(chunk)).toThrow(FrameTooLargeError);
    for (const allocate of allocations) expect(allocate).not.toHaveBeenCalled();
  });

  it('is told with its xid, also when that comes byte by byte', () => {
    const { reader } = gathering();
    const bytes = Buffer.concat([int(LIMIT + 1), int(42)]);
    for (const byte of bytes.subarray(0, 7)) reader.push(Buffer.from([byte]));
    expect(thrownBy(() => reader.push(bytes.subarray(7)))).toMatchObject({ xid: 42 });
  });

  it('gives a ProtocolError or frames, whatever bytes come', () => {
    const streams = anyContents.map((contents) => Buffer.concat(contents.map((content) => frame(content))));
    fc.assert(
      fc.property(damaged(streams), fc.array(fc.nat(), { maxLength: 5 }), (stream, positions) => {
        const { frames, reader } = gathering();
        resultOrProtocolError(() => {
          for (const chunk of cut(stream, positions)) reader.push(chunk);
        });
        const bytes = frames.reduce((sum, each) => sum + 4 + each.length, 0);
        expect(bytes).toBeLessThanOrEqual(stream.length);
      }),
    );
  });
});

describe('the cost', () => {
  it('of a big frame in many chunks is one copy of it', () => {
    const concat = jest.spyOn(Buffer, 'concat');
    const content = Buffer.alloc(1024 * 1024);
    const stream = frame(content);
    concat.mockClear();
    const sizes: number[] = [];
    const reader = new FrameReader(2 * content.length, (each) => sizes.push(each.remaining));
    for (let at = 0; at < stream.length; at += 1024) reader.push(stream.subarray(at, at + 1024));
    expect(sizes).toEqual([content.length]);
    expect(bytesJoined(concat)).toBeLessThanOrEqual(stream.length + 1024);
  });

  it('of many small frames in one chunk is no copy at all', () => {
    const concat = jest.spyOn(Buffer, 'concat');
    const stream = Buffer.concat(Array.from({ length: 3000 }, () => frame(Buffer.alloc(16))));
    concat.mockClear();
    let count = 0;
    new FrameReader(LIMIT, () => count++).push(stream);
    expect(count).toBe(3000);
    expect(concat).not.toHaveBeenCalled();
  });
});

describe('after stop()', () => {
  it('no frame is handed out, not even one of the same chunk', () => {
    const handedOut: number[] = [];
    const reader = new FrameReader(LIMIT, (each) => {
      handedOut.push(each.remaining);
      reader.stop();
    });
    reader.push(Buffer.concat([frame(Buffer.alloc(1)), frame(Buffer.alloc(2))]));
    reader.push(frame(Buffer.alloc(3)));
    expect(handedOut).toEqual([1]);
  });

  it('bytes that are no frames are no error any more', () => {
    const reader = new FrameReader(LIMIT, () => reader.stop());
    expect(() => reader.push(Buffer.concat([frame(Buffer.alloc(1)), int(-1)]))).not.toThrow();
  });
});

function thrownBy(run: () => void): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

function stackDepth(): number {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = Infinity;
  const depth = new Error().stack?.split('\n').length ?? 0;
  Error.stackTraceLimit = limit;
  return depth;
}

function bytesJoined(concat: jest.SpiedFunction<typeof Buffer.concat>): number {
  return concat.mock.calls.reduce((sum, [parts, total]) => {
    return sum + (total ?? parts.reduce((bytes, part) => bytes + part.length, 0));
  }, 0);
}
