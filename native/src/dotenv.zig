//! `.env`: variables in a file of the working directory, or of the nearest directory above it that has one.
//!
//!     NAME=value           ends at the first blank; `\` takes the next character as it is
//!     export NAME=value
//!     NAME='as it is'      NAME="with \n, \t, \" and $NAME or ${NAME}"
//!     # a comment
//!
//! Variables that are set already keep their values. `$NAME` is a variable of the environment, or one of an earlier
//! line.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;
const Allocator = std.mem.Allocator;
const environments = @import("environment.zig");
const Environment = environments.Environment;
const file_status = @import("file_status.zig");
const report = @import("report.zig");
const small_file = @import("small_file.zig");

pub const file_name = ".env";

/// Far more than any such file has.
const length_max = 1 << 20;

pub const Fault = struct { path: []const u8, reason: []const u8, line: usize = 0 };

/// Adds the variables of the nearest `.env` to `environment`. What is wrong with the file, if anything is: then
/// nothing is added.
pub fn load(arena: Allocator, environment: *Environment) error{OutOfMemory}!?Fault {
    const here = std.process.getCwdAlloc(arena) catch |err| {
        return if (err == error.OutOfMemory) error.OutOfMemory else null;
    };
    const path = try find(arena, here) orelse return null;
    const text = small_file.read(arena, std.fs.cwd(), path, length_max) catch |err| switch (err) {
        error.OutOfMemory => return error.OutOfMemory,
        else => return .{ .path = path, .reason = report.describe(err) },
    };
    var line: usize = 1;
    apply(arena, text, environment, &line) catch |err| return switch (err) {
        error.OutOfMemory => error.OutOfMemory,
        error.InvalidLine => .{ .path = path, .reason = "it is not NAME=value", .line = line },
        error.ExpansionTooLong => .{ .path = path, .reason = "its value is too long", .line = line },
    };
    return null;
}

fn find(arena: Allocator, directory: []const u8) error{OutOfMemory}!?[]const u8 {
    var next: ?[]const u8 = directory;
    while (next) |each| : (next = std.fs.path.dirname(each)) {
        const path = try std.fs.path.join(arena, &.{ each, file_name });
        const status = file_status.at(std.fs.cwd(), path) catch continue;
        if (status.kind == .file) return path;
    }
    return null;
}

const Error = error{ InvalidLine, ExpansionTooLong, OutOfMemory };

/// `line` is the number of the line at which reading ended.
fn apply(arena: Allocator, text: []const u8, environment: *Environment, line: *usize) Error!void {
    var found: Variables = .{};
    var reader: Reader = .{ .arena = arena, .text = text, .environment = environment, .found = &found };
    defer line.* = 1 + std.mem.count(u8, text[0..reader.position], "\n");
    if (std.mem.startsWith(u8, text, "\xef\xbb\xbf")) reader.position = 3;
    while (try reader.next()) |name| {
        const value = try reader.value();
        const slot = try found.getOrPut(arena, name);
        if (!slot.found_existing) slot.value_ptr.* = value;
    }
    for (found.keys(), found.values()) |name, value| {
        if (environment.get(name) == null) try environment.put(name, value);
    }
}

const Variables = std.StringArrayHashMapUnmanaged([]const u8);

const Reader = struct {
    arena: Allocator,
    text: []const u8,
    environment: *Environment,
    found: *Variables,
    position: usize = 0,

    fn peek(reader: Reader) ?u8 {
        return if (reader.position < reader.text.len) reader.text[reader.position] else null;
    }

    /// The name of the next variable; behind it and its sign afterwards.
    fn next(reader: *Reader) Error!?[]const u8 {
        while (reader.peek()) |character| switch (character) {
            ' ', '\t', '\r', '\n' => reader.position += 1,
            '#' => reader.skipLine(),
            else => break,
        };
        if (reader.peek() == null) return null;
        var found = try reader.name();
        const blank = reader.skipBlanks();
        if (blank and std.mem.eql(u8, found, "export") and reader.peek() != '=') {
            found = try reader.name();
            _ = reader.skipBlanks();
        }
        if (reader.peek() != '=') return error.InvalidLine;
        reader.position += 1;
        _ = reader.skipBlanks();
        return found;
    }

    fn skipLine(reader: *Reader) void {
        while (reader.peek()) |character| : (reader.position += 1) if (character == '\n') return;
    }

    fn skipBlanks(reader: *Reader) bool {
        const start = reader.position;
        while (reader.peek()) |character| : (reader.position += 1) if (character != ' ' and character != '\t') break;
        return reader.position > start;
    }

    fn name(reader: *Reader) Error![]const u8 {
        const start = reader.position;
        while (reader.peek()) |character| : (reader.position += 1) {
            if (!isNamePart(character) and character != '.') break;
        }
        const found = reader.text[start..reader.position];
        return if (found.len == 0 or std.ascii.isDigit(found[0])) error.InvalidLine else found;
    }

    /// Up to the end of its line.
    fn value(reader: *Reader) Error![]const u8 {
        var out: std.ArrayList(u8) = .empty;
        while (reader.peek()) |character| switch (character) {
            ' ', '\t', '\r', '\n' => break,
            0 => return error.InvalidLine,
            '\'' => try reader.singleQuoted(&out),
            '"' => try reader.doubleQuoted(&out),
            '$' => try reader.variable(&out),
            '\\' => {
                reader.position += 1;
                try reader.take(&out);
            },
            else => try reader.take(&out),
        };
        _ = reader.skipBlanks();
        if (reader.peek() == '#') reader.skipLine();
        if (reader.peek() == '\r') reader.position += 1;
        return if (reader.peek() orelse '\n' == '\n') out.items else error.InvalidLine;
    }

    fn take(reader: *Reader, out: *std.ArrayList(u8)) Error!void {
        const character = reader.peek() orelse return error.InvalidLine;
        if (character == 0) return error.InvalidLine;
        try out.append(reader.arena, character);
        reader.position += 1;
    }

    fn singleQuoted(reader: *Reader, out: *std.ArrayList(u8)) Error!void {
        reader.position += 1;
        while (reader.peek() != '\'') try reader.take(out);
        reader.position += 1;
    }

    fn doubleQuoted(reader: *Reader, out: *std.ArrayList(u8)) Error!void {
        reader.position += 1;
        while (reader.peek() != '"') switch (reader.peek() orelse return error.InvalidLine) {
            '$' => try reader.variable(out),
            '\\' => {
                reader.position += 1;
                const special: u8 = switch (reader.peek() orelse return error.InvalidLine) {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    else => {
                        try reader.take(out);
                        continue;
                    },
                };
                try out.append(reader.arena, special);
                reader.position += 1;
            },
            else => try reader.take(out),
        };
        reader.position += 1;
    }

    /// `$NAME` or `${NAME}`; a `$` alone is one.
    fn variable(reader: *Reader, out: *std.ArrayList(u8)) Error!void {
        reader.position += 1;
        const braced = reader.peek() == '{';
        if (braced) reader.position += 1;
        const start = reader.position;
        while (reader.peek()) |character| : (reader.position += 1) if (!isNamePart(character)) break;
        const found = reader.text[start..reader.position];
        if (braced) {
            if (reader.peek() != '}' or found.len == 0) return error.InvalidLine;
            reader.position += 1;
        } else if (found.len == 0) try out.append(reader.arena, '$');
        try out.appendSlice(reader.arena, reader.environment.get(found) orelse reader.found.get(found) orelse "");
        if (out.items.len > length_max) return error.ExpansionTooLong;
    }
};

fn isNamePart(character: u8) bool {
    return std.ascii.isAlphanumeric(character) or character == '_';
}

/// For the fuzzer: how many variables `text` has.
pub fn count(arena: Allocator, text: []const u8) Error!usize {
    var environment = try environments.empty(arena);
    var line: usize = 0;
    try apply(arena, text, &environment, &line);
    return environment.count();
}

fn applied(arena: Allocator, text: []const u8) Error!Environment {
    var environment = try environments.empty(arena);
    try environment.put("SET", "before");
    try environment.put("HOME", "/home/me");
    var line: usize = 0;
    try apply(arena, text, &environment, &line);
    return environment;
}

test "variables are read as shells write them, and those that are set stay" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const environment = try applied(arena.allocator(),
        \\# first
        \\SET=after
        \\PLAIN=value # comment
        \\export EXPORTED=yes
        \\export=1
        \\SPACED = 'it is $HOME' # comment
        \\DOUBLE="a\tb \"$HOME\" ${SET}"
        \\EMPTY=
        \\JOINED=a'b c'"d"\ e#f
        \\LATER=$PLAIN-${NONE}-$
        \\PLAIN=second
        \\LINES="one
        \\two"
        \\LAST=x
    );
    const cases = [_][2][]const u8{
        .{ "SET", "before" },
        .{ "PLAIN", "value" },
        .{ "EXPORTED", "yes" },
        .{ "export", "1" },
        .{ "SPACED", "it is $HOME" },
        .{ "DOUBLE", "a\tb \"/home/me\" before" },
        .{ "EMPTY", "" },
        .{ "JOINED", "ab cd e#f" },
        .{ "LATER", "value--$" },
        .{ "LINES", "one\ntwo" },
        .{ "LAST", "x" },
    };
    for (cases) |case| try testing.expectEqualStrings(case[1], environment.get(case[0]).?);
    const windows = try applied(arena.allocator(), "\xef\xbb\xbfA=b\r\n\r\nC=\"d\"\r\n");
    try testing.expectEqualStrings("b", windows.get("A").?);
    try testing.expectEqualStrings("d", windows.get("C").?);
}

test "a line that is none is an error, and tells its number" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    for ([_][]const u8{ "A", "=b", "A=b c", "1A=b", "A='b", "A=\"b", "A=b\\", "A=${", "A=${B", "A=${}", "A=\x00", "export", "a b=c", "-" }) |bad| {
        try testing.expectError(error.InvalidLine, applied(arena.allocator(), bad));
    }
    var environment = try environments.empty(arena.allocator());
    var line: usize = 0;
    try testing.expectError(error.InvalidLine, apply(arena.allocator(), "A=b\n\nB", &environment, &line));
    try testing.expectEqual(3, line);
    try testing.expectEqual(0, environment.count());
}
