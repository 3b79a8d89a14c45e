/**
 * A SOAP service of a test: a staff list with the functions add, change, delete and get, written without any code of ours.
 * What it refuses it answers with faults, of SOAP 1.1 with status 500, or with status 200 where it is told to.
 */
import { XMLBuilder, XMLParser } from 'fast-xml-parser';
import { createWebServer, type Reply, type WebServer } from '../../setup/web-server.ts';

export interface SoapService {
  readonly server: WebServer;
  readonly staff: Map<string, Record<string, unknown>>;
  /** The status of faults. */
  faultStatus: number;
}

const parser = new XMLParser({ removeNSPrefix: true, parseTagValue: false, htmlEntities: true, trimValues: false });
const builder = new XMLBuilder({});

export async function createSoapService(): Promise<SoapService> {
  const service: Omit<SoapService, 'server'> = { staff: new Map(), faultStatus: 500 };
  const envelope = (status: number, body: object): Reply => ({
    status,
    headers: { 'content-type': 'text/xml; charset=utf-8' },
    body: builder.build({ 'soap:Envelope': { 'soap:Body': body } }),
  });
  const fault = (code: string, text: string) =>
    envelope(service.faultStatus, { 'soap:Fault': { faultcode: `soap:${code}`, faultstring: text } });

  const server = await createWebServer(({ headers, body }) => {
    const content = parser.parse(body)?.Envelope?.Body ?? {};
    const [called = ''] = Object.keys(content).filter((name) => name !== '#text');
    const { login = '', ...rest } = content[called] ?? {};
    if (headers.soapaction !== `"urn:staff#${called}"`) return fault('Client', `no action for ${called}`);
    const known = service.staff.get(login);
    switch (called) {
      case 'add':
        if (known) return fault('Client.Duplicate', `${login} exists already`);
        if (rest.surname === undefined) return fault('Client', 'surname is required');
        if (rest.surname === 'crash') return fault('Server', 'null pointer');
        service.staff.set(login, rest);
        return envelope(200, { addResponse: { id: `s-${login}` } });
      case 'change':
        if (!known) return fault('Client', `unknown login ${login}`);
        service.staff.set(login, rest);
        return envelope(200, { changeResponse: '' });
      case 'delete':
        if (!service.staff.delete(login)) return fault('Client', `unknown login ${login}`);
        return envelope(200, { deleteResponse: '' });
      case 'get':
        if (!known) return fault('Client', `unknown login ${login}`);
        return envelope(200, { getResponse: { login, ...known } });
      default:
        return fault('Client', `no function ${called}`);
    }
  });
  return Object.assign(service, { server });
}
