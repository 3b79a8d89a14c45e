import { execFile } from 'node:child_process';
import { mkdtemp, rm, rmdir, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A file system in memory, of a few megabytes, that can be full. */
export interface SmallDisk {
  readonly path: string;
  /** Leaves so many megabytes on it. */
  fill(spare: number): Promise<void>;
  /** Gives back what `fill` took. */
  free(): Promise<void>;
  close(): Promise<void>;
}

const megabyte = 1 << 20;

/** Only root may mount: an ordinary user needs a sudo that asks for no password. */
async function asRoot(...command: readonly [string, ...string[]]): Promise<void> {
  const [program, ...args] = process.getuid?.() === 0 ? command : (['sudo', '-n', ...command] as const);
  await promisify(execFile)(program, args);
}

/** Mounts a disk in the folder of temporary files. */
export async function createSmallDisk(megabytes: number): Promise<SmallDisk> {
  const path = await mkdtemp(join(tmpdir(), 'staffetta-disk-'));
  const owner = process.getuid?.() ?? 0;
  await asRoot('mount', '-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0755,uid=${owner}`, 'staffetta-disk', path);
  const ballast = join(path, 'ballast');
  return {
    path,
    fill: async (spare) => {
      const { bavail, bsize } = await statfs(path);
      await writeFile(ballast, Buffer.alloc((Math.floor((bavail * bsize) / megabyte) - spare) * megabyte));
    },
    free: () => rm(ballast),
    close: async () => {
      await asRoot('umount', path);
      await rmdir(path);
    },
  };
}
