//! Which proxy leads to a host, as curl reads the environment: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;
const EnvMap = std.process.EnvMap;

/// The URL of the proxy for `host`; null if there is none.
pub fn find(environment: *const EnvMap, is_secure: bool, host: []const u8, port: u16) ?[]const u8 {
    const excluded = either(environment, "no_proxy", "NO_PROXY") orelse "";
    if (isExcluded(excluded, host, port)) return null;
    const own = if (is_secure)
        either(environment, "https_proxy", "HTTPS_PROXY")
    else if (environment.get("REQUEST_METHOD") != null)
        // For a CGI program, HTTP_PROXY is what the client sent as the header Proxy. Windows takes both for one name.
        notEmpty(if (builtin.os.tag == .windows) null else environment.get("http_proxy"))
    else
        either(environment, "http_proxy", "HTTP_PROXY");
    return own orelse either(environment, "all_proxy", "ALL_PROXY");
}

fn either(environment: *const EnvMap, lower: []const u8, upper: []const u8) ?[]const u8 {
    return notEmpty(environment.get(lower)) orelse notEmpty(environment.get(upper));
}

fn notEmpty(text: ?[]const u8) ?[]const u8 {
    return if (text == null or text.?.len == 0) null else text;
}

/// An element is a host, which stands for those below it, too, with a port or without; `*` stands for all.
fn isExcluded(list: []const u8, host: []const u8, port: u16) bool {
    var elements = std.mem.tokenizeAny(u8, list, ", ");
    while (elements.next()) |element| {
        if (std.mem.eql(u8, element, "*")) return true;
        var name = element;
        if (std.mem.lastIndexOfScalar(u8, element, ':')) |colon| {
            const is_address = std.mem.count(u8, element, ":") > 1 and element[0] != '[';
            if (std.fmt.parseInt(u16, element[colon + 1 ..], 10)) |wanted| {
                if (!is_address) {
                    if (wanted != port) continue;
                    name = element[0..colon];
                }
            } else |_| {}
        }
        name = std.mem.trimLeft(u8, name, ".");
        if (name.len == 0 or host.len < name.len) continue;
        if (!std.ascii.endsWithIgnoreCase(host, name)) continue;
        if (host.len == name.len or host[host.len - name.len - 1] == '.') return true;
    }
    return false;
}

test "the proxy is that of the scheme, else that of all, and hosts can be excluded" {
    var environment: EnvMap = .init(testing.allocator);
    defer environment.deinit();
    try testing.expectEqual(null, find(&environment, true, "example.org", 443));
    try environment.put("ALL_PROXY", "http://all");
    try environment.put("HTTP_PROXY", "http://plain");
    try testing.expectEqualStrings("http://all", find(&environment, true, "example.org", 443).?);
    try testing.expectEqualStrings("http://plain", find(&environment, false, "example.org", 80).?);
    try environment.put("https_proxy", "http://secure");
    try testing.expectEqualStrings("http://secure", find(&environment, true, "example.org", 443).?);
    try environment.put("REQUEST_METHOD", "GET");
    try testing.expectEqualStrings("http://all", find(&environment, false, "example.org", 80).?);
    try environment.put("NO_PROXY", "other.org,.example.org, ports.net:8080, ::1");
    const cases = [_]struct { []const u8, u16, bool }{
        .{ "example.org", 443, true },     .{ "a.Example.org", 443, true }, .{ "notexample.org", 443, false },
        .{ "ports.net", 8080, true },      .{ "ports.net", 443, false },    .{ "::1", 443, true },
        .{ "example.org.uk", 443, false },
    };
    for (cases) |case| try testing.expectEqual(case[2], find(&environment, true, case[0], case[1]) == null);
}
