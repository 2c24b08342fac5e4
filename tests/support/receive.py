#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""receive.py smtp [CERT KEY [USER PASSWORD]] | http SECRET: receivers that are
not ours.  The first line is the port, then one JSON line for each message."""
import asyncio
import base64
import email
import email.policy
import hashlib
import hmac
import http.server
import json
import ssl
import sys
import time


def say(x):
    print(json.dumps(x) if isinstance(x, dict) else x, flush=True)


class Mail:
    async def handle_DATA(self, server, session, envelope):
        m = email.message_from_bytes(envelope.content,
                                     policy=email.policy.default)
        say({"to": envelope.rcpt_tos, "from": envelope.mail_from,
             "tls": session.ssl is not None,
             "login": bool(session.authenticated),
             "headers": [k for k, _ in m.items()],
             "defects": [str(d) for d in m.defects] +
             [str(d) for _, v in m.items() for d in v.defects],
             "date": m["date"].datetime.isoformat(),
             "id": m["message-id"], "references": m["references"],
             "reply_to": m["in-reply-to"], "subject": m["subject"],
             "auto": m["auto-submitted"], "priority": m["x-priority"],
             "type": m.get_content_type(),
             "longest": max(map(len, envelope.content.split(b"\r\n"))),
             "text": m.get_content()})
        return "250 taken"


async def smtp(cert=None, key=None, user=None, password=None):
    from aiosmtpd.smtp import SMTP, AuthResult
    tls = None
    if cert is not None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(cert, key)

    def log_in(server, session, envelope, mechanism, data):
        good = (data.login, data.password) == (user.encode(),
                                               password.encode())
        return AuthResult(success=good)

    def session():
        return SMTP(Mail(), hostname="relay", tls_context=tls,
                    authenticator=log_in if user else None,
                    auth_required=user is not None)
    server = await asyncio.get_running_loop().create_server(
        session, "127.0.0.1", 0)
    say(server.sockets[0].getsockname()[1])
    await server.serve_forever()


class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        h, secret = self.headers, self.server.secret
        body = self.rfile.read(int(h["content-length"]))
        signed = f"{h['webhook-id']}.{h['webhook-timestamp']}.".encode() + body
        key = base64.b64decode(secret.removeprefix("whsec_"))
        want = "v1," + base64.b64encode(
            hmac.new(key, signed, hashlib.sha256).digest()).decode()
        hub = "sha256=" + hmac.new(secret.encode(), body,
                                   hashlib.sha256).hexdigest()
        good = any(hmac.compare_digest(want, one)
                   for one in h["webhook-signature"].split(" "))
        say({"id": h["webhook-id"], "signed": good,
             "hub": hmac.compare_digest(hub, h["x-hub-signature-256"]),
             "late": abs(time.time() - int(h["webhook-timestamp"])) > 10,
             "type": h["content-type"], "body": json.loads(body)})
        self.send_response(204 if good else 401)
        self.end_headers()

    def log_message(self, *args):
        pass


if sys.argv[1] == "smtp":
    asyncio.run(smtp(*sys.argv[2:]))
else:
    hooks = http.server.HTTPServer(("127.0.0.1", 0), Hook)
    hooks.secret = sys.argv[2]
    say(hooks.server_port)
    hooks.serve_forever()
