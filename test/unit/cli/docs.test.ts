import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from '@jest/globals';
import { agentOptions } from '../../../cli/agent-command.js';
import type { OptionSpec } from '../../../cli/option-table.js';

it('has the options of the agent on its page, with their variables and defaults, and no others', () => {
  const page = readFileSync(join(__dirname, '..', '..', '..', 'docs', 'swarm.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `--([a-z-]+)` \| `(\w+)` \| (.*) \|$/gm)];
  const shown = rows.map(([, flag, variable]) => [flag, variable]);
  expect(shown).toEqual(Object.entries(agentOptions).map(([flag, { env }]) => [flag, env]));
  for (const [, flag, , says] of rows) {
    const option: OptionSpec = agentOptions[flag as keyof typeof agentOptions];
    if (option.default !== undefined)
      expect([flag, says!.replaceAll('`', '')]).toEqual([flag, expect.stringMatching(`^${option.default}`)]);
  }
});
