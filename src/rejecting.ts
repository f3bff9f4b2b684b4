/** Runs what returns a promise; what it throws is a rejection, too. No further promise comes between, for the order. */
export function rejecting<T>(run: () => Promise<T>): Promise<T> {
  try {
    return run();
  } catch (error) {
    if (error instanceof Error) return Promise.reject(error);
    throw error;
  }
}
