// Other people's software behind one pipe: a request is a line of JSON on standard input, its answer a line of JSON on
// standard output. `do` says what; what cannot be done is answered by `error`. Nothing here touches a network.
import {createInterface} from 'node:readline';

import * as canonical from './peer/canonical.mjs';
import * as credentials from './peer/credentials.mjs';
import * as identifiers from './peer/identifiers.mjs';
import * as jose from './peer/jose.mjs';
import * as keys from './peer/keys.mjs';
import * as sdJwt from './peer/sd-jwt.mjs';
import * as status from './peer/status.mjs';
import * as tokens from './peer/tokens.mjs';
import * as webvh from './peer/webvh.mjs';

// Standard output is for answers alone.
console.log = console.error;
console.info = console.error;
globalThis.fetch = async (url) => {
  throw new Error(`nothing is fetched here: ${url}`);
};

const deeds = {
  ...canonical.deeds,
  ...credentials.deeds,
  ...identifiers.deeds,
  ...jose.deeds,
  ...keys.deeds,
  ...sdJwt.deeds,
  ...status.deeds,
  ...tokens.deeds,
  ...webvh.deeds,
};

async function answer(request) {
  const deed = deeds[request.do];
  if (!deed) {
    return {error: `no such deed: ${request.do}`};
  }
  try {
    return await deed(request);
  } catch (error) {
    return {error: `${error?.name}: ${error?.message}`};
  }
}

for await (const line of createInterface({input: process.stdin, crlfDelay: Infinity})) {
  const request = JSON.parse(line);
  process.stdout.write(`${JSON.stringify({id: request.id, ...(await answer(request))})}\n`);
}
