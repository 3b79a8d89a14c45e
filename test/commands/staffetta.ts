import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { compiled } from '../setup/compiled.ts';

const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

/** What came of a command. */
export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `staffetta ARGS` in a folder, without any environment that a configuration might name. */
export function staffetta(folder: string, ...args: string[]): Promise<Outcome> {
  return new Promise((done) => {
    const child = execFile(
      process.execPath,
      [cli, ...args],
      { cwd: folder, env: { NODE_COMPILE_CACHE: compiled } },
      (_, stdout, stderr) => {
        done({ exitCode: child.exitCode ?? -1, stdout, stderr });
      },
    );
  });
}
