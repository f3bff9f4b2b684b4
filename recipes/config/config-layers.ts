import { checkPath, InvalidArgumentError } from 'zookit';

/** One of the layers that a configuration is made of. */
export interface ConfigLayer {
  readonly name: string;
  readonly path: string;
}

/** The usual layers, each over those before it: all services, one of them, its zone, this instance. */
export interface ConfigLayers {
  readonly global?: string | undefined;
  readonly service?: string | undefined;
  readonly zone?: string | undefined;
  readonly instance?: string | undefined;
}

/** Where a configuration stands: in one znode, or in layers; those of a list are in the order of the list. */
export type ConfigPaths = string | ConfigLayers | readonly ConfigLayer[];

const usual = ['global', 'service', 'zone', 'instance'] as const satisfies readonly (keyof ConfigLayers)[];

/**
 * The layers, the lowest first. A path alone is a layer that has the path as its name.
 *
 * @throws InvalidPathError, InvalidArgumentError.
 */
export function layersOf(paths: ConfigPaths, operation: string): readonly [ConfigLayer, ...ConfigLayer[]] {
  const [first, ...rest] = listOf(paths, operation);
  if (first === undefined) throw new InvalidArgumentError('there is no layer; at least one is needed', { operation });
  const layers: [ConfigLayer, ...ConfigLayer[]] = [first, ...rest];
  for (const { path } of layers) checkPath(path, operation);
  for (const part of ['name', 'path'] as const)
    for (const [index, layer] of layers.entries())
      if (layers.findIndex((other) => other[part] === layer[part]) !== index)
        throw new InvalidArgumentError(`two layers have the ${part} ${layer[part]}`, { operation });
  return layers;
}

function listOf(paths: unknown, operation: string): readonly ConfigLayer[] {
  if (typeof paths === 'string') return [{ name: paths, path: paths }];
  if (Array.isArray(paths)) {
    const list: unknown[] = paths;
    return list.map((layer) => {
      if (isLayer(layer)) return { name: layer.name, path: layer.path };
      throw new InvalidArgumentError('a layer must be { name, path }', { operation });
    });
  }
  if (typeof paths !== 'object' || paths === null)
    throw new InvalidArgumentError('it must be a path, layers by name, or a list of layers', { operation });
  const given = paths as Readonly<Record<string, unknown>>;
  for (const name of Object.keys(given))
    if (!(usual as readonly string[]).includes(name))
      throw new InvalidArgumentError(
        `there is no layer ${JSON.stringify(name)}; known are ${usual.join(', ')}; others are given as a list`,
        { operation },
      );
  return usual.flatMap((name) => (given[name] === undefined ? [] : [{ name, path: given[name] as string }]));
}

function isLayer(layer: unknown): layer is ConfigLayer {
  if (typeof layer !== 'object' || layer === null) return false;
  const { name, path } = layer as Partial<Record<keyof ConfigLayer, unknown>>;
  return typeof name === 'string' && name !== '' && typeof path === 'string';
}
