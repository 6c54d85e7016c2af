// JSON Web Signatures by jose: credentials and presentations secured as VC-JOSE-COSE has it, the payload being the
// document itself.
import {CompactSign, compactVerify, importJWK} from 'jose';

import {heldKey} from './keys.mjs';

export const algorithms = {Ed25519: 'EdDSA', 'P-256': 'ES256', 'P-384': 'ES384'};

export async function signer(did) {
  const {jwk, kind, method} = heldKey(did);
  return {alg: algorithms[kind], kid: method, key: await importJWK(jwk, algorithms[kind])};
}

// {did, payload, typ, cty?} -> {jwt}
async function sign({did, payload, typ, cty}) {
  const {alg, kid, key} = await signer(did);
  const header = {alg, kid, typ, ...(cty ? {cty} : {})};
  const bytes = new TextEncoder().encode(JSON.stringify(payload));
  return {jwt: await new CompactSign(bytes).setProtectedHeader(header).sign(key)};
}

// {jwt, jwk, typ} -> {verified, payload}
async function verify({jwt, jwk, typ}) {
  const key = await importJWK(jwk, algorithms[jwk.crv]);
  try {
    const {payload, protectedHeader} = await compactVerify(jwt, key, {algorithms: Object.values(algorithms)});
    if (protectedHeader.typ !== typ) {
      return {verified: false, why: `typ is ${protectedHeader.typ}`};
    }
    return {verified: true, header: protectedHeader, payload: JSON.parse(new TextDecoder().decode(payload))};
  } catch (error) {
    return {verified: false, why: error.message};
  }
}

export const deeds = {'jws-sign': sign, 'jws-verify': verify};
