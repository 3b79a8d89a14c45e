import { type BerReader, type BerWriter, Control, ProtocolOperation, SearchEntry, BerWriter as Writer } from 'ldapts';

/** The post-read control (RFC 4527 §3.2): the entry as it stands after the change, told with the change's result. */
export class PostReadControl extends Control {
  static readonly type = '1.3.6.1.1.13.2';
  readonly #attributes: readonly string[];
  /** What the server told; undefined if it told nothing. */
  entry: SearchEntry | undefined;

  constructor(attributes: readonly string[]) {
    super(PostReadControl.type);
    this.#attributes = attributes;
  }

  override writeControl(writer: BerWriter): void {
    const value = new Writer();
    value.startSequence();
    for (const attribute of this.#attributes) value.writeString(attribute);
    value.endSequence();
    writer.writeBuffer(value.buffer, 0x04);
  }

  override parseControl(reader: BerReader): void {
    reader.readSequence(ProtocolOperation.LDAP_RES_SEARCH_ENTRY);
    const entry = new SearchEntry({ messageId: 0 });
    entry.parseMessage(reader);
    this.entry = entry;
  }
}
