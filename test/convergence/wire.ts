/** The changes that pass between a client and a directory, read from the bytes of one connection (RFC 4511). */

/** A change that is asked for. */
export interface Request {
  readonly operation: 'add' | 'modify' | 'delete' | 'rename';
  readonly dn: string;
  /** What becomes of attributes; those of a new entry are added. */
  readonly changes: readonly {
    readonly action: 'add' | 'delete' | 'replace';
    readonly attribute: string;
    readonly values: readonly string[];
  }[];
  /** Of a rename: what the entry stands below afterwards; undefined: the same as before. */
  readonly below?: string;
}

/** Who is told of each change. */
export interface Listener {
  asked?(request: Request): void;
  /** The directory says that it is done. */
  done?(request: Request): void;
  /** The directory answers, whatever it says. */
  answered?(request: Request): void;
}

interface Element {
  readonly tag: number;
  readonly content: Buffer;
}

/** Listens to a connection: `up` takes what goes to the directory, `down` what comes back. */
export function listenTo(listener: Listener): { up(chunk: Buffer): void; down(chunk: Buffer): void } {
  const open = new Map<number, Request>();
  const up = messages((id, operation) => {
    const request = toRequest(operation);
    if (!request) return;
    open.set(id, request);
    listener.asked?.(request);
  });
  const down = messages((id, { content }) => {
    const request = open.get(id);
    open.delete(id);
    if (!request) return;
    listener.answered?.(request);
    const [result] = elements(content); // of an LDAPResult, its resultCode (§4.1.9)
    if (result?.content[0] === 0) listener.done?.(request);
  });
  return { up, down };
}

/** Takes bytes as they come, and hands on each whole message: its number, and what it asks or answers (§4.1.1). */
function messages(take: (id: number, operation: Element) => void): (chunk: Buffer) => void {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (let found = first(rest); found; found = first(rest)) {
      rest = rest.subarray(found.end);
      const [id, operation] = elements(found.element.content);
      if (id && operation) take(id.content.readUIntBE(0, id.content.length), operation);
    }
  };
}

/** The first element of some bytes (BER with definite lengths, §5.1), and where it ends; undefined: it is not all there. */
function first(bytes: Buffer): { element: Element; end: number } | undefined {
  const [tag, size] = bytes;
  if (tag === undefined || size === undefined) return undefined;
  const more = size < 0x80 ? 0 : size & 0x7f;
  if (bytes.length < 2 + more) return undefined;
  const length = more === 0 ? size : bytes.readUIntBE(2, more);
  const end = 2 + more + length;
  return bytes.length < end ? undefined : { element: { tag, content: bytes.subarray(end - length, end) }, end };
}

function elements(bytes: Buffer): Element[] {
  const all: Element[] = [];
  for (let rest = bytes, found = first(rest); found; found = first(rest)) {
    all.push(found.element);
    rest = rest.subarray(found.end);
  }
  return all;
}

const actions = ['add', 'delete', 'replace'] as const;

/** Undefined: it asks for no change. */
function toRequest({ tag, content }: Element): Request | undefined {
  if (tag === 0x4a) return { operation: 'delete', dn: text({ content }), changes: [] }; // §4.8
  const [dn, ...parts] = elements(content);
  if (!dn) return undefined;
  const [list] = parts;
  switch (tag) {
    case 0x66: // §4.6
      return {
        operation: 'modify',
        dn: text(dn),
        changes: elements(list?.content ?? dn.content).flatMap((change) => {
          const [action, attribute] = elements(change.content);
          const how = actions[action?.content[0] ?? -1];
          return how && attribute ? [{ action: how, ...toAttribute(attribute) }] : [];
        }),
      };
    case 0x68: // §4.7
      return {
        operation: 'add',
        dn: text(dn),
        changes: elements(list?.content ?? dn.content).map((one) => ({ action: 'add', ...toAttribute(one) })),
      };
    case 0x6c: {
      // §4.9
      const below = parts.find((part) => part.tag === 0x80);
      return { operation: 'rename', dn: text(dn), changes: [], ...(below ? { below: text(below) } : {}) };
    }
  }
  return undefined;
}

function toAttribute({ content }: Element): { attribute: string; values: string[] } {
  const [type, values] = elements(content);
  return { attribute: type ? text(type) : '', values: values ? elements(values.content).map(text) : [] };
}

function text({ content }: Pick<Element, 'content'>): string {
  return content.toString('utf8');
}
