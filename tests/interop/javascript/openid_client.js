// Drives a hub with openid-client (on oauth4webapi): a signed assertion, DPoP with nonces, and a token bound to a consent.
// What it saw goes to standard output as one JSON object; tests/interop/test_javascript.py says what is right.
import * as client from 'openid-client';

const asked = JSON.parse(process.env.ASKED);
const seen = {};

const discovered = await (await fetch(`${asked.base}/.well-known/smart-configuration`)).json();
seen.algorithms = discovered.dpop_signing_alg_values_supported;
seen.types = discovered.authorization_details_types_supported;

const key = await crypto.subtle.importKey('jwk', asked.key, { name: 'ECDSA', namedCurve: 'P-384' }, false, ['sign']);
const proved = client.PrivateKeyJwt(
  { key, kid: asked.kid },
  {
    // SMART wants its own type and the token endpoint as audience.
    [client.modifyAssertion]: (header, payload) => {
      header.typ = 'JWT';
      payload.aud = discovered.token_endpoint;
    },
  },
);
const config = new client.Configuration({ issuer: asked.origin, ...discovered }, asked.client, {}, proved);
client.allowInsecureRequests(config);

const status = async (promise) => {
  try {
    return (await promise).status;
  } catch (problem) {
    return problem.status ?? problem.cause?.status ?? problem.response?.status ?? problem.code;
  }
};
const task = new URL(`${asked.base}/${asked.task}`);
const form = { scope: 'system/Task.rs system/Patient.rs' };

for (const algorithm of ['ES256', 'PS256', 'RS256']) {
  const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair(algorithm));
  const token = await client.clientCredentialsGrant(config, form, { DPoP });
  seen[algorithm] = [token.token_type.toLowerCase()];
  for (let turn = 0; turn < 2; turn += 1) {
    const answer = await client.fetchProtectedResource(config, token.access_token, task, 'GET', undefined, undefined, { DPoP });
    seen[algorithm].push(answer.status);
  }
  seen[algorithm].push(await status(fetch(task, { headers: { Authorization: `Bearer ${token.access_token}` } })));
  const thief = client.getDPoPHandle(config, await client.randomDPoPKeyPair(algorithm));
  seen[algorithm].push(
    await status(client.fetchProtectedResource(config, token.access_token, task, 'GET', undefined, undefined, { DPoP: thief })),
  );
}

const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'));
const details = [{ type: seen.types[0], referral: asked.task }];
const bound = await client.clientCredentialsGrant(
  config,
  { ...form, authorization_details: JSON.stringify(details) },
  { DPoP },
);
seen.bound = Object.keys(bound.authorization_details[0]).sort();
const again = await client.clientCredentialsGrant(
  config,
  {
    ...form,
    authorization_details: JSON.stringify([{ type: seen.types[0], identifier: bound.authorization_details[0].identifier }]),
  },
  { DPoP },
);
const read = await client.fetchProtectedResource(config, again.access_token, task, 'GET', undefined, undefined, { DPoP });
seen.read = [read.status, (await read.json()).resourceType];
try {
  await client.clientCredentialsGrant(
    config,
    { ...form, authorization_details: JSON.stringify([{ type: seen.types[0], referral: 'Task/never' }]) },
    { DPoP },
  );
} catch (problem) {
  seen.never = problem.error;
}

const plain = await client.clientCredentialsGrant(config, form);
seen.plain = [plain.token_type.toLowerCase(), (await client.fetchProtectedResource(config, plain.access_token, task, 'GET')).status];

console.log(JSON.stringify(seen));
