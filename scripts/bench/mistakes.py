"""Mistakes that a request can have, by name; each changes a draft of a request that would be right."""

import json

LONG = "a" * 5000
# In the place of a part of a path; written as they are.
PARTS = [
    "..%2f..%2fetc%2fpasswd", "..", "%2e%2e", "%2e", ".", "%00", "x%00.xml", "%0d%0aX-Evil:%201", "%2f", "%5c", "..%5c..%5c", "", "%20", "%09",
    "%ff%fe", "%c0%af", "%ed%a0%80", "%", "%zz", "%u0041", "\xe6\xf8\xe5", "%F0%9F%98%80", "-1", "0", "1.5", "1e9", "0x10", "+1", "%2b1",
    "2147483648", "9223372036854775807", "9223372036854775808", "-9223372036854775809", "1" * 40, "00000000-0000-0000-0000-000000000000",
    "ffffffff-ffff-ffff-ffff-ffffffffffff", "%7b1f2e3d4c-0000-4000-8000-000000000000%7d", "1f2e3d4c00004000800000000000000", "null", "true",
    "'%20OR%201=1--", "%22", "*", "$1", "{guid}", "%7b%7b7*7%7d%7d", ";a=b", "%3fx=1", "%23", "a%2fb", "NaN", LONG, "%41" * 2000,
]
# In the place of a value of a query or of JSON.
TEXTS = [
    "", " ", "\0", "a\0b", "\r\n", "\u202e", "\U0001f600", "\ufffe", "-1", "0", "1.5", "1e400", "9" * 30, "9223372036854775808", "-9223372036854775809", "null", "true", "yes",
    "0000-00-00", "9999-12-31T23:59:59.9999999Z", "-9999-01-01T00:00:00Z", "2026-02-30T25:61:61+99:99", "+262143-01-01T00:00:00Z", "2026-11-21", "gt:2026", "gt:", "::", "ttd/", "/", "a/b/c",
    "../..", "ttd/../x", "..\\..", "C:\\x", "file:///etc/passwd", "http://127.0.0.1:1/", "http://[::1", "javascript:1", "urn:", "urn:altinn:", "a:b", "%", "%ff", "'; DROP TABLE instances; --", "$1", "{}", "[]", "<x/>",
    "00000000-0000-0000-0000-000000000000", "501337/00000000-0000-0000-0000-000000000000", "text/plain; charset=" + "x" * 300, "no such thing", LONG,
]
VALUES = [
    None, True, False, 0, -1, 1.5, 1e308, 2**31, 2**63, 2**64, -(2**63) - 1, 10**400, [], {}, [[]], [None], [None] * 300, {"": None}, {"a": {"b": []}}, *TEXTS,
]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "FOO", "get"]
KINDS = [
    None, "", "text/plain", "application/xml", "text/xml; charset=utf-16", "application/json; charset=utf-16", "application/JSON;;;", "text/json", "application/problem+json", "application/json, text/plain",
    "application/x-www-form-urlencoded", "multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=b", "application/octet-stream", "///", "\xff\xfe", "a/" + "b" * 8000, "application/vnd.api+json",
]
DEEP = 10_000
JSONS = {
    "empty": b"", "blank": b" \n", "null": b"null", "true": b"true", "zero": b"0", "text": b'"x"', "list": b"[]", "list of nulls": b"[null,null]", "list of lists": b"[[[]]]", "object": b"{}", "one brace": b"{", "one quote": b'"',
    "cut text": b'{"a": "b', "cut escape": b'{"a": "\\u12', "single quotes": b"{'a': 1}", "comma": b'{"a": 1,}', "comment": b'{/* */"a": 1}', "more behind": b'{"a": 1} {"b": 2}',
    "deep lists": b"[" * DEEP + b"]" * DEEP, "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP, "deep and cut": b"[" * DEEP, "deep in a member": b'{"instanceOwner":' * DEEP + b"1" + b"}" * DEEP,
    "endless number": b'{"a": ' + b"9" * 5000 + b"}", "endless fraction": b'{"a": 0.' + b"1" * 5000 + b"}", "infinite": b'{"a": 1e999}', "NaN": b'{"a": NaN}', "minus zero": b"-0", "leading zero": b"[01]",
    "lone surrogate": b'{"a": "\\ud800"}', "NUL": b'{"a\\u0000": "\\u0000"}', "raw NUL": b'{"a": "\0"}', "no UTF-8": b'{"a": "\xff\xfe"}', "UTF-16": '\ufeff{"a": 1}'.encode("utf-16-le"), "mark": b"\xef\xbb\xbf{}", "two marks": b"\xef\xbb\xbf\xef\xbb\xbf{}",
    "same member": b'{"id": "a", "id": "b", "ID": "c"}', "many members": json.dumps({f"m{number}": number for number in range(20_000)}).encode(), "many items": b"[" + b"null," * 50_000 + b"null]",
    "proto": b'{"__proto__": {"a": 1}, "$type": "System.Object", "$ref": "#"}',
}
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
XACML = 'xmlns:xacml="urn:oasis:names:tc:xacml:3.0:core:schema:wd-17"'
XMLS = {
    "empty": "", "no element": "<?xml version='1.0'?>", "cut": "<a><b>", "wrong end": "<a></b>", "two roots": "<a/><b/>", "unknown entity": "<a>&x;</a>", "text": "just text", "other root": "<a xmlns='urn:b'/>",
    "billion laughs": f'<!DOCTYPE l [<!ENTITY l0 "ha">{LAUGHS}]><l>&l9;</l>', "quadratic": f'<!DOCTYPE l [<!ENTITY a "{LONG}">]><l>{"&a;" * 1000}</l>',
    "external entity": '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><a>&x;</a>', "external entity of a host": '<!DOCTYPE a [<!ENTITY x SYSTEM "http://127.0.0.1:1/">]><a>&x;</a>', "external grammar": '<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd"><a/>', "parameter entity": '<!DOCTYPE a [<!ENTITY % x SYSTEM "file:///etc/hostname"> %x;]><a/>',
    "deep": "<a>" * DEEP + "</a>" * DEEP, "deep and cut": "<a>" * DEEP, "many attributes": "<a " + " ".join(f'b{n}="1"' for n in range(5000)) + "/>", "same attribute": '<a b="1" b="2"/>', "other encoding": "<?xml version='1.0' encoding='ebcdic-cp-us'?><a/>", "NUL": "<a>\0</a>", "character 0": "<a>&#0;</a>", "huge character": "<a>&#99999999999;</a>",
    "bare policy": f"<xacml:Policy {XACML}/>", "deep policy": f"<xacml:Policy {XACML}>" + "<xacml:Target>" * DEEP + "</xacml:Target>" * DEEP + "</xacml:Policy>", "policy of text": f"<xacml:Policy {XACML}>x</xacml:Policy>",
    "request of nothing": '<Request xmlns="urn:oasis:names:tc:xacml:3.0:core:schema:wd-17"/>', "deep request": '<Request xmlns="urn:oasis:names:tc:xacml:3.0:core:schema:wd-17">' + "<Attributes>" * DEEP,
}
ODD_CLAIMS = [
    {}, {"urn:altinn:userid": "x"}, {"urn:altinn:userid": 10**30}, {"urn:altinn:userid": -1, "urn:altinn:partyid": -1}, {"urn:altinn:userid": "99999"}, {"urn:altinn:partyid": 501337}, {"urn:altinn:org": ["ttd"]}, {"urn:altinn:org": ""}, {"urn:altinn:org": "../.."},
    {"urn:altinn:userid": "1337", "urn:altinn:authlevel": "high"}, {"urn:altinn:userid": "1337", "urn:altinn:partyid": "501337", "urn:altinn:authlevel": -5}, {"scope": 5}, {"scope": "altinn:serviceowner/instances.read", "urn:altinn:org": "nobody"}, {"consumer": "x"}, {"consumer": {"ID": 5}},
    {"authorization_details": []}, {"authorization_details": [{"systemuser_id": 5}]}, {"authorization_details": {"systemuser_id": ["\0"]}}, {"urn:altinn:app": LONG}, {"urn:altinn:party:uuid": "x"}, {"a": [[[[[[[[]]]]]]]]},
]
HEADERS = {
    "a hundred headers": [(f"X-{number}", "x") for number in range(100)], "40 KiB": [("X-Long", "x" * 40_000)], "60 KiB in four": [(f"X-{n}", "x" * 15_000) for n in range(4)], "70 KiB": [("X-Long", "x" * 70_000)], "1.1 MiB": [(f"X-{n}", "x" * 60_000) for n in range(19)],
    "bytes": [("X-Bytes", "\xff\xfe\x80")], "odd name": [("X(odd)", "x")], "no name": [("", "x")], "two hosts": [("Host", "elsewhere")], "forwarded": [("X-Forwarded-Host", "a b/c"), ("X-Forwarded-Proto", "gopher"), ("Forwarded", "for=;;=")],
    "negative length": [("Content-Length", "-1")], "length of words": [("Content-Length", "ten")], "endless length": [("Content-Length", "9" * 30)], "two lengths": [("Content-Length", "0"), ("Content-Length", "5")], "unknown coding": [("Transfer-Encoding", "gzip")], "length and chunks": [("Content-Length", "3"), ("Transfer-Encoding", "chunked")],
    "method override": [("X-HTTP-Method-Override", "DELETE")], "accept": [("Accept", ";;q=x,,*")], "accept nothing": [("Accept", "image/png")], "language": [("Accept-Language", "\xff;q=9")], "cookies": [("Cookie", "AltinnStudioRuntime=x; AltinnPartyId=x; ;=;\xff")], "party cookie": [("Cookie", "AltinnPartyId=" + "9" * 50)],
    "range": [("Range", "bytes=9-1,,-")], "if match": [("If-Match", '"'), ("If-None-Match", "*")], "coding": [("Content-Encoding", "gzip")], "expectation": [("Expect", "the-unexpected")], "disposition": [("Content-Disposition", "attachment; filename=\"\\")], "disposition of a path": [("Content-Disposition", "attachment; filename*=UTF-8''..%2f%00%ff; filename=../../x")],
    "disposition of bytes": [("Content-Disposition", "attachment; filename=\xe6\xff\x80.pdf")], "upgrade": [("Upgrade", "websocket"), ("Connection", "Upgrade")], "http 2": [("Upgrade", "h2c"), ("HTTP2-Settings", "x")], "traces": [("traceparent", "00-x-y-z"), ("tracestate", "=" * 600)], "platform token": [("PlatformAccessToken", "x")], "platform tokens": [("PlatformAccessToken", "a.b.c"), ("PlatformAccessToken", "\xff")],
    "person": [("X-Ai-NationalIdentityNumber", "\xff"), ("X-Ai-LastName", "%%%=")], "party": [("Ai-Party", "urn:altinn:x:\xff"), ("party", "person:"), ("X-Altinn-Party", "a" * 900)], "lock": [("Altinn-Storage-Lock-Token", "x")], "lock of bytes": [("Altinn-Storage-Lock-Token", "\xff")], "etag": [("If-Match", "a" * 9000)],
}


def catalogue():
    """Every mistake by name, with what makes it. `draft` is a `nonsense.Draft`, `chance` a seeded `random.Random`."""
    found = {}

    def add(name, change, when=lambda endpoint: True):
        found[name] = (change, when)

    bodied = lambda endpoint: endpoint.method in ("POST", "PUT", "PATCH")  # noqa: E731
    shaped = lambda endpoint: bodied(endpoint) and endpoint.shape is not None  # noqa: E731
    for method in METHODS:
        add(f"method {method}", lambda d, _, m=method: setattr(d, "method", m), lambda endpoint, m=method: endpoint.method != m)
    for number, part in enumerate(PARTS):
        add(f"part {number} {part[:20]}", lambda d, c, p=part: d.put_part(c, p), lambda endpoint: endpoint.names)
    for name, change in {
        "double slash": lambda parts, c: parts.insert(c.randrange(1, len(parts) + 1), ""), "slashes at the end": lambda parts, c: parts.extend(["", ""]),
        "dot": lambda parts, c: parts.insert(c.randrange(1, len(parts) + 1), "."), "up": lambda parts, c: parts.insert(c.randrange(1, len(parts) + 1), ".."), "hidden up": lambda parts, c: parts.insert(c.randrange(1, len(parts) + 1), "%2e%2e%2f"),
        "more": lambda parts, c: parts.append("more"), "less": lambda parts, c: parts.pop(), "upper case": lambda parts, c: parts.__setitem__(slice(None), [p.upper() for p in parts]), "encoded": lambda parts, c: parts.__setitem__(-1, "".join(f"%{b:02x}" for b in parts[-1].encode("latin-1", "replace"))),
        "70,000 letters": lambda parts, c: parts.append("a" * 70_000), "30,000 letters": lambda parts, c: parts.append("a" * 30_000), "10,000 parts": lambda parts, c: parts.extend(["a"] * 10_000),
    }.items():
        add(f"path {name}", lambda d, c, change=change: change(d.parts, c), lambda endpoint: endpoint.path.count("/") > 1)
    for number, text in enumerate(TEXTS):
        add(f"query {number}", lambda d, c, t=text: d.put_query(c, t), lambda endpoint: endpoint.query)
    for name, query in {
        "unknown": "unknown=1&other[]=2&x.y=3", "bare": "&&==&=&?", "broken": "%=%zz&a=%ff%fe", "thousand": "&".join(f"k{n}=v" for n in range(1000)), "long": "x=" + "a" * 30_000, "too long": "x=" + "a" * 70_000, "NUL": "a=%00&%00=b", "bytes": "\xff\xfe=\x80",
    }.items():
        add(f"query {name}", lambda d, _, q=query: d.raw_query.append(q))
    add("query repeated", lambda d, c: [d.put_query(c, c.choice(TEXTS)) for _ in range(20)], lambda endpoint: endpoint.query)
    for name in TOKENS:
        add(f"token {name}", lambda d, _, n=name: setattr(d, "token", n))
    for number in range(len(ODD_CLAIMS)):
        add(f"claims {number}", lambda d, _, n=number: setattr(d, "token", f"claims {n}"), lambda endpoint: endpoint.secured)
    for kind in KINDS:
        add(f"kind {str(kind)[:30]}", lambda d, _, k=kind: setattr(d, "kind", k), bodied)
    for name, body in JSONS.items():
        add(f"json {name}", lambda d, _, b=body: d.put_body(b, "application/json"), bodied)
    for name, text in XMLS.items():
        add(f"xml {name}", lambda d, _, t=text: d.put_body(t.encode(), "application/xml"), lambda endpoint: bodied(endpoint) and (endpoint.shape is None or "author" in endpoint.path))
    for number in range(12):
        add(f"policy spoilt {number}", lambda d, c: d.spoil_policy(c), lambda endpoint: "/policies" in endpoint.path and bodied(endpoint))
    for number in range(60):
        add(f"shape {number}", lambda d, c: d.spoil_shape(c), shaped)
    add("shape cut", lambda d, c: d.put_body(d.body[: c.randrange(len(d.body) + 1)], d.kind), bodied)
    add("body flipped", lambda d, c: d.flip(c), bodied)
    add("3 MiB", lambda d, _: d.put_body(b'"' + b"a" * (3 << 20) + b'"', "application/json"), bodied)
    add("9 MiB", lambda d, _: d.put_body(b"a" * (9 << 20), d.kind), lambda endpoint: bodied(endpoint) and not endpoint.path.endswith("/data"))
    add("form cut", lambda d, _: d.put_body(b'--b\r\nContent-Disposition: form-data; name="x"; filename="\xff', "multipart/form-data; boundary=b"), bodied)
    add("form of nothing", lambda d, _: d.put_body(b"--b--\r\n", "multipart/form-data; boundary=b"), bodied)
    add("form deep", lambda d, _: d.put_body(b"--b\r\n" * 5000, "multipart/form-data; boundary=b"), bodied)
    add("chunks broken", lambda d, _: d.put_chunks(b"5\r\nhello\r\nzz\r\n"), bodied)
    add("chunks negative", lambda d, _: d.put_chunks(b"-1\r\n\r\n"), bodied)
    add("body on a read", lambda d, _: d.put_body(b"{}", "application/json"), lambda endpoint: endpoint.method == "GET")
    for name, headers in HEADERS.items():
        add(f"headers {name}", lambda d, _, h=headers: d.headers.extend(h))
    return found


TOKENS = [
    "none", "empty", "x", "a.b.c", "signature changed", "signature cut", "claims changed", "alg none", "alg HS256", "expired", "basic", "lower case", "two", "60 KiB", "bytes", "somebody else", "organisation", "designer", "other organisation", "platform's", "not a token", "dots",
]


CATALOGUE = catalogue()
