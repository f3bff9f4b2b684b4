import { isIPv6 } from 'node:net';
import { InvalidArgumentError } from 'zookit';
import type { ServiceInstance, UriPart, UriTemplate } from './service-instance.js';

/** What the variables of a template are replaced with, beside those of the instance. */
export type UriVariables = Readonly<Record<string, string | number>>;

/**
 * A template in Curator's notation: `{scheme}://{address}:{port}/v1`. A brace itself is the variable `[` or `]`.
 * @throws InvalidArgumentError where braces are not in pairs.
 */
export function parseUriTemplate(text: string): UriTemplate {
  const refuse = (problem: string): never => {
    const message = `the uriSpec ${JSON.stringify(text)} is no template: ${problem}`;
    throw new InvalidArgumentError(message, { operation: 'register' });
  };
  const parts: UriPart[] = [];
  let isInside = false;
  for (const token of text.split(/([{}])/)) {
    if (token === '{' && isInside) refuse('there is a "{" inside of a variable');
    else if (token === '}' && !isInside) refuse('there is a "}" without a "{"');
    else if (token === '{' || token === '}') isInside = !isInside;
    else if (isInside && token.trim() === '') refuse('a variable has no name');
    else if (token !== '') parts.push({ value: isInside ? token.trim() : token, variable: isInside });
  }
  if (isInside) refuse('a variable has no "}"');
  return { parts };
}

/**
 * Where to reach an instance, by its template. Its variables are those of Curator: `scheme` (`https` where there is an
 * sslPort, else `http`), `name`, `id`, `address`, `port`, `ssl-port`, `registration-time-utc`, `service-type`, `[` and
 * `]`; what it has none of is left empty. `variables` come first.
 *
 * An IPv6 address gets its brackets. Without a template it is `https://address:sslPort`, or `http://address:port`.
 *
 * @throws InvalidArgumentError for a variable that nobody has given.
 */
export function uriOf(instance: ServiceInstance, variables: UriVariables = {}): string {
  const known = new Map<string, string | number>(Object.entries({ ...variablesOf(instance), ...variables }));
  let uri = '';
  for (const { value, variable } of partsOf(instance)) {
    if (!variable) {
      uri += value;
      continue;
    }
    const replacement = known.get(value);
    if (replacement === undefined) {
      const problem = `the template needs the variable ${JSON.stringify(value)}; known are ${[...known.keys()].join(', ')}`;
      throw new InvalidArgumentError(problem, { operation: `uriOf ${instance.name} ${instance.id}` });
    }
    const needsBrackets = value === 'address' && isIPv6(String(replacement)) && !uri.endsWith('[');
    uri += needsBrackets ? `[${replacement}]` : String(replacement);
  }
  return uri;
}

function variablesOf(instance: ServiceInstance): UriVariables {
  const { name, id, address, port, sslPort, registrationTimeUTC, serviceType } = instance;
  return {
    scheme: sslPort === null ? 'http' : 'https',
    name,
    id,
    address: address ?? '',
    port: port ?? '',
    'ssl-port': sslPort ?? '',
    'registration-time-utc': registrationTimeUTC,
    'service-type': serviceType.toLowerCase(),
    '[': '{',
    ']': '}',
  };
}

function partsOf({ uriSpec, port, sslPort }: ServiceInstance): readonly UriPart[] {
  if (uriSpec !== null) return uriSpec.parts;
  const usual = parseUriTemplate('{scheme}://{address}').parts;
  if (port === null && sslPort === null) return usual;
  return [...usual, ...parseUriTemplate(sslPort === null ? ':{port}' : ':{ssl-port}').parts];
}
