import { EventEmitter } from 'node:events';
import { Agent, type ClientRequest } from 'node:http';
import { Socket } from 'node:net';
import { expect, it } from '@jest/globals';
import { AgentRouter } from '../../../../recipes/services/agent-router.js';
import { settle } from '../fake-client.js';
import { FakeRegistry, instance } from './fake-providers.js';

it('a connection that is not needed any more when it is made is ended, and not given to anybody else', async () => {
  const socket = new Socket();
  const added: unknown[] = [];
  const router = new AgentRouter(
    new FakeRegistry([instance('a')]),
    {},
    {
      agent: new Agent(),
      options: {},
      secure: false,
      connect: () => socket,
      // As an agent does that has a free connection by now.
      add: (_, { host, port }) => void added.push(host, port),
    },
  );
  const request = Object.assign(new EventEmitter(), { destroyed: false, destroy: () => undefined });
  router.addRequest(request as unknown as ClientRequest, { host: 'pricing' });
  await settle();
  expect(added).toEqual([]);
  socket.emit('connect');
  await settle();
  expect([added, socket.destroyed, router.takePrepared()]).toEqual([['10.0.0.1', 8080], true, undefined]);
});
