// Canonical JSON and canonical N-Quads.
import canonicalize from 'canonicalize';
import jsonld from 'jsonld';
import rdfCanonize from 'rdf-canonize';

import {loader} from './documents.mjs';

// {texts: [JSON text]} -> {canonical: [text]}
function canonicalJson({texts}) {
  return {canonical: texts.map(text => canonicalize(JSON.parse(text)))};
}

// {document} -> {canonical: N-Quads}; what is not defined is an error (safe mode).
async function canonicalRdf({document}) {
  const dataset = await jsonld.toRDF(document, {documentLoader: loader(), safe: true, base: null, rdfDirection: null});
  return {canonical: await rdfCanonize.canonize(dataset, {algorithm: 'RDFC-1.0', format: 'application/n-quads'})};
}

export const deeds = {'canonical-json': canonicalJson, 'canonical-rdf': canonicalRdf};
