// Lets somebody sign in with fhirclient (the SMART project's library for JavaScript) as a server-side app.
// The address for the browser goes to standard output; the address it came back to is read from standard input.
const smart = require('fhirclient/lib/entry/node').default || require('fhirclient/lib/entry/node');
const { createInterface } = require('node:readline');

const asked = JSON.parse(process.env.ASKED);
const kept = {};
const storage = {
  get: async (key) => kept[key],
  set: async (key, value) => {
    kept[key] = value;
    return value;
  },
  unset: async (key) => delete kept[key],
};
const request = (url) => ({ url, headers: { host: new URL(asked.back).host }, socket: {}, connection: {} });

(async () => {
  const response = { writeHead() {}, end() {}, setHeader() {}, redirect() {} };
  const address = await smart(request('/launch'), response, storage).authorize({
    iss: asked.base,
    clientId: asked.client,
    redirectUri: asked.back,
    scope: asked.scope,
    pkceMode: 'required',
    noRedirect: true,
  });
  process.stdout.write(`${address}\n`);
  const back = await new Promise((resolve) => createInterface({ input: process.stdin }).once('line', resolve));
  const came = new URL(back);
  const client = await smart(request(came.pathname + came.search), response, storage).ready();
  const patient = await client.patient.read();
  const seen = { patient: client.patient.id, read: patient.id, fhirUser: client.getFhirUser() };
  process.stdout.write(JSON.stringify(seen));
  process.exit(0);
})().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
