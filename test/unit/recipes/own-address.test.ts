import { networkInterfaces } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import { InvalidArgumentError } from 'zookit';
import {
  type AddressChoice,
  checkAddressChoice,
  chosenAddress,
  ownAddresses,
} from '../../../recipes/services/own-address.js';

const subject = { operation: 'test' };
const loopback = ownAddresses().find(({ internal, family }) => internal && family === 4);

describe('ownAddresses', () => {
  it('has all addresses of this host, those that others can reach first', () => {
    const all = Object.values(networkInterfaces()).flatMap((each) => each?.map(({ address }) => address) ?? []);
    const own = ownAddresses();
    expect(own.map(({ address }) => address).sort()).toEqual(all.sort());
    const firstInternal = own.findIndex(({ internal }) => internal);
    expect(own.slice(firstInternal).some(({ internal, family }) => !internal && family === 4)).toBe(false);
  });
});

describe('the address of an instance', () => {
  it('may be said', async () => {
    expect(await chosenAddress('cart.internal', subject)).toBe('cart.internal');
  });

  it('is by default the first that others can reach', async () => {
    const [first] = ownAddresses().filter(({ internal }) => !internal);
    expect(await chosenAddress(undefined, subject)).toBe(first?.address ?? '127.0.0.1');
  });

  it('may be chosen by interface, network and family', async () => {
    const { interface: name = '', address = '' } = loopback ?? {};
    const exactly = new RegExp(`^${name}$`, 'g');
    for (const choice of [
      { interface: name, family: 4 },
      { interface: exactly, family: 4 },
      { network: '127.0.0.0/8' },
      { network: ['203.0.113.0/24', `${address}/32`] },
    ] as const) {
      for (let time = 0; time < 2; time++) expect(await chosenAddress(choice, subject)).toBe(address);
    }
  });

  it('may be chosen by a function, which gets them all', async () => {
    const choice: AddressChoice = async (addresses) => addresses.find(({ internal }) => internal)?.address ?? '';
    expect(await chosenAddress(choice, subject)).toBe(ownAddresses().find(({ internal }) => internal)?.address);
    await expect(chosenAddress(() => '', subject)).rejects.toThrow(InvalidArgumentError);
    await expect(chosenAddress(() => Promise.reject(new Error('no network')), subject)).rejects.toThrow('no network');
  });

  it('is refused where none fits, with those that there are', async () => {
    const choosing = chosenAddress({ network: '203.0.113.0/24', family: 4 }, subject);
    await expect(choosing).rejects.toThrow(InvalidArgumentError);
    await expect(choosing).rejects.toThrow(
      `no address of this host fits the network 203.0.113.0/24, IPv4; it has ${ownAddresses()[0]?.interface ?? ''}`,
    );
  });

  it.each([
    [''],
    [7],
    [null],
    [{ interfaces: 'lo' }],
    [{ family: 5 }],
    [{ network: '10.0.0.0' }],
    [{ network: '10.0.0.0/33' }],
    [{ network: 'fd00::/129' }],
    [{ network: 'x/8' }],
  ])('is not %j', (choice) => {
    expect(() => checkAddressChoice(choice as AddressChoice, subject)).toThrow(InvalidArgumentError);
  });
});
