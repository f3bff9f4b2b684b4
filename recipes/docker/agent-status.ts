import type { AgentJournal, DockerAgentCounts, DockerAgentProblem } from './agent-journal.js';
import type { KeptInstance } from './kept-instance.js';

/** An instance that an agent has registered, or is about to. */
export interface DockerAgentInstance {
  readonly service: string;
  readonly id: string;
  readonly address: string;
  readonly port: number | null;
  readonly sslPort: number | null;
  /** False from the moment on at which its container was told to stop. */
  readonly enabled: boolean;
  /** Whether it certainly stands in ZooKeeper now, as it is shown here. */
  readonly held: boolean;
}

/** What an agent does now, and what it has done. */
export interface DockerAgentStatus {
  /** The id of its node in the Swarm, or of its engine; undefined before the engine was asked. */
  readonly node: string | undefined;
  /** Whether the events of the engine come. */
  readonly followsEngine: boolean;
  /** Whether it is the one of the managers' agents that publishes the Swarm. */
  readonly publishesSwarm: boolean;
  readonly instances: readonly DockerAgentInstance[];
  /** The problems that there are now. */
  readonly problems: readonly DockerAgentProblem[];
  readonly counts: DockerAgentCounts;
}

export function statusOf(
  state: Pick<DockerAgentStatus, 'node' | 'followsEngine' | 'publishesSwarm'>,
  kept: readonly KeptInstance[],
  journal: AgentJournal,
): DockerAgentStatus {
  const instances = kept.flatMap(({ wish, held }) => {
    if (wish === undefined) return [];
    const { name: service, id, address, port, sslPort, enabled } = wish;
    return [{ service, id, address, port, sslPort, enabled, held }];
  });
  return { ...state, instances, problems: journal.problems, counts: journal.counts };
}
