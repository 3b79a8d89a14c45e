/** What failures of the file system and of SQLite mean for the target. */
import { TargetError, type TargetErrorKind } from '../target.ts';
import { resultCode } from './sqlite.ts';

/** What is full, slow or busy for now. */
const passingFiles = new Set(['ENOSPC', 'EDQUOT', 'EIO', 'EMFILE', 'ENFILE', 'EAGAIN', 'EBUSY', 'ESTALE', 'ETIMEDOUT']);

/** SQLite: busy, locked, out of memory, input or output failed, the disk is full. */
const passing = new Set([5, 6, 7, 10, 13]);

/** SQLite: no permission, read-only, corrupt, cannot be opened, not allowed, no database. */
const lasting = new Set([3, 8, 11, 14, 23, 26]);

/** Any error as a TargetError: what passes by itself makes the target wait, what does not stops it. */
export function failureOf(what: string, error: unknown, options: { unsure?: boolean } = {}): TargetError {
  if (error instanceof TargetError) return error;
  const kind = kindOf(error);
  if (!(error instanceof Error) || kind === undefined) throw error;
  return new TargetError(kind, `${what}: ${error.message}`, { ...options, cause: error });
}

/** Undefined: a mistake of ours. */
function kindOf(error: unknown): TargetErrorKind | undefined {
  const code = resultCode(error);
  if (code !== undefined) return passing.has(code) ? 'unavailable' : lasting.has(code) ? 'misconfigured' : 'unknown';
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined;
  return passingFiles.has(String(error.code)) ? 'unavailable' : 'misconfigured';
}
