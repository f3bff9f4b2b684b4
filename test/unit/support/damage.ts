import fc from 'fast-check';

/** Lengths and counts that are no honest ones: 2^31-1, -2^31, -1, -2, and one that four bytes each still exceed. */
const wildLengths = ['7fffffff', '80000000', 'ffffffff', 'fffffffe', '3fffffff'];

type Blow = (bytes: Buffer) => Buffer;

const anywhere = fc.nat();

const flippedBit: fc.Arbitrary<Blow> = fc.tuple(anywhere, fc.nat(7)).map(([at, bit]) => (bytes) => {
  const copy = Buffer.from(bytes);
  const index = at % Math.max(copy.length, 1);
  if (copy.length > 0) copy.writeUInt8(copy.readUInt8(index) ^ (1 << bit), index);
  return copy;
});

const overwritten: fc.Arbitrary<Blow> = fc
  .tuple(
    anywhere,
    fc.oneof(
      fc.constantFrom(...wildLengths).map((hex) => Buffer.from(hex, 'hex')),
      fc.uint8Array({ minLength: 1, maxLength: 8 }),
    ),
  )
  .map(([at, noise]) => (bytes) => {
    const copy = Buffer.from(bytes);
    Buffer.from(noise).copy(copy, at % Math.max(copy.length, 1));
    return copy;
  });

const cutOut: fc.Arbitrary<Blow> = fc.tuple(anywhere, fc.nat(8)).map(([at, size]) => (bytes) => {
  const start = at % Math.max(bytes.length, 1);
  return Buffer.concat([bytes.subarray(0, start), bytes.subarray(start + size)]);
});

/** The same bytes after one to four blows: flipped bits, wild lengths, noise, bytes cut out. */
export function damaged(content: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  return fc
    .tuple(content, fc.array(fc.oneof(flippedBit, overwritten, cutOut), { minLength: 1, maxLength: 4 }))
    .map(([bytes, blows]) => blows.reduce((hit, blow) => blow(hit), bytes));
}

/** The same bytes, cut off somewhere. */
export function cutOff(content: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  return fc.tuple(content, anywhere).map(([bytes, at]) => bytes.subarray(0, at % Math.max(bytes.length, 1)));
}
