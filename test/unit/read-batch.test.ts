import { beforeEach, describe, expect, it } from '@jest/globals';
import { InvalidPathError, NoNodeError, ProtocolError } from '../../src/errors.js';
import { ZNode } from '../../src/operations/get-data.js';
import type { ReadOperation, ReadResult } from '../../src/operations/multi-read.js';
import { Chroot } from '../../src/paths.js';
import { ReadBatch, type SendReads } from '../../src/read-batch.js';
import type { RequestLimits } from '../../src/session/pending-request.js';
import { someStat } from './support/stats.js';

let results: readonly ReadResult[];
let sent: { readonly operations: readonly ReadOperation[]; readonly limits: RequestLimits }[];

const send: SendReads = async (operations, limits, read) => {
  sent.push({ operations, limits });
  return read(results);
};

function begin(): ReadBatch {
  return new ReadBatch(Chroot.of('/app'), send);
}

beforeEach(() => {
  results = [];
  sent = [];
});

describe('a batch of reads', () => {
  it('is sent as one request, with the paths of the server and its limits', async () => {
    results = [
      { kind: 'data', node: new ZNode(null, someStat()) },
      { kind: 'children', children: [] },
    ];
    await begin().getData('/a').getChildren('/').read({ timeout: 5 });
    expect(sent).toEqual([
      {
        limits: { timeout: 5 },
        operations: [
          { kind: 'getData', path: '/app/a' },
          { kind: 'getChildren', path: '/app' },
        ],
      },
    ]);
  });

  it('resolves with what became of each, in the form of Promise.allSettled', async () => {
    const node = new ZNode(Buffer.from('x'), someStat());
    results = [
      { kind: 'data', node },
      { kind: 'error', code: -101 },
      { kind: 'children', children: ['c'] },
    ];
    const [data, failed, children] = await begin().getData('/a').getChildren('/b').getChildren('/c').read();
    expect(data).toEqual({ status: 'fulfilled', value: node });
    expect(children).toEqual({ status: 'fulfilled', value: ['c'] });
    expect(failed).toMatchObject({
      status: 'rejected',
      reason: { name: 'NoNodeError', operation: 'getChildren', path: '/b' },
    });
    expect((failed as PromiseRejectedResult).reason).toBeInstanceOf(NoNodeError);
  });

  it('without reads asks no server', async () => {
    expect(await begin().read()).toEqual([]);
    expect(sent).toEqual([]);
  });

  it('with a wrong path is refused where that is written', () => {
    expect(() => begin().getData('a')).toThrow(InvalidPathError);
    expect(() => begin().getChildren('/a/')).toThrow('getChildren /a/:');
  });

  it.each([0, 1, 3])('of two reads with %d results: the server talks nonsense', async (count) => {
    results = new Array<ReadResult>(count).fill({ kind: 'children', children: [] });
    await expect(begin().getChildren('/a').getChildren('/b').read()).rejects.toThrow(ProtocolError);
  });

  it('with a result of the other kind: the server talks nonsense', async () => {
    results = [{ kind: 'children', children: [] }];
    await expect(begin().getData('/a').read()).rejects.toThrow(ProtocolError);
    results = [{ kind: 'data', node: new ZNode(null, someStat()) }];
    await expect(begin().getChildren('/a').read()).rejects.toThrow(ProtocolError);
  });
});
