/** Values as Staffetta holds them (text, or bytes in base64) and as they go over the wire. */
import { isUtf8 } from 'node:buffer';
import type { Value } from '../target.ts';

export function toBytes(value: Value): Buffer {
  return typeof value === 'string' ? Buffer.from(value) : Buffer.from(value.base64, 'base64');
}

/** The text of a value, undefined where its bytes are not UTF-8. */
export function toText(value: Value): string | undefined {
  return typeof value === 'string' ? value : decode(toBytes(value));
}

/** A value read from a server: text unless its attribute is binary or its bytes are not UTF-8. */
export function fromBytes(bytes: Buffer, binary: boolean): Value {
  return (binary ? undefined : decode(bytes)) ?? { base64: bytes.toString('base64') };
}

/** A directory never holds an empty value (RFC 4511 §4.1.7, RFC 4512 §2.2): it stands for no value. */
export function isEmpty(value: Value): boolean {
  return typeof value === 'string' ? value === '' : toBytes(value).length === 0;
}

function decode(bytes: Buffer): string | undefined {
  return isUtf8(bytes) ? bytes.toString() : undefined;
}
