/** The id of an entry that survives renames: entryUUID (RFC 4530), or what other products have in its place. */
export type StableIdAttribute = 'entryUUID' | 'objectGUID' | 'nsUniqueId';

/** The id as text. Active Directory writes the first three groups of a GUID with their lowest byte first. */
export function readStableId(attribute: StableIdAttribute, bytes: Buffer): string {
  if (attribute !== 'objectGUID') return bytes.toString().toLowerCase();
  const hex = swap(bytes).toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** The bytes by which an id is searched for. */
export function writeStableId(attribute: StableIdAttribute, id: string): Buffer {
  return attribute === 'objectGUID' ? swap(Buffer.from(id.replaceAll('-', ''), 'hex')) : Buffer.from(id);
}

function swap(bytes: Buffer): Buffer {
  const part = (from: number, to: number): Buffer => Buffer.from(bytes.subarray(from, to)).reverse();
  return Buffer.concat([part(0, 4), part(4, 6), part(6, 8), bytes.subarray(8)]);
}
