#!/usr/bin/env python3
"""A service that lets agents of other organizations act, and has their signed requests judged by a Syndic node.

    examples/service.py --node http://127.0.0.1:8440 --base http://127.0.0.1:8000

It needs nothing but Python's standard library. An agent sends `POST /refunds` with `{"amount": "49.99", "currency": "USD"}`,
signed by RFC 9421 (`syndic action request` makes the fields). What the request means the service says itself (`meaning`);
whether the agent may do that, the node decides. Nothing is done that the node did not allow in so many words.
"""

import argparse
import base64
import hashlib
import http.server
import json
import urllib.error
import urllib.request

# Longest content that is read: a refund is short.
CONTENT_BYTES = 64 * 1024
# The node answers within 30 seconds or not at all.
PATIENCE = 35


def meaning(method, path, content):
    """What a request is, in the words of capabilities; None if it is nothing that is offered here."""
    if method != "POST" or path != "/refunds":
        return None
    refund = json.loads(content)
    amount = {"value": str(refund["amount"]), "unit": str(refund["currency"])}
    return {"action": "call", "resource": "billing_api", "scope": "refund_under_100", "parameters": {"amount": amount}}


def decide(node, question):
    """Whether the node allows it, and what it said."""
    body = json.dumps(question).encode()
    request = urllib.request.Request(node + "/actions/verify", body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            said = json.load(answer)
            return answer.status == 200 and said.get("verified") is True and said["decision"]["decision"] == "allow", said
    except urllib.error.HTTPError as refused:
        return False, json.load(refused)


class Service(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or int(length) > CONTENT_BYTES:
            self.close_connection = True
            return self.answer(411, {"detail": f"send Content-Length, at most {CONTENT_BYTES}"})
        content = self.rfile.read(int(length))
        try:
            meant = meaning(self.command, self.path, content)
        except (ValueError, KeyError, TypeError):
            return self.answer(400, {"detail": 'expected {"amount": "49.99", "currency": "USD"}'})
        if meant is None:
            return self.answer(404, {"detail": "there is POST /refunds, and nothing else"})
        request = {
            "method": self.command,
            # By the service's own name, not by what the caller calls it.
            "target": self.server.base + self.path,
            "fields": [[name, value] for name, value in self.headers.items()],
        }
        if content:
            digest = hashlib.sha256(content).digest()
            request["contentSha256"] = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        try:
            allowed, said = decide(self.server.node, {"request": request, "meaning": meant})
        except (OSError, ValueError, KeyError):
            return self.answer(503, {"detail": "whether this is allowed cannot be told now: try again later"})
        if not allowed:
            return self.answer(403, {"title": said.get("title"), "detail": said.get("detail")})
        decision = said["decision"]
        self.answer(200, {"refunded": meant["parameters"]["amount"], "by": decision["subject"], "for": decision["owner"]})

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--node", required=True, help="public URL of the node that decides")
    parser.add_argument("--base", required=True, help="scheme and host by which agents call this service")
    parser.add_argument("--port", type=int, default=8000)
    arguments = parser.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", arguments.port), Service)
    server.node, server.base = arguments.node.rstrip("/"), arguments.base.rstrip("/")
    print(f"listening on 127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
