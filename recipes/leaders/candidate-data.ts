/** What a candidate tells of itself beside its id. What is at its default is left out. */
export interface CandidateDetails {
  /** Left out: ready. */
  readonly ready?: boolean | undefined;
  readonly payload?: unknown;
  /** By which a candidate finds its own znode. */
  readonly key?: string | undefined;
}

/** The data of a candidate's znode. */
export interface CandidateData extends CandidateDetails {
  readonly id: string;
}

/**
 * The data of a candidate's znode: the id alone, as Curator has it; where there is more to tell, one more line with that
 * as JSON, which readers of other languages take to be a part of the id.
 */
export function encodeCandidate({ id, ready, payload, key }: CandidateData): string {
  const details: CandidateDetails = { ready, payload, key };
  const text = JSON.stringify(details);
  return text === '{}' ? id : `${id}\n${text}`;
}

/** Reads what {@link encodeCandidate} or somebody else has written; never throws. */
export function decodeCandidate(text: string): CandidateData {
  const end = text.lastIndexOf('\n');
  const details = end === -1 ? undefined : detailsIn(text.slice(end + 1));
  return details === undefined ? { id: text } : { id: text.slice(0, end), ...details };
}

/** Undefined where the line is not of our making: then it belongs to the id. */
function detailsIn(line: string): CandidateDetails | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { ready, payload, key, ...others } = value as Record<string, unknown>;
  const isOurs =
    Object.keys(others).length === 0 &&
    (ready === undefined || typeof ready === 'boolean') &&
    (key === undefined || typeof key === 'string');
  return isOurs ? { ready, payload, key } : undefined;
}
