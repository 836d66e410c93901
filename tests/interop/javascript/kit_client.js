// Drives a hub with fhir-kit-client, as a partner's integration server would.
// What it saw goes to standard output as one JSON object; tests/interop/test_javascript.py says what is right.
import { Client } from 'fhir-kit-client';

const asked = JSON.parse(process.env.ASKED);
const ours = new Client({ baseUrl: asked.base, bearerToken: asked.shelter });
const theirs = new Client({ baseUrl: asked.base, bearerToken: asked.clinic });
const seen = {};

const status = async (promise) => {
  try {
    await promise;
    return 200;
  } catch (problem) {
    return problem.response.status;
  }
};

const found = await ours.smartAuthMetadata();
seen.tokenUrl = String(found.tokenUrl);
seen.types = (await ours.capabilityStatement()).rest[0].resource.length;

const patient = await ours.create({ resourceType: 'Patient', body: asked.patient });
const person = `Patient/${patient.id}`;
for (let number = 0; number < 5; number += 1) {
  await ours.create({
    resourceType: 'Observation',
    body: { ...asked.observation, subject: { reference: person } },
  });
}
let page = await ours.search({ resourceType: 'Observation', searchParams: { patient: person, _count: 2 } });
seen.pages = [];
while (page) {
  seen.pages.push((page.entry ?? []).length);
  page = await ours.nextPage({ bundle: page });
}
const posted = await ours.search({
  resourceType: 'Observation',
  searchParams: { patient: person },
  options: { postSearch: true },
});
seen.posted = posted.entry.length;

await ours.create({ resourceType: 'Consent', body: { ...asked.consent, patient: { reference: person }, performer: [{ reference: person }] } });
const request = await ours.create({
  resourceType: 'ServiceRequest',
  body: { ...asked.request, subject: { reference: person } },
});
const task = await ours.create({
  resourceType: 'Task',
  body: { ...asked.task, for: { reference: person }, focus: { reference: `ServiceRequest/${request.id}` } },
});
seen.hidden = await status(theirs.read({ resourceType: 'Observation', id: posted.entry[0].resource.id }));
seen.inbox = (await theirs.search({ resourceType: 'Task', searchParams: { status: 'requested' } })).entry.map(
  (entry) => entry.resource.id,
);
seen.task = task.id;

const card = await theirs.read({ resourceType: 'Task', id: task.id });
seen.withoutVersion = await status(
  theirs.update({ resourceType: 'Task', id: task.id, body: { ...card, status: 'accepted' } }),
);
const moved = await theirs.update({
  resourceType: 'Task',
  id: task.id,
  body: { ...card, status: 'accepted' },
  options: { headers: { 'If-Match': `W/"${card.meta.versionId}"` } },
});
seen.moved = moved.status;
const patched = await theirs.patch({
  resourceType: 'Task',
  id: task.id,
  jsonPatch: [{ op: 'replace', path: '/status', value: 'in-progress' }],
  options: { headers: { 'If-Match': `W/"${moved.meta.versionId}"` } },
});
seen.patched = patched.status;
seen.history = (await ours.history({ resourceType: 'Task', id: task.id })).entry.length;
seen.vread = (await ours.vread({ resourceType: 'Task', id: task.id, version: task.meta.versionId })).status;
seen.focus = (await theirs.resolve({ reference: moved.focus.reference })).resourceType;
seen.batch = (
  await ours.batch({
    body: {
      resourceType: 'Bundle',
      type: 'batch',
      entry: [
        { request: { method: 'GET', url: person } },
        { request: { method: 'GET', url: 'Patient/00000000-0000-4000-8000-000000000000' } },
      ],
    },
  })
).entry.map((entry) => entry.response.status.slice(0, 3));
seen.actions = (
  await theirs.operation({ resourceType: 'Task', id: task.id, name: '$available-actions', method: 'GET' })
).resourceType;
console.log(JSON.stringify(seen));
