import { expect, it } from '@jest/globals';
import { Availability } from '../../../src/metrics/availability.js';

it('is time connected against time wanted', () => {
  const availability = new Availability(1_000);
  availability.up(1_200);
  expect(availability.snapshot(1_400)).toEqual({ wanted: 400, connected: 200, ratio: 0.5 });
  availability.down(1_700);
  availability.up(1_900);
  expect(availability.snapshot(2_000)).toEqual({ wanted: 1_000, connected: 600, ratio: 0.6 });
});

it('stands still once no connection is wanted', () => {
  const availability = new Availability(0);
  availability.up(0);
  availability.end(100);
  availability.end(200);
  expect(availability.snapshot(1_000)).toEqual({ wanted: 100, connected: 100, ratio: 1 });
});

it('is 0 at the very beginning, and counts nothing twice', () => {
  const availability = new Availability(0);
  expect(availability.snapshot(0)).toEqual({ wanted: 0, connected: 0, ratio: 0 });
  availability.down(10);
  availability.up(20);
  availability.up(30);
  availability.down(40);
  availability.down(50);
  expect(availability.snapshot(100).connected).toBe(20);
});
