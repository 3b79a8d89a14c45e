import { Command } from 'commander';
import { backendListCommand } from './backend-list.ts';
import { backendPayloadCommand } from './backend-payload.ts';
import { backendPingCommand } from './backend-ping.ts';
import { backendTestCommand } from './backend-test.ts';

/** `staffetta backend …`: looks at the backends of script targets, and tries them. */
export function backendCommand(): Command {
  const commands = [backendListCommand(), backendPingCommand(), backendPayloadCommand(), backendTestCommand()];
  const command = new Command('backend')
    .description('look at the backends of script targets, and try them')
    .exitOverride();
  for (const one of commands) command.addCommand(one);
  return command.helpCommand(false);
}
