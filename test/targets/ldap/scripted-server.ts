/** An LDAP server that does what a test tells it: for what a real one will not do on command. */
import { EventEmitter, once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { Ber, BerReader, BerWriter, ProtocolOperation } from 'ldapts';

/** A request as the script sees it. */
export interface Received {
  readonly id: number;
  /** The tag of the operation: `ProtocolOperation.LDAP_REQ_…`. */
  readonly operation: number;
  /** Which connection it came over, counted from 1. */
  readonly connection: number;
  readonly bytes: Buffer;
  /** The base of a search, the DN of a bind or a change, as far as it is the first text in the message. */
  readonly dn: string;
}

/** What a script answers with: messages, `cut` to close the connection, `hang` to say nothing. */
export type Reaction = readonly Buffer[] | 'cut' | 'hang';

export interface ScriptedServer {
  readonly url: string;
  /** Everything that was received. */
  readonly received: readonly Received[];
  /** How the next connection ends: the code of its error, `closed` if it was closed in order. */
  ended(): Promise<string>;
  close(): Promise<void>;
}

type Script = (request: Received) => Reaction;

/**
 * The root DSE names dc=x and binds succeed, unless `root` and `bind` say otherwise; for everything else the script is
 * asked.
 */
export async function startScriptedServer(
  script: Script,
  { bind = welcome, root = rootDse }: { bind?: Script; root?: Script } = {},
): Promise<ScriptedServer> {
  const received: Received[] = [];
  const sockets = new Set<Socket>();
  const endings = new EventEmitter();
  let connections = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    connections += 1;
    const connection = connections;
    let rest: Buffer = Buffer.alloc(0);
    let ending = 'closed';
    socket.on('error', (error: NodeJS.ErrnoException) => {
      ending = error.code ?? error.message;
    });
    socket.on('close', () => {
      sockets.delete(socket);
      endings.emit('ended', ending);
    });
    socket.on('data', (data: Buffer) => {
      rest = Buffer.concat([rest, data]);
      // Whoever begins with a TLS handshake waits for an answer in vain.
      if (rest[0] !== 0x30) return;
      for (
        let length = messageLength(rest);
        length !== undefined && length <= rest.length;
        length = messageLength(rest)
      ) {
        const request = readRequest(rest.subarray(0, length), connection);
        rest = rest.subarray(length);
        if (request.operation === ProtocolOperation.LDAP_REQ_UNBIND) continue;
        received.push(request);
        const asked = request.operation === ProtocolOperation.LDAP_REQ_BIND ? bind : isRootDse(request) ? root : script;
        const reaction = asked(request);
        if (reaction === 'cut') socket.destroy();
        else if (reaction !== 'hang') socket.write(Buffer.concat([...reaction]));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `ldap://127.0.0.1:${port}`,
    received,
    ended: async () => String((await once(endings, 'ended'))[0]),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The message that ends an operation: its tag, and its result code with a text. */
export function result(id: number, tag: number, code = 0, text = '', cookie?: string): Buffer {
  return message(
    id,
    tag,
    (writer) => {
      writer.writeEnumeration(code);
      writer.writeString('');
      writer.writeString(text);
    },
    cookie,
  );
}

/** Attributes as a server shows them. */
export type Shown = Readonly<Record<string, readonly (string | Buffer)[]>>;

/** An entry that a search found. */
export function entry(id: number, dn: string, attributes: Shown): Buffer {
  return message(id, ProtocolOperation.LDAP_RES_SEARCH_ENTRY, (writer) => {
    writer.writeString(dn);
    writer.startSequence();
    for (const [name, values] of Object.entries(attributes)) {
      writer.startSequence();
      writer.writeString(name);
      writer.startSequence(ProtocolOperation.LBER_SET);
      for (const value of values)
        writer.writeBuffer(typeof value === 'string' ? Buffer.from(value) : value, Ber.OctetString);
      writer.endSequence();
      writer.endSequence();
    }
    writer.endSequence();
  });
}

/** The answer to an extended operation (RFC 4511 §4.12). */
export function extended(id: number, value: string, code = 0): Buffer {
  return message(id, ProtocolOperation.LDAP_RES_EXTENSION, (writer) => {
    writer.writeEnumeration(code);
    writer.writeString('');
    writer.writeString('');
    writer.writeString(value, 0x8b);
  });
}

/** A part of the tree that another server holds. */
export function reference(id: number, url: string): Buffer {
  return message(id, ProtocolOperation.LDAP_RES_SEARCH_REF, (writer) => writer.writeString(url));
}

function welcome({ id }: Received): Reaction {
  return [result(id, ProtocolOperation.LDAP_RES_BIND)];
}

function isRootDse({ operation, dn }: Received): boolean {
  return operation === ProtocolOperation.LDAP_REQ_SEARCH && dn === '';
}

function rootDse({ id }: Received): Reaction {
  return [entry(id, '', { namingContexts: ['dc=x'] }), result(id, ProtocolOperation.LDAP_RES_SEARCH)];
}

function message(id: number, tag: number, write: (writer: BerWriter) => void, cookie?: string): Buffer {
  const writer = new BerWriter();
  writer.startSequence();
  writer.writeInt(id);
  writer.startSequence(tag);
  write(writer);
  writer.endSequence();
  if (cookie !== undefined) {
    const value = new BerWriter();
    value.startSequence();
    value.writeInt(0);
    value.writeString(cookie);
    value.endSequence();
    writer.startSequence(ProtocolOperation.LDAP_CONTROLS);
    writer.startSequence();
    writer.writeString('1.2.840.113556.1.4.319');
    writer.writeBuffer(value.buffer, Ber.OctetString);
    writer.endSequence();
    writer.endSequence();
  }
  writer.endSequence();
  return Buffer.from(writer.buffer);
}

function messageLength(bytes: Buffer): number | undefined {
  const reader = new BerReader(bytes);
  return reader.readSequence() === null ? undefined : reader.offset + reader.length;
}

function readRequest(bytes: Buffer, connection: number): Received {
  const reader = new BerReader(bytes);
  reader.readSequence();
  const id = reader.readInt() ?? 0;
  const operation = reader.readSequence() ?? 0;
  if (operation === ProtocolOperation.LDAP_REQ_BIND) reader.readInt();
  const isText = reader.peek() === Ber.OctetString;
  const dn = isText ? (reader.readString() ?? '') : reader.remainingBuffer.subarray(0, reader.length).toString();
  return { id, operation, connection, bytes, dn };
}
