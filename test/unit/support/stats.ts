import Long from 'long';
import { Stat } from '../../../src/stat.js';

/** A Stat whose fields all differ. */
export function someStat({ ephemeralOwner = Long.fromNumber(108) }: { ephemeralOwner?: Long } = {}): Stat {
  const [czxid, mzxid, pzxid] = [101, 102, 111].map((each) => Long.fromNumber(each)) as [Long, Long, Long];
  return new Stat(czxid, mzxid, 103, 104, 105, 106, 107, ephemeralOwner, 109, 110, pzxid);
}
