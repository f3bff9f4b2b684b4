import { BlockList, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { type ErrorContext, InvalidArgumentError } from 'zookit';
import { checkNames } from '../common/options.js';

/** An address of this host. */
export interface OwnAddress {
  readonly address: string;
  readonly family: 4 | 6;
  /** The name of the interface that has it: `eth0`. */
  readonly interface: string;
  /** Whether only this host can reach it: a loopback. */
  readonly internal: boolean;
}

/** Which of the addresses of this host others reach it by: the first that has all of this, IPv4 first. */
export interface AddressFilter {
  /** The name of the interface, or what it must match. */
  readonly interface?: string | RegExp | undefined;
  /** A network, or several, in CIDR notation: `10.0.0.0/8`. */
  readonly network?: string | readonly string[] | undefined;
  readonly family?: 4 | 6 | undefined;
}

/** Where others reach an instance: this text, or the address of this host that a filter or a function chooses. */
export type AddressChoice = string | AddressFilter | ((addresses: readonly OwnAddress[]) => string | Promise<string>);

/** The addresses of this host, those that others can reach first, IPv4 before IPv6. */
export function ownAddresses(): OwnAddress[] {
  const addresses = Object.entries(networkInterfaces()).flatMap(([name, each = []]) =>
    each.map(({ address, family, internal }): OwnAddress => ({
      address,
      family: family === 'IPv6' ? 6 : 4,
      interface: name,
      internal,
    })),
  );
  const rank = (each: OwnAddress): number => (isReachable(each) ? 0 : 2) + (each.family === 4 ? 0 : 1);
  return addresses.sort((a, b) => rank(a) - rank(b));
}

/** Neither internal nor link-local. */
function isReachable({ internal, address }: OwnAddress): boolean {
  return !internal && !address.startsWith('fe80:') && !address.startsWith('169.254.');
}

/**
 * The address that is meant. Without a choice: the first that others can reach; where there is none, that of the loopback.
 * @throws InvalidArgumentError where nothing fits; what the function throws.
 */
export async function chosenAddress(choice: AddressChoice | undefined, subject: ErrorContext): Promise<string> {
  if (typeof choice === 'string') return checkedAddress(choice, subject);
  const addresses = ownAddresses();
  if (choice === undefined) return addresses.find(isReachable)?.address ?? '127.0.0.1';
  if (typeof choice === 'function') return checkedAddress(await choice(addresses), subject);
  const fits = filterOf(choice, subject);
  // Who names an interface or a network may mean a loopback.
  const isNamed = choice.interface !== undefined || choice.network !== undefined;
  const fitting = addresses.find((each) => (isNamed || isReachable(each)) && fits(each));
  if (fitting !== undefined) return fitting.address;
  const known = addresses.map(({ interface: name, address }) => `${name} ${address}`).join(', ');
  throw new InvalidArgumentError(`no address of this host fits ${described(choice)}; it has ${known}`, subject);
}

/** Refuses what is no choice of an address, before anything is asked of the host. @throws InvalidArgumentError. */
export function checkAddressChoice(choice: AddressChoice | undefined, subject: ErrorContext): void {
  if (choice === undefined || typeof choice === 'function') return;
  if (typeof choice === 'string') checkedAddress(choice, subject);
  else filterOf(choice, subject);
}

function checkedAddress(address: string, subject: ErrorContext): string {
  if (typeof address === 'string' && address !== '') return address;
  const problem = `the address of a service is ${JSON.stringify(address)}; it must be a text that is not empty`;
  throw new InvalidArgumentError(problem, subject);
}

function filterOf(filter: AddressFilter, subject: ErrorContext): (address: OwnAddress) => boolean {
  if (typeof filter !== 'object' || filter === null)
    throw new InvalidArgumentError('the address of a service must be a text, a filter or a function', subject);
  checkNames(filter, ['interface', 'network', 'family'], subject);
  const { interface: name, network, family } = filter;
  if (family !== undefined && family !== 4 && family !== 6)
    throw new InvalidArgumentError(`the family of an address is ${String(family)}; it must be 4 or 6`, subject);
  const list = network === undefined ? undefined : networksOf([network].flat(), subject);
  return (each) =>
    (family === undefined || each.family === family) &&
    (name === undefined || (typeof name === 'string' ? each.interface === name : each.interface.search(name) >= 0)) &&
    (list === undefined || list.check(each.address, each.family === 4 ? 'ipv4' : 'ipv6'));
}

function networksOf(networks: readonly string[], subject: ErrorContext): BlockList {
  const list = new BlockList();
  for (const network of networks) {
    const [, address = '', prefix = ''] = /^([^/]+)\/(\d{1,3})$/.exec(network) ?? [];
    const family = isIP(address);
    if (family === 0 || Number(prefix) > (family === 4 ? 32 : 128)) {
      const problem = `the network ${JSON.stringify(network)} is none; it must be as "10.0.0.0/8" is`;
      throw new InvalidArgumentError(problem, subject);
    }
    list.addSubnet(address, Number(prefix), family === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}

function described({ interface: name, network, family }: AddressFilter): string {
  const parts = [
    name !== undefined && `the interface ${String(name)}`,
    network !== undefined && `the network ${[network].flat().join(' or ')}`,
    family !== undefined && `IPv${family}`,
  ];
  return parts.filter((part) => part !== false).join(', ') || 'the filter';
}
