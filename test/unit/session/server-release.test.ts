import { beforeEach, describe, expect, it } from '@jest/globals';
import { OpCode } from '../../../src/protocol/codes.js';
import { ServerRelease } from '../../../src/session/server-release.js';

let release: ServerRelease;
beforeEach(() => {
  release = new ServerRelease();
});

describe('the release of a server', () => {
  it('is not known until something tells', () => {
    release.answered(OpCode.getData);
    release.answered(OpCode.multi);
    expect(release.isNew).toBeUndefined();
    expect(release.lacks(OpCode.addWatch)).toBe(false);
  });

  it.each(['create2', 'reconfig', 'removeWatches', 'createContainer', 'createTtl', 'multiRead', 'addWatch'] as const)(
    'is 3.5 or later where %s is answered',
    (name) => {
      release.answered(OpCode[name]);
      expect(release.isNew).toBe(true);
    },
  );

  it('is older where there is no configuration: it lacks all that came later, and nothing else', () => {
    release.hasConfig(false);
    expect(release.isNew).toBe(false);
    const lacking = Object.entries(OpCode).filter(([, opCode]) => release.lacks(opCode));
    expect(lacking.map(([name]) => name).sort()).toEqual(
      [
        ...['addWatch', 'create2', 'createContainer', 'createTtl', 'getAllChildrenNumber', 'getEphemerals'],
        ...['multiRead', 'reconfig', 'removeWatches', 'setWatches2', 'whoAmI'],
      ].sort(),
    );
  });

  it('may be another after a reconnect; what one server has refused is not asked again', () => {
    release.hasConfig(false);
    release.refused(OpCode.whoAmI);
    release.reconnected();
    expect([release.isNew, release.lacks(OpCode.addWatch), release.lacks(OpCode.whoAmI)]).toEqual([
      undefined,
      false,
      true,
    ]);
  });
});
