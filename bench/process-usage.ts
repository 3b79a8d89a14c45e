/** What processes take of the machine, as Linux counts it. */
import { readdirSync, readFileSync } from 'node:fs';

/** Linux counts processor time in hundredths of a second, on every architecture that Node runs on. */
const tick = 10;

/** The most memory that a process took so far, in MiB; undefined where it is gone. */
export function peakOf(pid: number): number | undefined {
  const kib = /^VmHWM:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`) ?? '')?.[1];
  return kib === undefined ? undefined : Number(kib) / 1024;
}

/** Processor time of a process, its children and those that have ended, in milliseconds. */
export function processorTimeOf(pid: number): number {
  const own = statOf(pid);
  if (!own) return 0;
  const children = processes().flatMap((child) => {
    const stat = statOf(child);
    return stat?.parent === pid ? [stat.time] : [];
  });
  return (own.time + own.ended + children.reduce((sum, time) => sum + time, 0)) * tick;
}

function processes(): number[] {
  return readdirSync('/proc').map(Number).filter(Number.isInteger);
}

/** proc(5): parent, user and system time, and those of children that were waited for. */
function statOf(pid: number): { parent: number; time: number; ended: number } | undefined {
  const stat = read(`/proc/${pid}/stat`);
  // The name, in brackets, may hold anything.
  const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (!fields) return undefined;
  const [parent = 0, user = 0, system = 0, endedUser = 0, endedSystem = 0] = [1, 11, 12, 13, 14].map((index) =>
    Number(fields[index]),
  );
  return { parent, time: user + system, ended: endedUser + endedSystem };
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
