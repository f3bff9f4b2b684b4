import createDebug from 'debug';

/** Writes one line, with the placeholders of the `debug` package. Never give it data, credentials or passwords. */
export type Log = (format: string, ...values: readonly (string | number | boolean)[]) => void;

/** The log of one part of the client: `DEBUG=zookit:session` shows what `logOf('session')` writes. */
export function logOf(area: string): Log {
  return createDebug(`zookit:${area}`);
}
