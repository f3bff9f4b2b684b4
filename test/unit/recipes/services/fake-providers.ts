import { ServiceCall } from '../../../../recipes/services/service-call.js';
import type { PickOptions } from '../../../../recipes/services/provider-options.js';
import type { ServiceInstance } from '../../../../recipes/services/service-instance.js';
import type { ServiceProvider } from '../../../../recipes/services/service-provider.js';
import type { ProviderMaker } from '../../../../recipes/services/service-providers.js';

export function instance(id: string, fields: Partial<ServiceInstance> = {}): ServiceInstance {
  return {
    name: 'pricing',
    id,
    address: '10.0.0.1',
    port: 8080,
    sslPort: null,
    payload: null,
    registrationTimeUTC: 0,
    serviceType: 'DYNAMIC',
    uriSpec: null,
    enabled: true,
    weight: null,
    zone: null,
    ...fields,
  };
}

/** A registry whose providers hand out the same instances in turn, and which notes how each call ends: `a succeeded`. */
export class FakeRegistry implements ProviderMaker {
  readonly ended: string[] = [];
  readonly picks: PickOptions[] = [];
  readonly made: string[] = [];
  closed = 0;
  outstanding = 0;
  /** What the next take rejects with. */
  failure: Error | undefined;
  #turn = 0;

  constructor(public instances: readonly ServiceInstance[]) {}

  provider(name: string): ServiceProvider {
    this.made.push(name);
    const provider = {
      name,
      list: { instances: this.instances, stale: false },
      take: async (options: PickOptions) => this.#take(options),
      close: async () => {
        this.closed++;
      },
    };
    return provider as unknown as ServiceProvider;
  }

  #take(options: PickOptions): ServiceCall {
    this.picks.push(options);
    const { failure } = this;
    this.failure = undefined;
    if (failure !== undefined) throw failure;
    const others = this.instances.filter(({ id }) => options.exclude?.has(id) !== true);
    const all = others.length > 0 ? others : this.instances;
    const picked = all[this.#turn++ % all.length]!;
    this.outstanding++;
    return new ServiceCall(picked, {
      ended: (succeeded) => {
        this.outstanding--;
        this.ended.push(`${picked.id} ${succeeded === undefined ? 'ended' : succeeded ? 'succeeded' : 'failed'}`);
      },
    });
  }
}
