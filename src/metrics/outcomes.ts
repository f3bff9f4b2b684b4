import { type Failure, ServerFailure, UnansweredFailure } from '../errors.js';

/** Codes that are known already: to make an error for each failure would cost too much. */
const known = new Map<number | string, string>();

/** The `code` of the error that a failure becomes. */
export function codeOf(failure: Failure): string {
  const key = keyOf(failure);
  const code = known.get(key) ?? failure.toError({}).code;
  // Numbers that no server of today sends are not worth remembering.
  if (code !== 'UNKNOWN_SERVER_ERROR') known.set(key, code);
  return code;
}

function keyOf(failure: Failure): number | string {
  if (failure instanceof ServerFailure) return failure.serverCode;
  return failure instanceof UnansweredFailure ? failure.kind : failure.constructor.name;
}
