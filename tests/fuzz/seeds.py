#!/usr/bin/env python3
"""Writes the seed corpus of every fuzz target: seeds.py FOLDER.

The seeds are the project's own vectors and, where they are present, the public ones beside the project.
"""
import base64
import gzip
import hashlib
import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PUBLIC = ROOT.parent / "shared" / "vectors"


def write(folder, target, data):
    """One seed, named by its content."""
    if isinstance(data, str):
        data = data.encode()
    place = folder / target
    place.mkdir(parents=True, exist_ok=True)
    (place / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)


def compact(value):
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def dids(value):
    """Every text in a document that begins as a DID does."""
    if isinstance(value, str):
        if value.startswith("did:"):
            yield value
    elif isinstance(value, list):
        for item in value:
            yield from dids(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from dids(item)


def vectors(folder):
    for kind in ("credential", "presentation", "action"):
        for path in sorted((ROOT / "specs" / "vectors" / kind).glob("*.json")):
            vector = json.loads(path.read_text())
            document = vector.get("input", vector.get("text"))
            text = document if isinstance(document, str) else compact(document)
            for target in (kind, "strict_json", "canonical"):
                write(folder, target, text)
            if not isinstance(document, str):
                for did in dids(document):
                    write(folder, "did", did.split("#")[0])
                    write(folder, "did_url", did)


def public(folder):
    if not PUBLIC.is_dir():
        print(f"{PUBLIC} is absent: the seeds are the project's own vectors only", file=sys.stderr)
        return
    for path in sorted(PUBLIC.glob("vc-di-*/**/signed*.json")):
        write(folder, "credential", path.read_bytes())
        write(folder, "strict_json", path.read_bytes())
    for path in sorted(PUBLIC.glob("jcs/input/*.json")):
        write(folder, "canonical", path.read_bytes())
        write(folder, "strict_json", path.read_bytes())
    for path in sorted(PUBLIC.glob("did-webvh/*/*/did.jsonl")):
        write(folder, "webvh_log", path.read_bytes())


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def made(folder):
    for did in (
        "did:key:z6LSeu9HkTHSfLLeUs2nnzUSNedgDUevfNQgQjQC23ZCit6F",
        "did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169",
        "did:key:z82Lm1MpAkeJcix9K8TMiLd5NMAhnwkjjCBeWHXyu3U4oT2MVJJKXkcVBgjGhnLBn2Kaau9",
        "did:jwk:" + base64url(b'{"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}'),
        "did:web:example.com%3A8443:agents:one",
        "did:webvh:QmSCID:example.com:agents:one?versionId=1-Qm&service=files&relativeRef=%2Fa#key-1",
    ):
        write(folder, "did", did.split("?")[0])
        write(folder, "did_url", did)
    for bits in (bytes(16_384), bytes([0x80]) + bytes(16_383), bytes(range(256)) * 64, bytes(16_383)):
        packed = gzip.compress(bits, mtime=0)
        write(folder, "status_list", packed)
        write(folder, "status_list", "u" + base64url(packed))
    header = base64url(b'{"alg":"EdDSA","typ":"vc+jwt","kid":"did:key:z6Mk#z6Mk"}')
    payload = base64url(b'{"@context":["https://www.w3.org/ns/credentials/v2"],"type":["VerifiableCredential"]}')
    write(folder, "jwt", f"{header}.{payload}.{base64url(bytes(64))}")
    header = base64url(b'{"alg":"EdDSA","typ":"at+jwt","kid":"kid"}')
    write(folder, "access_token", f"{header}.{payload}.{base64url(bytes(64))}")
    header = base64url(b'{"alg":"EdDSA","typ":"dc+sd-jwt","kid":"did:key:z6Mk#z6Mk"}')
    payload = base64url(b'{"iss":"did:key:z6Mk","vct":"https://example.com/v","_sd_alg":"sha-256","_sd":["x"]}')
    disclosure = base64url(b'["salt","given_name","Erika"]')
    write(folder, "sd_jwt", f"{header}.{payload}.{base64url(bytes(64))}~{disclosure}~")
    note = "syndic.example/log\n1\n" + base64.b64encode(bytes(32)).decode() + "\n\n"
    did = "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"
    bundle = {
        "type": "SyndicDecisionBundle", "version": 1, "consortium": "zQm", "charter": {"version": 1, "hash": "zQm"},
        "time": "2026-11-24T12:00:00Z", "request": {"verifiableCredential": {"type": "VerifiableCredential"}},
        "verifier": {"organization": did, "authority": did, "maxStaleness": 300, "witnesses": 1, "clockSkew": 30},
        "keys": [], "decision": {"decision": "deny", "reasons": []},
        "logs": [{
            "organization": did, "checkpoint": note, "entries": ["{}"], "cosignatures": [base64.b64encode(bytes(8)).decode()],
        }],
    }
    bundle["digest"] = base64.b64encode(hashlib.sha256(compact(bundle).encode()).digest()).decode()
    write(folder, "bundle", compact(bundle))
    write(folder, "head", note + "\u2014 syndic.example/log " + base64.b64encode(bytes(68)).decode() + "\n")


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    folder = pathlib.Path(sys.argv[1])
    vectors(folder)
    public(folder)
    made(folder)
    return 0


sys.exit(main())
