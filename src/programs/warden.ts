/**
 * Ends programs whose daemon is gone. One that is killed can end nothing itself, and what it had started would go on
 * writing to a target after others have taken over its deliveries (PROTOCOL B7). So a small shell, in a session of its own,
 * is told which process groups run; when it hears nothing more because its owner is gone, however that went, it ends them.
 */
import { spawn } from 'node:child_process';
import { Socket } from 'node:net';

const script = `
groups=' '
while read -r what group; do
  case $what in
    began) groups="$groups$group " ;;
    ended) groups="\${groups%% $group *} \${groups#* $group }" ;;
  esac
done
for group in $groups; do kill -s KILL -- "-$group"; done
`;

export class Warden {
  #pipe: Socket | undefined;

  /** A process group runs from now on. */
  began(group: number): void {
    this.#tell(`began ${group}\n`);
  }

  /** It does not run any more: its number may become another's. */
  ended(group: number): void {
    this.#tell(`ended ${group}\n`);
  }

  #tell(what: string): void {
    this.#pipe ??= this.#start();
    this.#pipe?.write(what);
  }

  /** Undefined: it cannot be started, and programs run without it. */
  #start(): Socket | undefined {
    const shell = spawn('/bin/sh', ['-c', script, 'staffetta-warden'], {
      cwd: '/',
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    shell.on('error', () => {});
    shell.on('exit', () => {
      this.#pipe = undefined;
    });
    shell.unref();
    const { stdin } = shell;
    stdin.on('error', () => {});
    // Nobody waits for it to end.
    if (!(stdin instanceof Socket)) return undefined;
    stdin.unref();
    return stdin;
  }
}
