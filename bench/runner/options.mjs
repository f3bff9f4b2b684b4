// What `npm run bench` can be told.
import { parseArgs } from 'node:util';
import { resultsFile } from './cache.mjs';
import { parts, targets } from './cases.mjs';
import { clientNames } from './clients.mjs';

/** Names that are separated by commas; all of them where none is given. */
function names(option, text, known) {
  const given = text?.split(',') ?? known;
  const unknown = given.filter((name) => !known.includes(name));
  if (unknown.length > 0)
    throw new Error(`--${option}: there is no ${unknown.join(', ')}; known are ${known.join(', ')}`);
  return given;
}

function positive(option, text) {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${option} is ${text}; it must be a number above 0`);
  return value;
}

/** The options of the command line. Ends the process where there is something wrong with them. */
export function readOptions() {
  try {
    return parse();
  } catch (error) {
    console.error(error.message);
    process.exit(2);
  }
}

function parse() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      targets: { type: 'string' },
      clients: { type: 'string' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '1' },
      output: { type: 'string', default: resultsFile },
    },
  });
  return {
    output: values.output,
    only: names('only', values.only, parts),
    targets: names('targets', values.targets, Object.keys(targets)),
    clients: names('clients', values.clients, clientNames),
    rounds: positive('rounds', values.rounds),
    seconds: positive('seconds', values.seconds),
  };
}
