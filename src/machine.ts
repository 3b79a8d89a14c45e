/** Processes of this machine, so that a daemon can see at once that another one here is dead. */
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';

/**
 * Names this machine, since it was started, and the process namespace (the container) that we see of it: where the name
 * is the same, a process id means the same process. Null where the system does not say (only Linux does).
 */
export function thisMachine(): string | null {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return createHash('sha256')
      .update(`${boot} ${readlinkSync('/proc/self/ns/pid')}`)
      .digest('hex');
  } catch {
    return null;
  }
}

/** Whether a process of this machine is at work, or may go on later. One that nobody waited for (a zombie) is dead. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH'); // EPERM: somebody else's
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2)); // its name, in brackets, may hold anything
  } catch {
    return true;
  }
}
