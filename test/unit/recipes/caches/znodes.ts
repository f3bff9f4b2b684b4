import { Long, Stat, ZNode } from 'zookit';

/** What of a stat matters here. */
export interface StatParts {
  readonly czxid?: number;
  readonly mzxid?: number;
  readonly pzxid?: number;
  readonly cversion?: number;
  readonly numChildren?: number;
}

/** A stat; without zxids, of a znode that was created by zxid 1 and never written. */
export function statOf({ czxid = 1, mzxid = czxid, pzxid = czxid, cversion, numChildren = 0 }: StatParts = {}): Stat {
  return new Stat(
    ...([Long.fromInt(czxid), Long.fromInt(mzxid), 0, 0] as const),
    ...([0, cversion ?? numChildren, 0, Long.ZERO, 0, numChildren, Long.fromInt(pzxid)] as const),
  );
}

export function znodeOf(text: string, parts: StatParts = {}): ZNode {
  return new ZNode(Buffer.from(text), statOf(parts));
}
