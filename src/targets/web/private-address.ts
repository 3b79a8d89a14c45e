import { lookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';
import { TargetError } from '../target.ts';

/** Whether an address is one of the public internet: not loopback, private, link-local, reserved or IPv4 inside of IPv6. */
function isPublic(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'unicast';
}

/** Throws `misconfigured` for a host that is a private address by its letters; names are judged when they are resolved. */
export function refusePrivate(host: string): void {
  const address = host.replace(/^\[(.*)\]$/, '$1');
  if (isIP(address) !== 0 && !isPublic(address)) throw refusal(host, address);
}

/** Resolves a name to public addresses: whoever connects is given no others, whatever the name resolved to before. */
export const publicLookup: LookupFunction = (host, options, callback) => {
  lookup(host, { ...options, all: true }, (error, addresses) => {
    if (error) return callback(error, []);
    const inside = addresses.find(({ address }) => !isPublic(address));
    if (inside !== undefined) return callback(refusal(host, inside.address), []);
    const [first] = addresses;
    if (options.all) callback(null, addresses);
    else callback(null, first?.address ?? '', first?.family);
  });
};

function refusal(host: string, address: string): TargetError {
  const of = host === address ? address : `${host}, which is ${address}`;
  return new TargetError('misconfigured', `not connected to ${of}: a private address, and privateAddresses is refuse`);
}
