import { constants } from 'node:os';
import type { ServiceRegistration } from '../services/service-registration.js';
import { type LabelledService, readLabels, setByEngine } from './container-labels.js';
import { NoPlaceError, type NodePlace, type Place, placeOf } from './container-place.js';
import type { ContainerReport } from './container-report.js';

/** An instance as it is to be registered. */
export interface WantedInstance extends Place {
  readonly name: string;
  readonly id: string;
  readonly payload: unknown;
  readonly weight: number | null;
  readonly zone: string | null;
  /** Since when its container runs, milliseconds since 1970, where that is known. */
  readonly startedAt: number | undefined;
  /** False from the moment on at which the container was told to stop. */
  readonly enabled: boolean;
}

/** What follows from a container. */
export interface ContainerVerdict {
  readonly instances: readonly WantedInstance[];
  /** What keeps services of it from being registered, and labels that nobody knows. */
  readonly problems: readonly string[];
}

/**
 * What is to be registered of a container: all that its labels say while it runs and is not unhealthy, nothing else. One that
 * has a health check is registered when that has passed for the first time.
 */
export function judge(container: ContainerReport, node: NodePlace, isStopping: boolean): ContainerVerdict {
  const { services, problems: found } = readLabels(container.labels, container.exposed);
  if (!serves(container)) return { instances: [], problems: found };
  const problems = [...found];
  const instances = services.flatMap((service) => {
    try {
      return [instanceOf(service, container, placeOf(service, container, node), node.zone, isStopping)];
    } catch (error) {
      if (!(error instanceof NoPlaceError)) throw error;
      problems.push(`${service.name}: ${error.message}`);
      return [];
    }
  });
  return { instances, problems };
}

function serves({ running, paused, health }: ContainerReport): boolean {
  return running && !paused && (health === 'none' || health === 'healthy');
}

function instanceOf(
  { name, payload, weight, zone, suffix }: LabelledService,
  container: ContainerReport,
  place: Place,
  nodeZone: string | null,
  isStopping: boolean,
): WantedInstance {
  // The same whoever looks, and after each restart of whoever looks.
  const id = `${container.labels[setByEngine.task] ?? container.id}${suffix}`;
  return {
    ...place,
    name,
    id,
    payload,
    weight,
    zone: zone ?? nodeZone,
    startedAt: container.startedAt,
    enabled: !isStopping,
  };
}

/** As the registry takes it. What an agent before has registered is replaced, at once and in place. */
export function registrationOf(instance: WantedInstance): ServiceRegistration {
  const { startedAt, ...fields } = instance;
  return { ...fields, registrationTimeUTC: startedAt, onConflict: 'replace' };
}

/** What a signal to a container means: it is asked to end, it ends now, or neither. */
export function signalMeans(signal: string, container: ContainerReport | undefined): 'stop' | 'end' | 'nothing' {
  const number = signalNumber(signal);
  if (number === constants.signals.SIGKILL) return 'end';
  const stops = [constants.signals.SIGTERM, signalNumber(container?.stopSignal ?? 'SIGTERM')];
  return number !== undefined && stops.includes(number) ? 'stop' : 'nothing';
}

/** The first signal for programs' own use on Linux: what boots in a container may be stopped by `SIGRTMIN+3`. */
const RTMIN = 34;

/** `SIGTERM`, `TERM`, `15`: all are taken. */
function signalNumber(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text);
  const [isRealTime, offset = '0'] = /^(?:SIG)?RTMIN(?:\+(\d+))?$/i.exec(text) ?? [];
  if (isRealTime !== undefined) return RTMIN + Number(offset);
  const name = text.toUpperCase();
  const signals: Readonly<Record<string, number | undefined>> = constants.signals;
  return signals[name] ?? signals[`SIG${name}`];
}
