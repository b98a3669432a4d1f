//! One request for a URL: `https:`, `http:` or `file:`, through a proxy if the environment names one.
//!
//! std.http.Client has no TLS through proxies and no exclusions, so this uses the layers below it: std.crypto.tls and
//! std.http.Reader.

const std = @import("std");
const testing = std.testing;
const Allocator = std.mem.Allocator;
const tls = std.crypto.tls;
const Head = std.http.Client.Response.Head;
const proxies = @import("proxy.zig");
const Session = @import("session.zig").Session;

const Error = error{ Failed, OutOfMemory };

const redirects_max = 10;
const buffer_length = 2 * tls.Client.min_buffer_len;

pub const Request = struct {
    url: []const u8,
    /// The byte of the content to begin at.
    offset: u64 = 0,
    /// More headers, such as `Authorization: Bearer …`, for the host of the URL only.
    headers: []const []const u8 = &.{},
};

/// A response whose content has not been read yet.
pub const Response = struct {
    /// The byte of the content that `body` begins at: 0, or what the request says.
    start: u64,
    /// The length of `body`, if the server says so.
    length: ?u64,
    body: *std.Io.Reader,
};

/// The host that a URL leads to.
const Place = struct {
    is_secure: bool,
    host: []const u8,
    port: u16,
    uri: std.Uri,

    fn isSameAs(place: Place, other: Place) bool {
        return place.is_secure == other.is_secure and place.port == other.port and
            std.ascii.eqlIgnoreCase(place.host, other.host);
    }
};

/// Memory and connection of one request; `close` ends the connection.
pub const Exchange = struct {
    session: *Session,
    /// For this request alone.
    arena: Allocator,
    reader: std.net.Stream.Reader = undefined,
    writer: std.net.Stream.Writer = undefined,
    secure: tls.Client = undefined,
    http: std.http.Reader = undefined,
    file: ?std.fs.File = null,
    file_reader: std.fs.File.Reader = undefined,

    pub fn close(exchange: *Exchange) void {
        exchange.session.watch.close();
        if (exchange.file) |file| file.close();
        exchange.file = null;
    }

    /// Sends the request, follows redirections, and reads the head of the response.
    pub fn open(exchange: *Exchange, request: Request) Error!Response {
        const session = exchange.session;
        var url = request.url;
        const first = try exchange.parse(url);
        for (0..redirects_max) |_| {
            const uri = try exchange.parse(url);
            if (std.mem.eql(u8, uri.scheme, "file")) {
                // A server must not choose a file of this host.
                if (url.ptr != request.url.ptr) return session.fail(.{ .why = "the server redirects to a file" });
                return exchange.openFile(uri, request.offset);
            }
            const place = try exchange.placeOf(uri);
            const is_own = !std.mem.eql(u8, first.scheme, "file") and place.isSameAs(try exchange.placeOf(first));
            const head = try exchange.send(place, request, is_own);
            switch (head.status) {
                .ok, .partial_content => return exchange.respond(head, request),
                .moved_permanently, .found, .see_other, .temporary_redirect, .permanent_redirect => {
                    const location = head.location orelse return session.fail(.{ .why = "the server redirects without a target" });
                    url = try exchange.resolve(uri, location);
                    exchange.close();
                },
                else => return exchange.refused(head),
            }
        }
        return session.fail(.{ .why = "the server redirects too often" });
    }

    fn parse(exchange: *Exchange, url: []const u8) Error!std.Uri {
        return std.Uri.parse(url) catch exchange.session.fail(.{ .why = exchange.session.print("{s} is not a URL", .{url}) });
    }

    fn placeOf(exchange: *Exchange, uri: std.Uri) Error!Place {
        const is_secure = std.mem.eql(u8, uri.scheme, "https");
        if (!is_secure and !std.mem.eql(u8, uri.scheme, "http")) return exchange.session.fail(.{
            .why = exchange.session.print("URLs with {s}: are not supported", .{uri.scheme}),
        });
        const component = uri.host orelse return exchange.session.fail(.{ .why = "the URL has no host" });
        const host = try component.toRawMaybeAlloc(exchange.arena);
        return .{
            .is_secure = is_secure,
            .host = std.mem.trim(u8, host, "[]"),
            .port = uri.port orelse if (is_secure) 443 else 80,
            .uri = uri,
        };
    }

    fn resolve(exchange: *Exchange, from: std.Uri, location: []const u8) Error![]const u8 {
        var buffer: []u8 = try exchange.arena.alloc(u8, location.len + 16 * 1024);
        @memcpy(buffer[0..location.len], location);
        const uri = std.Uri.resolveInPlace(from, location.len, &buffer) catch return exchange.session.fail(.{
            .why = "the server redirects to an invalid URL",
        });
        return std.fmt.allocPrint(exchange.arena, "{f}", .{uri.fmt(.all)});
    }

    fn openFile(exchange: *Exchange, uri: std.Uri, offset: u64) Error!Response {
        const path = try uri.path.toRawMaybeAlloc(exchange.arena);
        const file = std.fs.cwd().openFile(localPath(path), .{}) catch |err| return exchange.session.fail(.{
            .why = exchange.session.print("cannot open {s}: {s}", .{ localPath(path), @errorName(err) }),
        });
        exchange.file = file;
        exchange.file_reader = file.reader(try exchange.arena.alloc(u8, buffer_length));
        const length = exchange.file_reader.getSize() catch |err| return exchange.session.fail(.{ .why = @errorName(err) });
        const start = if (offset <= length) offset else 0;
        exchange.file_reader.seekTo(start) catch |err| return exchange.session.fail(.{ .why = @errorName(err) });
        return .{ .start = start, .length = length - start, .body = &exchange.file_reader.interface };
    }

    /// Connects, and sends the request. Returns the head of the response.
    fn send(exchange: *Exchange, place: Place, request: Request, is_own: bool) Error!Head {
        const proxy = proxies.find(exchange.session.environment, place.is_secure, place.host, place.port);
        const through = if (proxy) |text| try exchange.proxyOf(text) else null;
        try exchange.connect(through orelse place);
        if (place.is_secure) {
            if (through) |each| try exchange.tunnel(each, place);
            try exchange.secureFor(place);
        }
        const out = if (place.is_secure) &exchange.secure.writer else &exchange.writer.interface;
        const in = if (place.is_secure) &exchange.secure.reader else exchange.reader.interface();
        const plain_proxy = if (place.is_secure) null else through;
        const credentials = try exchange.authorization(place, is_own, request.headers);
        write(out, place, request, plain_proxy, try proxyAuthorization(exchange, plain_proxy), credentials, is_own) catch
            return exchange.broken("cannot send the request");
        if (place.is_secure) exchange.writer.interface.flush() catch return exchange.broken("cannot send the request");
        return exchange.receive(in);
    }

    fn write(
        out: *std.Io.Writer,
        place: Place,
        request: Request,
        plain_proxy: ?Place,
        proxy_credentials: ?[]const u8,
        credentials: ?[]const u8,
        is_own: bool,
    ) std.Io.Writer.Error!void {
        var uri = place.uri;
        uri.user = null;
        uri.password = null;
        uri.fragment = null;
        const parts: std.Uri.Format.Flags = if (plain_proxy == null)
            .{ .path = true, .query = true }
        else
            .{ .scheme = true, .authority = true, .path = true, .query = true };
        try out.print("GET {f} HTTP/1.1\r\nHost: {f}\r\n", .{ uri.fmt(parts), uri.fmt(.{ .authority = true, .port = true }) });
        // Of an archive that is compressed already, only its own bytes are wanted.
        try out.writeAll("User-Agent: czscie\r\nAccept: */*\r\nAccept-Encoding: identity\r\nConnection: close\r\n");
        if (request.offset > 0) try out.print("Range: bytes={d}-\r\n", .{request.offset});
        if (proxy_credentials) |text| try out.print("Proxy-Authorization: Basic {s}\r\n", .{text});
        if (credentials) |text| try out.print("Authorization: Basic {s}\r\n", .{text});
        if (is_own) for (request.headers) |header| try out.print("{s}\r\n", .{header});
        try out.writeAll("\r\n");
        try out.flush();
    }

    /// The credentials of the URL or, unless a header has some, those of the netrc file, in base64.
    fn authorization(exchange: *Exchange, place: Place, is_own: bool, headers: []const []const u8) Error!?[]const u8 {
        if (place.uri.user) |user| return try exchange.encoded(
            try user.toRawMaybeAlloc(exchange.arena),
            if (place.uri.password) |password| try password.toRawMaybeAlloc(exchange.arena) else "",
        );
        if (is_own) for (headers) |header| if (std.ascii.startsWithIgnoreCase(header, "authorization:")) return null;
        const found = try exchange.session.credentials(place.host) orelse return null;
        return try exchange.encoded(found.login, found.password);
    }

    fn proxyAuthorization(exchange: *Exchange, proxy: ?Place) Error!?[]const u8 {
        const place = proxy orelse return null;
        const user = place.uri.user orelse return null;
        const password = if (place.uri.password) |text| try text.toRawMaybeAlloc(exchange.arena) else "";
        return try exchange.encoded(try user.toRawMaybeAlloc(exchange.arena), password);
    }

    fn encoded(exchange: *Exchange, user: []const u8, password: []const u8) error{OutOfMemory}![]const u8 {
        const text = try std.fmt.allocPrint(exchange.arena, "{s}:{s}", .{ user, password });
        const encoder = std.base64.standard.Encoder;
        return encoder.encode(try exchange.arena.alloc(u8, encoder.calcSize(text.len)), text);
    }

    fn proxyOf(exchange: *Exchange, text: []const u8) Error!Place {
        const has_scheme = std.mem.indexOf(u8, text, "://") != null;
        const url = if (has_scheme) text else try std.mem.concat(exchange.arena, u8, &.{ "http://", text });
        if (exchange.placeOf(try exchange.parse(url))) |place| {
            if (!place.is_secure) return place;
        } else |_| {}
        return exchange.session.fail(.{
            .why = "only proxies with http: are supported",
            .hint = "set HTTPS_PROXY to http://HOST:PORT, or name the host in NO_PROXY",
        });
    }

    fn connect(exchange: *Exchange, place: Place) Error!void {
        const session = exchange.session;
        const addresses = std.net.getAddressList(exchange.arena, place.host, place.port) catch |err| return session.fail(.{
            .why = session.print("cannot find the host {s}: {s}", .{ place.host, @errorName(err) }),
            .hint = "check the network, or set HTTPS_PROXY",
            .is_transient = err == error.TemporaryNameServerFailure,
        });
        var failure: anyerror = error.UnknownHostName;
        for (addresses.addrs) |address| {
            const stream = exchange.connectTo(address) catch |err| {
                failure = err;
                continue;
            };
            exchange.reader = stream.reader(try exchange.arena.alloc(u8, buffer_length));
            exchange.writer = stream.writer(try exchange.arena.alloc(u8, buffer_length));
            return;
        }
        return session.fail(.{
            .why = session.print("cannot connect to {s}, port {d}: {s}", .{ place.host, place.port, @errorName(failure) }),
            .hint = "check the network, or set HTTPS_PROXY",
            .is_transient = true,
        });
    }

    fn connectTo(exchange: *Exchange, address: std.net.Address) !std.net.Stream {
        const is_windows = @import("builtin").os.tag == .windows;
        const flags = std.posix.SOCK.STREAM | if (is_windows) 0 else std.posix.SOCK.CLOEXEC;
        const socket = try std.posix.socket(address.any.family, flags, std.posix.IPPROTO.TCP);
        exchange.session.watch.begin(socket);
        errdefer exchange.session.watch.close();
        if (!is_windows) {
            const limit: std.posix.timeval = .{ .sec = @intCast(exchange.session.watch.seconds), .usec = 0 };
            std.posix.setsockopt(socket, std.posix.SOL.SOCKET, std.posix.SO.SNDTIMEO, std.mem.asBytes(&limit)) catch {};
        }
        try std.posix.connect(socket, &address.any, address.getOsSockLen());
        exchange.session.watch.beat();
        return .{ .handle = socket };
    }

    /// Has the proxy connect to `place` (RFC 9110, 9.3.6).
    fn tunnel(exchange: *Exchange, proxy: Place, place: Place) Error!void {
        const out = &exchange.writer.interface;
        const credentials = try exchange.proxyAuthorization(proxy);
        const is_address = std.mem.indexOfScalar(u8, place.host, ':') != null;
        const name = if (is_address) exchange.session.print("[{s}]:{d}", .{ place.host, place.port }) else exchange.session.print("{s}:{d}", .{ place.host, place.port });
        sendConnect(out, name, credentials) catch return exchange.broken("cannot send the request to the proxy");
        const head = try exchange.receive(exchange.reader.interface());
        if (head.status != .ok) return exchange.session.fail(.{
            .why = exchange.session.print("the proxy {s} does not connect: {d} {s}", .{ proxy.host, @intFromEnum(head.status), head.reason }),
            .hint = "check HTTPS_PROXY, or name the host in NO_PROXY",
            .is_transient = head.status.class() == .server_error,
        });
    }

    fn sendConnect(out: *std.Io.Writer, name: []const u8, credentials: ?[]const u8) std.Io.Writer.Error!void {
        try out.print("CONNECT {s} HTTP/1.1\r\nHost: {s}\r\n", .{ name, name });
        if (credentials) |text| try out.print("Proxy-Authorization: Basic {s}\r\n", .{text});
        try out.writeAll("\r\n");
        try out.flush();
    }

    fn secureFor(exchange: *Exchange, place: Place) Error!void {
        const session = exchange.session;
        const bundle = try session.authorities();
        exchange.secure = tls.Client.init(exchange.reader.interface(), &exchange.writer.interface, .{
            .host = .{ .explicit = place.host },
            .ca = .{ .bundle = bundle },
            .read_buffer = try exchange.arena.alloc(u8, buffer_length),
            .write_buffer = try exchange.arena.alloc(u8, buffer_length),
            // The length and the digest of the content are compared.
            .allow_truncation_attacks = true,
        }) catch |err| switch (err) {
            error.ReadFailed, error.WriteFailed, error.TlsConnectionTruncated => return exchange.broken("the server ends the TLS handshake"),
            else => return session.fail(.{
                .why = session.print("cannot verify the certificate of {s}: {s}", .{ place.host, @errorName(err) }),
                .hint = "set SSL_CERT_FILE to the certificates of the authority that issued it",
            }),
        };
        session.watch.beat();
    }

    fn receive(exchange: *Exchange, in: *std.Io.Reader) Error!Head {
        exchange.http = .{ .in = in, .interface = undefined, .state = .ready, .max_head_len = tls.Client.min_buffer_len };
        const bytes = exchange.http.receiveHead() catch |err| switch (err) {
            error.HttpHeadersOversize => return exchange.session.fail(.{ .why = "the head of the response is too long" }),
            else => return exchange.broken("the server sends no response"),
        };
        exchange.session.watch.beat();
        const own = try exchange.arena.dupe(u8, bytes);
        return Head.parse(own) catch exchange.session.fail(.{ .why = "the server sends an invalid response" });
    }

    fn respond(exchange: *Exchange, head: Head, request: Request) Error!Response {
        var start: u64 = 0;
        if (head.status == .partial_content) {
            start = rangeStart(head) orelse return exchange.session.fail(.{ .why = "the server sends an invalid range" });
            if (start != request.offset) return exchange.session.fail(.{ .why = "the server sends a different range" });
        }
        return .{
            .start = start,
            .length = head.content_length,
            .body = exchange.http.bodyReader(try exchange.arena.alloc(u8, buffer_length), head.transfer_encoding, head.content_length),
        };
    }

    fn refused(exchange: *Exchange, head: Head) error{Failed} {
        const status: u16 = @intFromEnum(head.status);
        const is_transient = switch (status) {
            408, 416, 425, 429, 500, 502, 503, 504 => true,
            else => false,
        };
        return exchange.session.fail(.{
            .why = exchange.session.print("the server responds {d} {s}", .{ status, head.reason }),
            .hint = if (status == 401 or status == 403) "put credentials for the host into ~/.netrc" else "",
            .is_transient = is_transient,
        });
    }

    /// The fault of a connection that failed.
    pub fn broken(exchange: *Exchange, what: []const u8) error{Failed} {
        const session = exchange.session;
        const why = if (session.watch.is_stalled.load(.acquire))
            session.print("nothing arrived for {d} seconds", .{session.watch.seconds})
        else
            what;
        return session.fail(.{ .why = why, .is_transient = true, .hint = "check the network; the next start resumes the download" });
    }
};

/// The path of a `file:` URL: on Windows without the slash before the drive.
fn localPath(path: []const u8) []const u8 {
    if (@import("builtin").os.tag != .windows) return path;
    return if (path.len > 2 and path[0] == '/' and path[2] == ':') path[1..] else path;
}

/// Where the range of a response begins: `Content-Range: bytes 5-9/10`.
fn rangeStart(head: Head) ?u64 {
    var headers = head.iterateHeaders();
    while (headers.next()) |header| {
        if (!std.ascii.eqlIgnoreCase(header.name, "content-range")) continue;
        const unit = "bytes ";
        if (!std.ascii.startsWithIgnoreCase(header.value, unit)) return null;
        const range = header.value[unit.len..];
        const end = std.mem.indexOfScalar(u8, range, '-') orelse return null;
        return std.fmt.parseInt(u64, range[0..end], 10) catch null;
    }
    return null;
}

test "a range begins where the response says" {
    const cases = [_]struct { []const u8, ?u64 }{
        .{ "bytes 5-9/10", 5 },
        .{ "Bytes 0-0/*", 0 },
        .{ "bytes */10", null },
        .{ "items 5-9/10", null },
        .{ "bytes -5/10", null },
        .{ "", null },
    };
    for (cases) |case| {
        var buffer: [256]u8 = undefined;
        const text = try std.fmt.bufPrint(&buffer, "HTTP/1.1 206 Partial Content\r\ncontent-range: {s}\r\n\r\n", .{case[0]});
        try testing.expectEqual(case[1], rangeStart(try Head.parse(text)));
    }
}
