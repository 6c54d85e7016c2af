"""Canonical JSON by rfc8785, one request and one answer a line, as peer.mjs has it."""

import json
import sys

import rfc8785

for line in sys.stdin:
    request = json.loads(line)
    texts = [rfc8785.dumps(json.loads(text)).decode() for text in request["texts"]]
    print(json.dumps({"id": request["id"], "canonical": texts}), flush=True)
