"""What malformed requests are made of: names, parameters, values, bodies, headers, as bytes. No choices are made here."""

from __future__ import annotations

import gzip

# lists to be read through, several to a line
# fmt: off


#: Who asks. The keys are those of the devices that `population` makes.
ADMIN, KEEPER = "test", "keeper"
KEYS = ("key-fa-user", "key-fa-plain", "key-fa-reader", "key-fa-writer", "key-fa-odd", "key-fb-user", "key-admin")

NAMES: tuple[bytes, ...] = (
    *(b"fa", b"fb", b"user", b"meta", b"plain", b"odd", b"log", b"s", b"number", b"text", b"object", b"down", b"brief"),
    *(b"nosuch", b"admin", b"nobody", b"root", b"Fa", b"con", b"x", b"made1", b"made2", b"made3"),
    *(
        b"a" * 29, b"a" * 30, b"a" * 3000, b"1a", b"-a", b"_", b".", b"..", b"a.b", b"a:b", b"a;b=c", b"a&b",
        b"a'b", b'a"b',
    ),
    *(
        b"", b"%20", b"a%20b", b"%2F", b"a%2Fb", b"%2e%2e", b"%00", b"a%00b", b"%ff", b"%C3%A9", b"%E2%98%83", b"%",
        b"%zz", b"%0d%0a",
    ),
    *(
        "é".encode(), "\u2603".encode(), b"\xff\xfe", b"\\", b"a\\b", b"$(id)", b"<b>", b"{}", b"[1]", b"*", b"~",
        b"%25", b"%3F", b"a%23b",
    ),
)

#: What `population` made and nothing here may change: reached by those who have no right to it alone.
PROTECTED: tuple[bytes, ...] = (KEEPER.encode(), ADMIN.encode())

PATHS: tuple[bytes, ...] = (
    *(
        b"/", b"//", b"/api", b"/api/", b"/api/v1", b"/api/v1/", b"/api/v2/crud/fa", b"/api/v1/crud",
        b"/api/v1/crud/", b"/api/v1/crud//",
    ),
    *(
        b"/api/v1/meta/version", b"/api/v1/meta/transforms", b"/api/v1/meta/interpolators", b"/api/v1/meta/x",
        b"/api/v1/meta",
    ),
    *(
        b"/api/v1/login", b"/api/v1/logout", b"/login", b"/logout", b"/join", b"/health", b"/favicon.ico",
        b"/api/v1/websocket",
    ),
    *(
        b"/api/v1/query", b"/api/v1/query/", b"/api/v1/query/x", b"/api/v1/feed", b"/api/v1/feed/fa/plain",
        b"/api/v1/../../etc/passwd",
    ),
    *(
        b"/api/v1/crud/%2e%2e/%2e%2e/etc", b"/api//v1/", b"/API/V1/", b"/api/v1/crud/fa/",
        b"/api/v1/crud/fa/plain/number/data/",
    ),
    *(
        b"/api/v1/crud/fa/plain/number/data/x", b"/api/v1/crud/fa/plain/number/downlink", b"*",
        b"http://127.0.0.1/api/v1/", b"api/v1/",
    ),
    *(
        b"/" + b"a" * 10000, b"/" + b"a/" * 5000, b"/api/v1/crud/" + b"%41" * 3000,
        b"/api/v1/?" + b"q=this&" * 2000, b"/#", b"/api/v1/#?q=this",
    ),
)

PARAMETERS: tuple[bytes, ...] = (
    *(
        b"i1", b"i2", b"t1", b"t2", b"limit", b"q", b"transform", b"downlink", b"apikey", b"public", b"visible",
        b"datatype",
    ),
    *(b"t", b"remember", b"", b"I1", b"i1[]", b"%69%31", b"x"),
)
VALUES: tuple[bytes, ...] = (
    *(
        b"", b"0", b"1", b"-1", b"2", b"5", b"-3", b"99", b"+1", b"1.5", b"1e3", b"0x10", b"010", b"0b1", b"1_000",
        b" 1", b"%201", b"1%20",
    ),
    *(
        b"9223372036854775807", b"9223372036854775808", b"-9223372036854775808", b"-9223372036854775809",
        b"9" * 400, b"-" + b"9" * 5000,
    ),
    *(
        b"NaN", b"nan", b"Inf", b"-Inf", b"infinity", b"1e308", b"1e999", b"-1e999", b"1e-999", b"4.9e-324",
        b"1512345678.123456789",
    ),
    *(
        b"%D9%A1", b"%EF%BC%91", b"%00", b"%ff", b"%zz", b"true", b"True", b"T", b"false", b"null", b"[1]", b"{}",
        b"1'--", b"$(id)",
    ),
    *(
        b"ls", b"streams", b"devices", b"length", b"time2index", b"this", b"countusers", b"countdevices",
        b"countstreams", b"x" * 5000,
    ),
    *(
        b"if%20last", b"sum", b"$", b"if", b"(" * 500, b"%7C" * 300, b"key-fa-user", b"key-fa-reader", b"key-none",
        b"material:person",
    ),
)

#: Queries of points that are answered.
RANGES: tuple[bytes, ...] = (
    *(
        b"i1=0", b"i1=-1", b"i1=0&i2=2", b"i1=1&i2=-1", b"t1=0&t2=0", b"t1=1&limit=2", b"t2=100", b"q=length",
        b"q=time2index&t=2",
    ),
    *(
        b"i1=0&downlink=true", b"q=length&downlink=true", b"t1=1e9", b"i1=-3&transform=", b"i1=0x1&i2=010",
        b"t1=-Inf&t2=Inf",
    ),
)

#: JSON values, or what is written where one should be.
JSON: tuple[bytes, ...] = (
    *(
        b"null", b"true", b"false", b"0", b"-0", b"1", b"-1", b"5", b"1.5", b"-1.5e3", b"1e21", b"1e-7", b"1e308",
        b"-1e308", b"1e400", b"5e-324",
    ),
    *(
        b"9007199254740993", b"18446744073709551616", b"1" * 400, b"1" * 5000, b"0." + b"1" * 2000,
        b"1e" + b"9" * 50, b"01", b"+1", b".5", b"1.", b"0x1",
    ),
    *(
        b'""', b'"x"', b'"true"', b'"1"', b'"\\u0000"', b'"\\ud800"', b'"\\udfff\\ud800"', b'"\\ud83d\\ude00"',
        b'"\xc3\xa9"', b'"\xff"', b'"\xed\xa0\x80"',
    ),
    *(
        b'"' + b"x" * 999 + b'"', b'"' + b"x" * 5000 + b'"', b'"' + b"\\n" * 600 + b'"', b'"<&>\\u2028"', b'"\\x"',
        b'"a\nb"', b'"unclosed', b"'x'", b"x",
    ),
    *(
        b"[]", b"{}", b"[[]]", b"[null]", b"[1,2,3]", b"[1,null,3]", b'{"a":null}', b'{"a":{"b":{}}}', b'{"":0}',
        b'{"a":1,"a":2}', b"[1,]", b'{"a":1,}',
    ),
    *(
        b"[" * 50 + b"]" * 50, b"[" * 1000 + b"]" * 1000, b"[" * 20000, b'{"a":' * 60 + b"1" + b"}" * 60,
        b'{"a":' * 3000 + b"1" + b"}" * 3000,
    ),
    *(
        b"NaN", b"Infinity", b"-Infinity", b"undefined", b"", b" ", b"\x00", b"/* */ 1", b"[1 2]", b"{1:2}",
        b'{"a" 1}', b"nul", b"truefalse",
    ),
    *(
        b'"a@example.org"', b'"A <a@b>"', b'"@"', b'"user"', b'"admin"', b'"none"', b'"reader"',
        b'"material:person"', b'"data:image/png;base64,AAAA"', b'"AAAA"',
    ),
    *(
        b'"1979-01-01T00:00:00Z"', b"1512345678.5", b"1e12", b"253402300800", b'"fa/plain/number"',
        b'"fa/plain/down/downlink"', b'"fa"', b'"a/b/c/d/e"',
    ),
)

#: Schemas, as JSON texts in JSON strings.
SCHEMAS: tuple[bytes, ...] = tuple(
    b'"' + text.replace(b"\\", b"\\\\").replace(b'"', b'\\"') + b'"'
    for text in (
        *(
            b"", b"{}", b"null", b"true", b"[]", b"{", b'{"type":"number"}', b'{"type":"blah"}',
            b'{"type":["string","null"]}', b'{"type":[]}',
        ),
        *(
            b'{"$ref":"#"}', b'{"allOf":[{"$ref":"#"}]}',
            b'{"$ref":"#/definitions/a","definitions":{"a":{"$ref":"#/definitions/a"}}}',
        ),
        *(
            b'{"$ref":"file:///etc/passwd"}', b'{"$ref":"http://127.0.0.1:9/x"}', b'{"$ref":"#/nowhere"}',
            b'{"$ref":5}', b'{"$id":"http://x/","$ref":"y"}',
        ),
        *(
            b'{"pattern":"(a+)+$"}', b'{"pattern":"("}', b'{"pattern":"\\\\d{1000}{1000}"}',
            b'{"patternProperties":{"(":{}}}', b'{"format":"date-time"}',
        ),
        *(
            b'{"enum":[]}', b'{"enum":[1e999]}', b'{"minimum":"x"}', b'{"minimum":1e999}', b'{"multipleOf":0}',
            b'{"multipleOf":1e-300}', b'{"minLength":-1}',
        ),
        *(
            b'{"required":["a","a"]}', b'{"exclusiveMinimum":true}', b'{"exclusiveMinimum":true,"minimum":1}',
            b'{"dependencies":{"a":["b"]}}', b'{"not":{"not":{}}}',
        ),
        *(
            b'{"items":' * 40 + b"{}" + b"}" * 40, b'{"items":' * 2000 + b"{}" + b"}" * 2000,
            b'{"oneOf":[' + b"{}," * 500 + b"{}]}", b'{"title":"' + b"x" * 70000 + b'"}',
        ),
        *(
            b'{"properties":{"a":{"$ref":"#"}},"additionalProperties":false}', b'{"default":NaN}',
            b'{"uniqueItems":true}', b'{"const":{"a":[1,null]}}',
        ),
    )
)

FIELDS: tuple[bytes, ...] = (
    *(b"name", b"nickname", b"email", b"description", b"icon", b"role", b"public", b"password", b"devices", b"streams"),
    *(b"apikey", b"enabled", b"visible", b"user_editable", b"schema", b"datatype", b"ephemeral", b"downlink"),
    *(b"Name", b"EMAIL", b"unknown", b"", b"\\u0000", b"__proto__", b"x" * 2000),
)

#: Whole bodies that are wrong whatever they are sent to.
BODIES: tuple[bytes, ...] = (
    *JSON, *("[]".encode(codec) for codec in ("utf-16", "utf-16-le", "utf-32", "utf-8-sig", "utf-7")),
    *(
        gzip.compress(b"[]"), b"\x1f\x8b", b"--x\r\n\r\n", b"a=1&b=2", b"<x/>", bytes(range(256)), b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
    ),
    *(
        b"[" + b"{}," * 3000 + b"{}]", b"[" + b"null," * 5000 + b"null]", b"{" + b'"a":1,' * 5000 + b'"a":1}',
        b'[{"t":1},' * 2000, b" " * 20000 + b"[]",
    ),
)

HEADERS: tuple[bytes, ...] = (
    *(
        b"Content-Type: text/csv", b"Content-Type: application/json; charset=utf-16",
        b"Content-Type: multipart/form-data; boundary=x", b"Content-Type:",
    ),
    *(
        b"Content-Encoding: gzip", b"Content-Encoding: x", b"Accept-Encoding: gzip, deflate, br",
        b"Accept-Encoding: *;q=0", b"Accept: text/html", b"TE: trailers",
    ),
    *(
        b"Origin: http://evil.example", b"Origin: null", b"Origin:", b"Referer: x",
        b"Cookie: connectordb-session=x", b"Cookie: connectordb-session=", b"Cookie: ;;=;=",
    ),
    *(
        b'Cookie: connectordb-session="\\"', b"Cookie: " + b"a=b; " * 500, b"Cookie: \xff=\xff",
        b"Access-Control-Request-Method: PUT", b"Range: bytes=0-1",
    ),
    *(
        b"If-None-Match: *", b"If-Modified-Since: x", b"Upgrade: h2c", b"Upgrade: websocket",
        b"Connection: Upgrade", b"Connection: keep-alive, x", b"Expect: x",
    ),
    *(
        b"Idempotency-Key: k1", b"Idempotency-Key:", b"Idempotency-Key: " + b"k" * 3000, b"Idempotency-Key: \xff",
        b'Idempotency-Key: "a b"', b"Idempotency-Key: k2",
    ),
    *(
        b"ConnectorDB-Timeout: 0", b"ConnectorDB-Timeout: -1", b"ConnectorDB-Timeout: nan",
        b"ConnectorDB-Timeout: 1e999", b"ConnectorDB-Timeout: x", b"ConnectorDB-Timeout: 5",
    ),
    *(
        b"ConnectorDB-Timeout: 1e-9", b"X-Forwarded-For: 1.2.3.4", b"X-Forwarded-For: x,,",
        b"X-Forwarded-Proto: https", b"X-Forwarded-Host: \xff", b"Forwarded: for=x",
    ),
    *(
        b"X: " + b"x" * 5000, b"X:", b"X: \t", b"X: \xff\xfe", b"X-HTTP-Method-Override: DELETE",
        b"Max-Forwards: 0", b"Date: x", b"Pragma: \x7f",
    ),
    b"\r\n".join(b"H%d: %d" % (n, n) for n in range(60)),
)

AUTHORIZATIONS: tuple[bytes, ...] = (
    *(
        b"Basic", b"Basic ", b"Basic !!!", b"Basic Og==", b"Basic Og", b"basic OmtleS1mYS11c2Vy",
        b"Bearer key-fa-user", b"Digest x", b"\xff", b"Basic \xff\xff",
    ),
    *(
        b"Basic /////w==", b"Basic " + b"QUFB" * 2000, b"Basic OgA=", b"Basic Ojp6", b"Basic bm9ib2R5Og==",
        b"Basic OnNvbWUta2V5", b"Basic Oiw=",
    ),
)

#: Request lines and headers that are no HTTP; each ends its connection.
BROKEN_HEADS: tuple[bytes, ...] = (
    *(
        b"GET\r\n\r\n", b"\r\n\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1 x\r\n\r\n",
        b"GET  /  HTTP/1.1\r\n\r\n", b"G\xffT / HTTP/1.1\r\n\r\n", b"\x00" * 50 + b"\r\n\r\n",
    ),
    *(
        b"GET / HTTP/1.1\nHost: x\n\n", b"GET / HTTP/1.1\r\nHost x\r\n\r\n", b"GET / HTTP/1.1\r\n: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nA : x\r\n\r\n", b"GET / HTTP/1.1\r\n A: x\r\n\r\n",
    ),
    *(
        b"GET / HTTP/1.1\r\nA: x\r\n folded\r\n\r\n", b"GET / HTTP/1.1\r\nA: \x00\r\n\r\n",
        b"GET / HTTP/1.1\r\nA\x00: x\r\n\r\n", b"GET /\x00 HTTP/1.1\r\n\r\n", b"GET / a HTTP/1.1\r\n\r\n",
    ),
    *(
        b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"a" * 70000 + b"\r\n\r\n",
    ),
    *(
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: 1e3\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: +5\r\n\r\nabcde",
    ),
    *(
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef",
        b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 0x5\r\n\r\nabcde",
    ),
    *(
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked, x\r\n\r\n",
    ),
    *(
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"SSH-2.0-x\r\n",
        b"HELO x\r\n", b"CONNECT x:1 HTTP/1.1\r\n\r\n", b"GET / HTTP/0.9\r\n\r\n",
    ),
    *(
        b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20000 + b"\r\n",
        b"GET / HTTP/1.1\r\n" + b"A: %s\r\n" % (b"b" * 5000) * 100 + b"\r\n", b"OPTIONS * HTTP/1.1\r\n\r\n",
        b"GET http://[::1 HTTP/1.1\r\n\r\n",
    ),
)

#: Bodies in chunks that are none.
BROKEN_CHUNKS: tuple[bytes, ...] = (
    *(
        b"x\r\n", b"5\r\nabc\r\n0\r\n\r\n", b"-1\r\n\r\n", b"ffffffffffffffffffff\r\n", b"5\nabcde\n0\n\n",
        b"5\r\nabcdeXX0\r\n\r\n", b"0x5\r\nabcde\r\n0\r\n\r\n", b"\r\n",
    ),
    *(
        b"5;" + b"x" * 70000 + b"\r\nabcde\r\n0\r\n\r\n", b"0\r\n" + b"T: x\r\n" * 5000 + b"\r\n",
        b"5\r\nabcde\r\n", b"5 \r\nabcde\r\n0\r\n\r\n", b"2\r\n[]\r\n0\r\nX\r\n\r\n",
    ),
)
