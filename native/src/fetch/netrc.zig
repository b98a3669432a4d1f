//! The credentials of a host in a netrc file (curl's format: machine, default, login, password, macdef).

const std = @import("std");
const testing = std.testing;

pub const length_max = 1 << 20;

pub const Credentials = struct { login: []const u8, password: []const u8 };

/// The credentials of `host` in the file `text`; null if there are none.
pub fn find(text: []const u8, host: []const u8) ?Credentials {
    var tokens: Tokens = .{ .rest = text };
    var is_for_host = false;
    var login: ?[]const u8 = null;
    var password: ?[]const u8 = null;
    while (tokens.next()) |token| {
        if (std.mem.eql(u8, token, "machine") or std.mem.eql(u8, token, "default")) {
            if (is_for_host) break;
            const is_default = token[0] == 'd';
            is_for_host = is_default or std.ascii.eqlIgnoreCase(tokens.next() orelse break, host);
        } else if (std.mem.eql(u8, token, "login")) {
            const value = tokens.next() orelse break;
            if (is_for_host) login = value;
        } else if (std.mem.eql(u8, token, "password")) {
            const value = tokens.next() orelse break;
            if (is_for_host) password = value;
        } else if (std.mem.eql(u8, token, "account")) {
            _ = tokens.next();
        } else if (std.mem.eql(u8, token, "macdef")) tokens.skipMacro();
    }
    if (login == null and password == null) return null;
    return .{ .login = login orelse "", .password = password orelse "" };
}

const Tokens = struct {
    rest: []const u8,

    fn next(tokens: *Tokens) ?[]const u8 {
        while (true) {
            tokens.rest = std.mem.trimLeft(u8, tokens.rest, " \t\r\n");
            if (tokens.rest.len == 0) return null;
            if (tokens.rest[0] != '#') break;
            const end = std.mem.indexOfScalar(u8, tokens.rest, '\n') orelse tokens.rest.len;
            tokens.rest = tokens.rest[end..];
        }
        if (tokens.rest[0] == '"') {
            const end = std.mem.indexOfScalarPos(u8, tokens.rest, 1, '"') orelse tokens.rest.len;
            defer tokens.rest = tokens.rest[@min(end + 1, tokens.rest.len)..];
            return tokens.rest[1..end];
        }
        const end = std.mem.indexOfAny(u8, tokens.rest, " \t\r\n") orelse tokens.rest.len;
        defer tokens.rest = tokens.rest[end..];
        return tokens.rest[0..end];
    }

    /// A macro ends at an empty line.
    fn skipMacro(tokens: *Tokens) void {
        const end = std.mem.indexOf(u8, tokens.rest, "\n\n") orelse tokens.rest.len;
        tokens.rest = tokens.rest[end..];
    }
};

test "credentials are those of the host, else the default ones" {
    const text =
        \\# comment
        \\machine other.org login wrong password wrong
        \\machine example.org
        \\  login ann password "a b"
        \\macdef init
        \\machine evil.org login x password y
        \\
        \\machine third.org password only
        \\default login any password thing
    ;
    const found = find(text, "Example.org").?;
    try testing.expectEqualStrings("ann", found.login);
    try testing.expectEqualStrings("a b", found.password);
    try testing.expectEqualStrings("", find(text, "third.org").?.login);
    try testing.expectEqualStrings("any", find(text, "evil.org").?.login);
    try testing.expectEqual(null, find("machine example.org login ann", "sub.example.org"));
    for (0..text.len) |length| _ = find(text[0..length], "example.org");
}
