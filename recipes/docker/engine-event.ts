import { fieldsOf, numberOrNone, partOf, textOf, textsOf } from './answer-fields.js';
import { DockerEngineError } from './errors.js';

/** Something that an engine tells of. */
export interface EngineEvent {
  /** `container`, `network`, `node`, `service`. */
  readonly type: string;
  /** `start`, `die`, `health_status`, ...; without what stands behind a colon. */
  readonly action: string;
  /** The id of the container, network, node or service. */
  readonly id: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Microseconds since 1970, by the clock of the engine. */
  readonly time: number | undefined;
}

/**
 * What is asked for. Without the list of actions, each health check of each container would be told of three times.
 */
export const eventFilters: Readonly<Record<string, readonly string[]>> = {
  type: ['container', 'network', 'node', 'service'],
  event: [
    ...['start', 'kill', 'die', 'destroy', 'pause', 'unpause', 'health_status'],
    ...['connect', 'disconnect'],
    ...['create', 'update', 'remove'],
  ],
};

/** Reads one line of the stream. @throws DockerEngineError. */
export function readEvent(line: string): EngineEvent {
  let answer: unknown;
  try {
    answer = JSON.parse(line);
  } catch (cause) {
    throw new DockerEngineError(`an event is no JSON: ${line.slice(0, 80)}`, { cause });
  }
  const event = fieldsOf(answer, 'event');
  const actor = partOf(event, 'Actor', 'event');
  const nanoseconds = numberOrNone(event, 'timeNano', 'event');
  return {
    type: textOf(event, 'Type', 'event'),
    action: textOf(event, 'Action', 'event').split(':')[0] ?? '',
    id: textOf(actor, 'ID', 'Actor'),
    attributes: textsOf(actor, 'Attributes', 'Actor'),
    // Nanoseconds are more than a number can hold.
    time: nanoseconds === undefined ? undefined : Math.floor(nanoseconds / 1_000),
  };
}

/** Microseconds as engines take them. */
export function sinceText(microseconds: number): string {
  const seconds = Math.floor(microseconds / 1_000_000);
  return `${seconds}.${String(microseconds % 1_000_000).padStart(6, '0')}`;
}
