//! The command line of science's ptex 1.7, as far as lifts use it:
//!
//!     ptex [-H HEADER]… [-s] DOCUMENT NAME      the file NAME, whose URL the JSON document tells
//!     ptex [-H HEADER]… [-s] [-O] URL           to standard output or, with -O, to a file named as the URL's
//!
//! -D is accepted and prints nothing.

const std = @import("std");
const testing = std.testing;
const download = @import("download.zig");
const part = @import("part.zig");
const report = @import("../report.zig");
const Session = @import("session.zig").Session;
const urls = @import("urls.zig");

const program = "ptex";
const usage =
    \\usage: ptex [-H HEADER]... [-s] DOCUMENT NAME
    \\       ptex [-H HEADER]... [-s] [-O] URL
    \\
    \\Download the file NAME, whose URL the JSON document has in {"ptex": {"NAME": "URL"}},
    \\or a URL, and write it to standard output.
    \\
    \\  -H, --header HEADER  send a header, as in "Accept: text/plain"
    \\  -O, --remote-name    write to a file of the working directory, named as that of the URL
    \\  -s, --silent         show no progress
    \\  -D, --dump-header    accepted
    \\  -V, --version        print the version
    \\
;

const Options = struct {
    headers: std.ArrayList([]const u8) = .empty,
    operands: std.ArrayList([]const u8) = .empty,
    is_silent: bool = false,
    is_named: bool = false,
    prints: ?[]const u8 = null,

    fn parse(arena: std.mem.Allocator, arguments: []const [:0]const u8) error{ Usage, OutOfMemory }!Options {
        var options: Options = .{};
        var i: usize = 0;
        while (i < arguments.len) : (i += 1) {
            const argument = arguments[i];
            if (is(argument, "-H", "--header")) {
                i += 1;
                if (i == arguments.len or std.mem.indexOfAny(u8, arguments[i], "\r\n") != null) return error.Usage;
                try options.headers.append(arena, arguments[i]);
            } else if (is(argument, "-O", "--remote-name")) {
                options.is_named = true;
            } else if (is(argument, "-s", "--silent")) {
                options.is_silent = true;
            } else if (is(argument, "-h", "--help")) {
                options.prints = usage;
            } else if (is(argument, "-V", "--version")) {
                options.prints = "1.7.0\n";
            } else if (!is(argument, "-D", "--dump-header")) try options.operands.append(arena, argument);
        }
        const count = options.operands.items.len;
        if (options.prints == null and (count == 0 or count > 2 or (count == 2 and options.is_named))) return error.Usage;
        return options;
    }

    fn is(argument: []const u8, short: []const u8, long: []const u8) bool {
        return std.mem.eql(u8, argument, short) or std.mem.eql(u8, argument, long);
    }
};

pub fn run(session: *Session, arguments: []const [:0]const u8) !u8 {
    const options = Options.parse(session.arena, arguments) catch |err| switch (err) {
        error.OutOfMemory => return err,
        error.Usage => {
            try std.fs.File.stderr().writeAll(usage);
            return 1;
        },
    };
    if (options.prints) |text| {
        try std.fs.File.stdout().writeAll(text);
        return 0;
    }
    const operands = options.operands.items;
    const url = if (operands.len == 1) operands[0] else try lookUp(session, operands[0], operands[1]);
    const name = operands[operands.len - 1];
    const file = if (options.is_named) try create(session, url) else std.fs.File.stdout();
    download.toStream(session, url, file, .{
        .name = name,
        .headers = options.headers.items,
        .shows_progress = !options.is_silent,
    }) catch |err| {
        if (err != error.Failed) return err;
        part.failed(session, program, name, url);
    };
    return 0;
}

fn lookUp(session: *Session, document: []const u8, name: []const u8) ![]const u8 {
    const found = urls.read(session.arena, document, name) catch |err| report.fatal(program, "cannot read {s}: {s}", .{
        document,
        if (err == error.InvalidDocument) "it is not a JSON object with the member ptex" else report.describe(err),
    });
    return found orelse report.fatal(program, "{s} has no URL for {s}", .{ document, name });
}

fn create(session: *Session, url: []const u8) !std.fs.File {
    const name = try remoteName(session.arena, url) orelse report.fatal(program, "{s} has no file name", .{url});
    return std.fs.cwd().createFile(name, .{}) catch |err| report.fatal(program, "cannot write {s}: {s}", .{ name, report.describe(err) });
}

/// The last component of the URL's path; null if it cannot be the name of a file.
fn remoteName(arena: std.mem.Allocator, url: []const u8) error{OutOfMemory}!?[]const u8 {
    const uri = std.Uri.parse(url) catch return null;
    const name = std.fs.path.basenamePosix(try uri.path.toRawMaybeAlloc(arena));
    const is_valid = name.len > 0 and !std.mem.eql(u8, name, ".") and !std.mem.eql(u8, name, "..");
    return if (is_valid and std.mem.indexOfAny(u8, name, "/\\:\x00") == null) name else null;
}

test "options and operands may come in any order" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const options = try Options.parse(arena.allocator(), &.{ "-H", "A: b", "lift.json", "-s", "name" });
    try testing.expectEqualStrings("A: b", options.headers.items[0]);
    try testing.expectEqual(2, options.operands.items.len);
    try testing.expect(options.is_silent);
    for ([_][]const [:0]const u8{ &.{}, &.{"-H"}, &.{ "-H", "a\nb", "u" }, &.{ "a", "b", "c" }, &.{ "-O", "a", "b" } }) |bad| {
        try testing.expectError(error.Usage, Options.parse(arena.allocator(), bad));
    }
}

test "the name of a URL's file stays in the working directory" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    try testing.expectEqualStrings("c d", (try remoteName(arena.allocator(), "https://example.org/a/c%20d?q=/x")).?);
    for ([_][]const u8{ "https://example.org", "https://example.org/..", "no URL", "https://example.org/a%5cb" }) |url| {
        try testing.expectEqual(null, try remoteName(arena.allocator(), url));
    }
}
