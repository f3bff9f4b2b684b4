import { describe, expect, it } from '@jest/globals';
import { type Delivery, findLosses, type Put } from '../../support/histories/deliveries.js';

const stored: Put = { item: 'a', outcome: 'stored' };
const delivered: Delivery = { item: 'a', consumer: 'c', done: true };

describe('findLosses', () => {
  it.each<[string, Put[], Delivery[]]>([
    ['what was put is delivered', [stored], [delivered]],
    ['it comes back from a consumer that has not finished', [stored], [{ ...delivered, done: false }, delivered]],
    ['what may not have been stored is not delivered', [{ item: 'a', outcome: 'unknown' }], []],
    ['what may not have been stored is delivered', [{ item: 'a', outcome: 'unknown' }], [delivered]],
    ['what was refused is not delivered', [{ item: 'a', outcome: 'refused' }], []],
  ])('lets pass: %s', (_, puts, deliveries) => {
    expect(findLosses(puts, deliveries)).toEqual([]);
  });

  it.each<[string, Put[], Delivery[], RegExp]>([
    ['an item that is lost', [stored], [], /a was lost/],
    ['an item that was done, and comes again', [stored], [delivered, delivered], /which was done/],
    ['an item of nobody', [], [delivered], /which nobody has put/],
    ['an item that was refused', [{ item: 'a', outcome: 'refused' }], [delivered], /which was refused/],
  ])('catches: %s', (_, puts, deliveries, problem) => {
    expect(findLosses(puts, deliveries).join()).toMatch(problem);
  });
});
