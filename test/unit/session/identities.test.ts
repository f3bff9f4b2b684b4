import { describe, expect, it } from '@jest/globals';
import { Identities } from '../../../src/session/identities.js';

describe('the credentials of a client', () => {
  it('are those of its options and those added later, in this order, text as UTF-8', () => {
    const identities = new Identities([{ scheme: 'digest', auth: 'u:p' }]);
    identities.add({ scheme: 'ip', auth: new Uint8Array([1, 2]) });
    expect(identities.all).toEqual([
      { scheme: 'digest', auth: Buffer.from('u:p') },
      { scheme: 'ip', auth: Buffer.from([1, 2]) },
    ]);
  });

  it('are kept once, however often they are added', () => {
    const identities = new Identities([]);
    const first = identities.add({ scheme: 'digest', auth: 'u:p' });
    expect(identities.add({ scheme: 'digest', auth: Buffer.from('u:p') })).toBe(first);
    expect(identities.all).toEqual([first]);
  });

  it('differ by scheme and by content', () => {
    const identities = new Identities([{ scheme: 'digest', auth: 'u:p' }]);
    identities.add({ scheme: 'digest', auth: 'u:q' });
    identities.add({ scheme: 'other', auth: 'u:p' });
    expect(identities.all).toHaveLength(3);
  });

  it('do not change with the bytes that were given', () => {
    const auth = Buffer.from('u:p');
    const identities = new Identities([{ scheme: 'digest', auth }]);
    auth.fill(0);
    expect(identities.all[0]?.auth).toEqual(Buffer.from('u:p'));
  });
});
