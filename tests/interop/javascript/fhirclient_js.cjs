// Drives a hub with fhirclient (the SMART project's library for JavaScript), with a token of its own.
// What it saw goes to standard output as one JSON object; tests/interop/test_javascript.py says what is right.
const Client = require('fhirclient/lib/Client').default;
const { getSecurityExtensions } = require('fhirclient/lib/smart');

const asked = JSON.parse(process.env.ASKED);
const client = (token) =>
  new Client({}, { serverUrl: asked.base, tokenResponse: { access_token: token, token_type: 'bearer' } });

(async () => {
  const ours = client(asked.shelter);
  const theirs = client(asked.clinic);
  const seen = {};
  seen.token = (await getSecurityExtensions(asked.base)).tokenUri;
  const patient = await ours.create(asked.patient);
  const person = `Patient/${patient.id}`;
  for (let number = 0; number < 5; number += 1) {
    await ours.create({ ...asked.observation, subject: { reference: person } });
  }
  const pages = await ours.request(`Observation?patient=${person}&_count=2`, { pageLimit: 0 });
  seen.pages = pages.map((page) => (page.entry || []).length);
  await ours.create({ ...asked.consent, patient: { reference: person }, performer: [{ reference: person }] });
  const request = await ours.create({ ...asked.request, subject: { reference: person } });
  const task = await ours.create({
    ...asked.task,
    for: { reference: person },
    focus: { reference: `ServiceRequest/${request.id}` },
  });
  seen.task = task.id;
  const inbox = await theirs.request('Task?status=requested', { flat: true, resolveReferences: ['focus'] });
  seen.inbox = inbox.map((one) => one.id);
  const card = await theirs.request(`Task/${task.id}`, { resolveReferences: ['focus'] });
  seen.focus = card.focus.resourceType;
  delete card.focus;
  const read = await theirs.request(`Task/${task.id}`);
  const moved = await theirs.update(
    { ...read, status: 'accepted' },
    { headers: { 'If-Match': `W/"${read.meta.versionId}"` } },
  );
  seen.moved = moved.status;
  const patched = await theirs.patch(
    `Task/${task.id}`,
    [{ op: 'replace', path: '/status', value: 'in-progress' }],
    { headers: { 'If-Match': `W/"${moved.meta.versionId}"` } },
  );
  seen.patched = patched.status;
  seen.missing = await ours.request('Patient/00000000-0000-4000-8000-000000000000').then(
    () => 200,
    (problem) => problem.status,
  );
  console.log(JSON.stringify(seen));
})().catch((problem) => {
  console.error(problem);
  process.exit(1);
});
