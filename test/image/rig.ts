/** What the tests on containers share: the stacks of image/, on ports of their own. */
import { ZooKeeper } from 'zookit';
import type { Load } from '../faults/load/load.js';
import { nameOf } from '../faults/load/history.js';
import { type ComposeProject, type Container, imageUnderTest, Project } from '../support/docker.js';
import { freePort } from '../support/ports.cjs';
import { until } from '../support/until.js';

/** A session timeout that outlasts an election on a busy machine, ms. */
export const LONG = 60_000;

/** A member of an ensemble, and where its port for clients is on this machine. */
export interface Member {
  readonly name: string;
  readonly container: Container;
  readonly address: string;
}

/** The stack of compose.ensemble.yaml: zoo1 to zoo3 have a vote, zoo4 observes. */
export class ComposeEnsemble {
  private constructor(
    readonly project: Project,
    readonly compose: ComposeProject,
    readonly members: readonly Member[],
  ) {}

  static async start(): Promise<ComposeEnsemble> {
    const project = new Project();
    try {
      const names = ['zoo1', 'zoo2', 'zoo3', 'zoo4'];
      const ports: number[] = [];
      while (ports.length < names.length) {
        const port = await freePort();
        if (!ports.includes(port)) ports.push(port);
      }
      const compose = project.compose('compose.ensemble.yaml', {
        ZOOKEEPER_IMAGE: imageUnderTest(),
        ...Object.fromEntries(ports.map((port, index) => [`ZOOKEEPER_PORT_${index + 1}`, String(port)])),
      });
      const members = names.map((name, index) => ({
        name,
        container: compose.container(name),
        address: `127.0.0.1:${ports[index]}`,
      }));
      const ensemble = new ComposeEnsemble(project, compose, members);
      await compose.up();
      await ensemble.allServe();
      return ensemble;
    } catch (error) {
      await project.dispose();
      throw error;
    }
  }

  /** Those with a vote. */
  get voters(): readonly Member[] {
    return this.members.slice(0, 3);
  }

  get observer(): Member {
    return this.members[3]!;
  }

  /** The members with a vote. */
  get connectString(): string {
    return this.voters.map(({ address }) => address).join(',');
  }

  /** Waits until there is one. */
  leader(): Promise<Member> {
    return until(
      async () => {
        const healths = await Promise.all(
          this.voters.map(({ container }) => container.health().catch(() => undefined)),
        );
        return this.voters.find((_, index) => healths[index]?.says === 'serving: leader');
      },
      { what: 'a leader', timeout: 120_000, interval: 250 },
    );
  }

  async allServe(): Promise<void> {
    await Promise.all(this.members.map(({ container }) => container.untilHealth(/^serving: /)));
  }

  /** Brings all members back to where they were at the start: running, connected, serving. */
  async heal(): Promise<void> {
    for (const { container } of this.members) {
      const { Status } = await container.state();
      if (Status === 'paused') await container.unpause();
      if (Status === 'exited') await container.start();
    }
    await this.allServe();
  }

  /** A client of one member alone. */
  connect({ address }: Member, chroot = ''): Promise<ZooKeeper> {
    return ZooKeeper.connect(address + chroot, { sessionTimeout: LONG });
  }

  async dispose(): Promise<void> {
    await this.project.dispose();
  }
}

/** The reads that failed: none should, as long as the session lives on. */
export function failedReads({ clients }: Load): string[] {
  return clients.flatMap(({ history }) =>
    history.entries
      .filter(({ kind, outcome }) => kind === 'read' && outcome !== undefined && outcome.kind !== 'answered')
      .map((entry) => `${nameOf(entry)}: ${entry.outcome?.kind === 'answered' ? '' : String(entry.outcome?.error)}`),
  );
}
