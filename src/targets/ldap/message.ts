/** LDAP messages on the wire (RFC 4511 §4.2 to §4.12), as ldapts encodes and decodes them. */
import {
  type AddRequest,
  Ber,
  BerWriter,
  type BindRequest,
  type DeleteRequest,
  type ExtendedRequest,
  InvalidAsn1Error,
  type ModifyDNRequest,
  type ModifyRequest,
  ProtocolOperation,
  type SearchRequest,
} from 'ldapts';
import { TargetError } from '../target.ts';

export type Request =
  | AddRequest
  | BindRequest
  | DeleteRequest
  | ExtendedRequest
  | ModifyDNRequest
  | ModifyRequest
  | SearchRequest;

/** Any message that a server sends. */
export interface Response {
  readonly messageId: number;
}

const writes: readonly number[] = [
  ProtocolOperation.LDAP_REQ_ADD,
  ProtocolOperation.LDAP_REQ_DELETE,
  ProtocolOperation.LDAP_REQ_MODIFY,
  ProtocolOperation.LDAP_REQ_MODRDN,
];

/** Does this request change something? */
export function isWrite(message: Request): boolean {
  return writes.includes(message.protocolOperation);
}

/**
 * The bytes of a message; throws `rejected` for one over 16 MB, which ldapts cannot write. Its writer shifts sequences over 64 KiB by a byte without asking for room, which cuts the
 * end off a message that just fills its buffer: here the buffer is always large enough.
 */
export function encode(message: Request): Buffer {
  try {
    return write(message);
  } catch (error) {
    if (!(error instanceof InvalidAsn1Error)) throw error;
    throw new TargetError('rejected', 'the values are too large for one LDAP message: 16 MB is the most', {
      cause: error,
    });
  }
}

function write(message: Request): Buffer {
  const small = message.write();
  if (small.length < 0x8000) return small;
  const writer = new BerWriter({ size: small.length + 0x8000 });
  writer.startSequence();
  writer.writeInt(message.messageId, Ber.Integer);
  writer.startSequence(message.protocolOperation);
  message.writeMessage(writer);
  writer.endSequence();
  if (message.controls !== undefined && message.controls.length > 0) {
    writer.startSequence(ProtocolOperation.LDAP_CONTROLS);
    for (const control of message.controls) control.write(writer);
    writer.endSequence();
  }
  writer.endSequence();
  return writer.buffer;
}
