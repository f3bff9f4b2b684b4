import { type ErrorContext, ZooKeeperError } from '../errors.js';

/** A server could not be asked, or gave no answer that can be used. `operation` is the command. */
export abstract class AdminError extends ZooKeeperError {
  constructor(
    message: string,
    context: ErrorContext,
    /** The server that was asked: `host:port`, or the address of its AdminServer. */
    readonly server: string,
  ) {
    super(`${server}: ${message}`, context);
  }
}

/** Why a server could not be reached. */
export type UnreachableReason = 'refused' | 'tls' | 'network';

/** There is no connection to the server. It was not asked. */
export class ServerUnreachableError extends AdminError {
  readonly code = 'SERVER_UNREACHABLE';
  constructor(
    message: string,
    context: ErrorContext,
    server: string,
    /** `refused`: nobody listens there. `tls`: the TLS handshake failed. `network`: anything else; see `cause`. */
    readonly reason: UnreachableReason,
  ) {
    super(message, context, server);
  }
}
/** The server closed the connection without an answer, or in the middle of it. */
export class NoAnswerError extends AdminError {
  readonly code = 'NO_ANSWER';
}
/** The server runs, and does not serve: it has no quorum, or is starting. */
export class ServerNotServingError extends AdminError {
  readonly code = 'SERVER_NOT_SERVING';
}
/** The server does not carry out this command: it is not on the whitelist, needs other credentials, is switched off or unknown. */
export class CommandRefusedError extends AdminError {
  readonly code = 'COMMAND_REFUSED';
}
/** The answer is none to this command. Something else may listen there. The message has the beginning of the answer. */
export class UnexpectedAnswerError extends AdminError {
  readonly code = 'UNEXPECTED_ANSWER';
}

/** How much of an answer an error shows, characters. */
const SHOWN = 100;

/** The error for an answer that is none to what was asked. */
export function unexpectedAnswer(
  operation: string,
  answer: string,
  problem: string,
  server: string,
): UnexpectedAnswerError {
  const shown = JSON.stringify(answer.slice(0, SHOWN)) + (answer.length > SHOWN ? '...' : '');
  return new UnexpectedAnswerError(`the answer is none to ${operation}: ${problem}: ${shown}`, { operation }, server);
}
