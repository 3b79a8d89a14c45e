/**
 * LDIF (RFC 2849): what `ldapmodify` takes as it is. A change is a record, or two where an entry is renamed and changed at
 * once; the changes of one record are made together, in the order given.
 */
import type { LdifConfig } from '../../config/file.ts';
import { formatDn, formatRdn, parseDn } from '../ldap/dn.ts';
import { Schema } from '../ldap/schema.ts';
import { toBytes } from '../ldap/value.ts';
import type { AttributeChange, Attributes, Value } from '../target.ts';
import { dnRules } from './dn-rules.ts';
import type { Entry, Event, Format, Rules } from './format.ts';

/** Characters of a line; what is longer goes on in the next, after a space. */
const width = 76;

export class Ldif implements Format {
  readonly rules: Rules;
  readonly #schema: Schema;

  constructor({ binary }: LdifConfig) {
    this.#schema = new Schema([], [], binary);
    this.rules = dnRules(this.#schema);
  }

  head(): Buffer {
    return Buffer.from('version: 1\n\n');
  }

  event(event: Event): Buffer {
    switch (event.operation) {
      case 'create':
        return record(event.remoteId, [line('changetype', 'add'), ...this.#attributes(event.attributes)]);
      case 'delete':
        return record(event.remoteId, [line('changetype', 'delete')]);
      case 'update':
        return this.#modify(event);
      case 'rename':
        return Buffer.concat([rename(event), this.#modify(event)]);
    }
  }

  entry({ remoteId, attributes }: Entry): Buffer {
    return record(remoteId, this.#attributes(attributes));
  }

  #attributes(attributes: Attributes): string[] {
    return Object.entries(attributes).flatMap(([name, values]) =>
      values.map((value) => line(this.#schema.sent(name), value)),
    );
  }

  #modify({ remoteId, changes }: Event): Buffer {
    if (changes.length === 0) return Buffer.alloc(0);
    return record(remoteId, [line('changetype', 'modify'), ...changes.flatMap((change) => this.#change(change))]);
  }

  #change({ attribute, action, values }: AttributeChange): string[] {
    const name = this.#schema.sent(attribute);
    return [line(action, name), ...values.map((value) => line(name, value)), '-'];
  }
}

function rename({ formerId = '', remoteId }: Event): Buffer {
  const [[, ...oldParent], [newRdn = [], ...newParent]] = [parseDn(formerId), parseDn(remoteId)];
  if (formatDn(parseDn(formerId)) === formatDn(parseDn(remoteId))) return Buffer.alloc(0); // written otherwise, no more
  const moves = formatDn(oldParent) !== formatDn(newParent);
  return record(formerId, [
    line('changetype', 'moddn'),
    line('newrdn', formatRdn(newRdn)),
    line('deleteoldrdn', '1'),
    ...(moves ? [line('newsuperior', formatDn(newParent))] : []),
  ]);
}

function record(dn: string, lines: readonly string[]): Buffer {
  return Buffer.from(`${[line('dn', dn), ...lines].join('\n')}\n\n`);
}

/** A name and its value; in base64 unless it is printable ASCII that nothing could be mistaken in (RFC 2849, note 8 too). */
function line(name: string, value: Value): string {
  const plain = typeof value === 'string' && /^(?:[!-9;=-~](?:[ -~]*[!-~])?)?$/.test(value);
  return fold(plain ? `${name}: ${value}` : `${name}:: ${toBytes(value).toString('base64')}`);
}

function fold(text: string): string {
  if (text.length <= width) return text;
  const rest = text.slice(width).match(new RegExp(`.{1,${width - 1}}`, 'g')) ?? [];
  return [text.slice(0, width), ...rest.map((part) => ` ${part}`)].join('\n');
}
