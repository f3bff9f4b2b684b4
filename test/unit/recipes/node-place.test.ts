import { expect, it } from '@jest/globals';
import { ConnectionLossError, Long, NodeExistsError, type SessionInfo, type Stat } from 'zookit';
import { NodePlace, type PlaceSpec } from '../../../recipes/members/node-place.js';
import { FakeClient } from './fake-client.js';

const session = { id: Long.fromNumber(7) } as unknown as SessionInfo;
const spec: PlaceSpec = { mode: 'ephemeral', ttl: undefined, acl: undefined, parents: false, protected: false };

function statOf(owner: number): Stat {
  return { ephemeralOwner: Long.fromNumber(owner) } as unknown as Stat;
}

/** A client whose creates end so. */
function placeWhere(create: () => Promise<unknown>, changes: Partial<PlaceSpec> = {}): NodePlace {
  const { zk } = Object.assign(new FakeClient(), { create });
  return new NodePlace(zk, '/n', { ...spec, ...changes });
}

it('knows the znode of a former session of ours, which a server may still show', async () => {
  const place = placeWhere(async () => ({ path: '/n' }));
  expect(place.isOfFormerSession(statOf(7))).toBe(false);
  await place.create('x', session);
  expect([place.isOfFormerSession(statOf(7)), place.isOfFormerSession(statOf(8))]).toEqual([true, false]);
});

it('knows it also where the answer to the creation was lost', async () => {
  const place = placeWhere(() => Promise.reject(new ConnectionLossError('', {}, true)));
  await expect(place.create('x', session)).rejects.toThrow(ConnectionLossError);
  expect([place.isOfFormerSession(statOf(7)), place.mayHaveMade]).toEqual([true, true]);
});

it('takes no znode of others for its own where the server has refused, or was not asked', async () => {
  for (const error of [new NodeExistsError('', {}), new ConnectionLossError('', {}, false)]) {
    const place = placeWhere(() => Promise.reject(error));
    await expect(place.create('x', session)).rejects.toThrow(error);
    expect([place.isOfFormerSession(statOf(7)), place.mayHaveMade]).toEqual([false, false]);
  }
});

it('knows by its owner what is as it would have made it', () => {
  const [ephemeral, persistent] = [placeWhere(async () => ({})), placeWhere(async () => ({}), { mode: 'persistent' })];
  const answers = [ephemeral, persistent].map((place) => [0, 7, 8].map((id) => place.isAsMade(statOf(id), session)));
  expect(answers).toEqual([
    [false, true, false],
    [true, false, false],
  ]);
});
