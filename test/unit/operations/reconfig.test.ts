import { it } from '@jest/globals';
import fc from 'fast-check';
import { ZNode } from '../../../src/operations/get-data.js';
import { reconfig } from '../../../src/operations/reconfig.js';
import type { Stat } from '../../../src/stat.js';
import { bytes } from '../../support/frames.js';
import { anyBytes, anyLong, anyStat, anyText } from '../support/arbitraries.js';
import { expectReads, expectWithstands, expectWrites } from '../support/codec.js';
import { longOf, statBytes } from '../support/reference.js';

const anyReply = fc.record({ data: fc.option(anyBytes), stat: anyStat });

function replyBytes({ data, stat }: { readonly data: Buffer | null; readonly stat: Stat }): Buffer {
  return Buffer.concat([bytes(data), statBytes(stat)]);
}

it('writes any request, without its path', () => {
  const requests = fc.record({
    path: fc.constant('/zookeeper/config'),
    joining: fc.option(anyText),
    leaving: fc.option(anyText),
    members: fc.option(anyText),
    fromVersion: anyLong,
  });
  expectWrites(reconfig, requests, ({ joining, leaving, members, fromVersion }) =>
    Buffer.concat([bytes(joining), bytes(leaving), bytes(members), longOf(fromVersion)]),
  );
});

it('reads the new configuration and its stat', () => {
  expectReads(reconfig, anyReply, replyBytes, ({ data, stat }) => new ZNode(data, stat));
  expectWithstands(reconfig, anyReply.map(replyBytes));
});
