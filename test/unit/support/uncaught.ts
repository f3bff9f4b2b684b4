import { jest } from '@jest/globals';

/**
 * The exceptions that left ticks uncaught, until some turns after `run`. Jest gives tests a process object that hears
 * of no uncaught exceptions, so they are caught right where they would leave the tick.
 */
export async function uncaughtDuring(run: () => void | Promise<void>): Promise<unknown[]> {
  const caught: unknown[] = [];
  const nextTick = process.nextTick.bind(process);
  const spy = jest.spyOn(process, 'nextTick').mockImplementation((tick) => {
    nextTick(() => {
      try {
        (tick as () => void)();
      } catch (error) {
        caught.push(error);
      }
    });
  });
  try {
    await run();
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
  } finally {
    spy.mockRestore();
  }
  return caught;
}
