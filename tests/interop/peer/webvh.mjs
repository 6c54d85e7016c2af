// did:webvh by didwebvh-ts: whole histories made here, and histories of others resolved.
import * as Ed25519Multikey from '@digitalbazaar/ed25519-multikey';
import {
  AbstractCrypto,
  createDID,
  deactivateDID,
  deriveNextKeyHash,
  multibaseEncode,
  prepareDataForSigning,
  resolveDIDFromLog,
  signWitnessProofEntries,
  updateDID,
} from 'didwebvh-ts';

// Ed25519 as the package wants it given.
class Key extends AbstractCrypto {
  static async generate() {
    const pair = await Ed25519Multikey.generate();
    const {publicKeyMultibase} = await pair.export({publicKey: true});
    const did = `did:key:${publicKeyMultibase}`;
    const key = new Key({
      verificationMethod: {type: 'Multikey', id: `${did}#${publicKeyMultibase}`, controller: did, publicKeyMultibase},
    });
    return Object.assign(key, {pair, did, multibase: publicKeyMultibase});
  }

  async sign({document, proof}) {
    const data = await prepareDataForSigning(document, proof);
    return {proofValue: multibaseEncode(await this.pair.signer().sign({data}), 'z')};
  }

  async verify(signature, message, publicKey) {
    return check(signature, message, publicKey);
  }

  getVerificationMethodId() {
    return `${this.did}#${this.multibase}`;
  }
}

async function check(signature, message, publicKey) {
  const {subtle} = globalThis.crypto;
  const key = await subtle.importKey('raw', publicKey, {name: 'Ed25519'}, false, ['verify']);
  return subtle.verify({name: 'Ed25519'}, key, signature, message);
}

const verifier = {verify: check};

const text = log => `${log.map(entry => JSON.stringify(entry)).join('\n')}\n`;
const entries = lines => lines.trim().split('\n').map(line => JSON.parse(line));

// Minutes ago, as a version time.
const ago = minutes => new Date(Date.now() - minutes * 60_000).toISOString().replace(/\.\d+Z$/, 'Z');

// The methods of a document: this key to make statements, another one to prove who is there.
async function methods(key) {
  const other = await Key.generate();
  return [
    {type: 'Multikey', publicKeyMultibase: key.multibase, purpose: 'assertionMethod'},
    {type: 'Multikey', publicKeyMultibase: other.multibase, purpose: 'authentication'},
  ];
}

async function begin(address, key, more = {}) {
  return createDID({
    address,
    signer: key,
    updateKeys: [key.multibase],
    verificationMethods: await methods(key),
    created: ago(60),
    verifier,
    ...more,
  });
}

async function change(before, signer, minutes, more = {}) {
  return updateDID({
    log: before.log,
    signer,
    verificationMethods: await methods(signer),
    updated: ago(minutes),
    verifier,
    ...more,
  });
}

// Each kind of history: what happened to the identifier, in order.
const histories = {
  async created(address) {
    return begin(address, await Key.generate());
  },
  async updated(address) {
    const [first, other] = [await Key.generate(), await Key.generate()];
    const made = await begin(address, first);
    const services = [{id: '#inbox', type: 'Inbox', serviceEndpoint: 'https://example.org/inbox/é'}];
    return change(made, first, 50, {verificationMethods: await methods(other), services});
  },
  async rotated(address) {
    const [first, second, third] = [await Key.generate(), await Key.generate(), await Key.generate()];
    const made = await begin(address, first);
    const handed = await change(made, first, 50, {updateKeys: [second.multibase]});
    const again = await change(handed, second, 40, {updateKeys: [third.multibase]});
    return change(again, third, 30);
  },
  async 'pre-rotated'(address) {
    const [first, second, third] = [await Key.generate(), await Key.generate(), await Key.generate()];
    const hash = async key => [await deriveNextKeyHash(key.multibase)];
    const made = await begin(address, first, {nextKeyHashes: await hash(second)});
    const keys = key => ({updateKeys: [key.multibase]});
    const handed = await change(made, second, 50, {...keys(second), nextKeyHashes: await hash(third)});
    return change(handed, third, 40, {...keys(third), nextKeyHashes: []});
  },
  async witnessed(address) {
    const first = await Key.generate();
    const witnesses = [await Key.generate(), await Key.generate(), await Key.generate()];
    const witness = {threshold: 2, witnesses: witnesses.map(({did}) => ({id: did}))};
    const signers = Object.fromEntries(witnesses.map(one => [one.did, one]));
    const approve = versions => signWitnessProofEntries(versions, witness.witnesses, signers, ago(20));
    const made = await begin(address, first, {witness});
    const witnessProofs = await approve([made.meta.versionId]);
    const changed = await change(made, first, 50, {witness, witnessProofs});
    return {...changed, witness: await approve(changed.log.map(({versionId}) => versionId))};
  },
  async deactivated(address) {
    const first = await Key.generate();
    const made = await begin(address, first);
    return deactivateDID({log: made.log, signer: first, verifier});
  },
};

// {kind, address} -> {did, log, witness, document}
async function make({kind, address}) {
  const {did, log, doc, witness} = await histories[kind](address);
  return {did, log: text(log), witness: witness && JSON.stringify(witness), document: doc};
}

// {log, witness?, versionNumber?} -> {document, deactivated, versionId}
async function resolve({log, witness, versionNumber}) {
  const {doc, meta} = await resolveDIDFromLog(entries(log), {
    verifier,
    versionNumber,
    // None rather than nothing: the package would fetch what it is not given.
    witnessProofs: witness ? JSON.parse(witness) : [],
  });
  if (meta.error) {
    throw new Error(meta.problemDetails?.detail ?? meta.error);
  }
  return {document: doc, deactivated: meta.deactivated, versionId: meta.versionId};
}

export const deeds = {'webvh-make': make, 'webvh-resolve': resolve};
