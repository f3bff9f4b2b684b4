import createDebug from 'debug';
import type Long from 'long';

/** Writes one line, with the placeholders of the `debug` package. Never give it data, credentials or passwords. */
export type Log = (format: string, ...values: readonly (string | number | boolean)[]) => void;

/** The log of one part of the client: `DEBUG=zookit:session` shows what `logOf('session')` writes. */
export function logOf(area: string): Log {
  return createDebug(`zookit:${area}`);
}

/** A session id or a zxid in hexadecimal, as servers log it. */
export function hexOf(value: Long): string {
  return `0x${value.toUnsigned().toString(16)}`;
}

/** What a line of the log says beside its message. What is not known is left out. */
export interface LogFields {
  /** Id of the session in hexadecimal, as servers log it; `0x0` before the first connection. */
  readonly session: string;
  /** `host:port` of the server that it is about, or that was used or tried last. */
  readonly server?: string | undefined;
  /** Why. */
  readonly cause?: Error | undefined;
  /** Which attempt since the last connection, from 1. */
  readonly attempt?: number | undefined;
  /** Negotiated session timeout, milliseconds. */
  readonly sessionTimeout?: number | undefined;
  /** The highest zxid that the client has seen, in hexadecimal. */
  readonly lastZxid?: string | undefined;
  /** Operations that wait for a connection. */
  readonly queued?: number | undefined;
}

/**
 * Where a client writes what happens to its sessions: the option `logger`. `console` is one, and so is a logger of
 * winston or of any library that takes the message first. The message alone names the session and the server. What it
 * throws is dropped.
 */
export interface Logger {
  debug(message: string, fields: LogFields): void;
  /** Without it, such lines go to `debug`. */
  info?(message: string, fields: LogFields): void;
  warn(message: string, fields: LogFields): void;
  error(message: string, fields: LogFields): void;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What a line is about. */
export type LogArea = 'session' | 'connection';

const debugs = { session: logOf('session'), connection: logOf('connection') } as const;

/**
 * The log of one client. Lines go to its logger, if it has one, and to the `debug` package, which shows them on request
 * only. Never give it data, credentials or passwords.
 */
export class ClientLog {
  constructor(private readonly logger?: Logger) {}

  write(level: LogLevel, area: LogArea, what: string, fields: LogFields): void {
    const { session, server = 'none', cause } = fields;
    const reason = cause === undefined ? '' : `: ${cause.message}`;
    const message = `session ${session}, server ${server}: ${what}${reason}`;
    debugs[area]('%s', message);
    // On a turn of its own: a logger is user code, and here a change of state may be half done.
    const { logger } = this;
    if (logger !== undefined) process.nextTick(() => hand(logger, level, `zookit ${message}`, fields));
  }
}

/** What goes wrong in a logger is its own affair: nobody would learn of it but by a further line. */
function hand(logger: Logger, level: LogLevel, message: string, fields: LogFields): void {
  try {
    const known = level === 'info' && logger.info === undefined ? 'debug' : level;
    const answer: unknown = logger[known]?.(message, fields);
    if (answer instanceof Promise) answer.catch(() => undefined);
  } catch {
    // Dropped, as the interface says.
  }
}
