//! `.env`: variables in a file of the working directory, or of the nearest directory above it that has one, in the
//! grammar of dotenvs, with which scie-jump reads it (docs/packaging.md of github.com/a-scie/jump).
//!
//!     NAME=all "of it"     ends at the first `#` or with its line; blanks around it are none of it
//!     export NAME=value
//!     NAME='as it is'      NAME=`as it is`      NAME="with \n, \t, \" and $NAME"
//!     # a comment
//!
//! `$NAME`, `${NAME}` and `${NAME:-DEFAULT}` are variables of the environment, or of an earlier line; `\$` is a `$`. A
//! quote that is not closed is a character like others. Variables that are set already keep their values. Of two lines
//! of one name, the last counts.

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
        try found.put(arena, name, value);
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

    /// Behind its line afterwards.
    fn value(reader: *Reader) Error![]const u8 {
        var out: std.ArrayList(u8) = .empty;
        const first = reader.peek() orelse '\n';
        const inside = switch (first) {
            '\'', '`', '"' => reader.quoted(first),
            else => null,
        };
        if (inside) |text| {
            if (first == '"') try reader.expand(text, .quoted, depth_max, &out) else try out.appendSlice(reader.arena, text);
            try reader.endLine();
        } else try reader.expand(reader.plain(), .plain, depth_max, &out);
        return if (std.mem.indexOfScalar(u8, out.items, 0) == null) out.items else error.InvalidLine;
    }

    /// What is between this `mark` and the next one, which `\` does not escape if it is a `"`. Null if there is none.
    fn quoted(reader: *Reader, mark: u8) ?[]const u8 {
        const start = reader.position + 1;
        var end = start;
        while (end < reader.text.len and reader.text[end] != mark) : (end += 1) {
            if (mark == '"' and reader.text[end] == '\\') end += 1;
        }
        if (end >= reader.text.len) return null;
        reader.position = end + 1;
        return reader.text[start..end];
    }

    fn plain(reader: *Reader) []const u8 {
        const start = reader.position;
        const end = std.mem.indexOfAnyPos(u8, reader.text, start, "#\n") orelse reader.text.len;
        reader.position = end;
        reader.skipLine();
        return std.mem.trimRight(u8, reader.text[start..end], " \t\r");
    }

    /// Behind a quoted value, a line may have a comment.
    fn endLine(reader: *Reader) Error!void {
        _ = reader.skipBlanks();
        if (reader.peek() == '#') reader.skipLine();
        if (reader.peek() == '\r') reader.position += 1;
        if (reader.peek() orelse '\n' != '\n') return error.InvalidLine;
    }

    const Style = enum { plain, quoted };

    /// Appends `text` with its variables and escapes replaced. `depth` is how many defaults can be inside one another.
    fn expand(reader: Reader, text: []const u8, style: Style, depth: u8, out: *std.ArrayList(u8)) Error!void {
        var index: usize = 0;
        while (index < text.len) switch (text[index]) {
            '$' => index += try reader.variable(text[index..], style, depth, out),
            '\\' => {
                const next_character: u8 = if (index + 1 < text.len) text[index + 1] else 0;
                const escaped = unescaped(next_character, style);
                try out.append(reader.arena, escaped orelse '\\');
                index += if (escaped == null) 1 else 2;
            },
            else => |character| {
                try out.append(reader.arena, character);
                index += 1;
            },
        };
    }

    /// Appends the value of the variable with which `text` begins, and returns the length of its name there. A `$`
    /// without a name is one.
    fn variable(reader: Reader, text: []const u8, style: Style, depth: u8, out: *std.ArrayList(u8)) Error!usize {
        const braced = text.len > 1 and text[1] == '{';
        const start: usize = if (braced) 2 else 1;
        var end = start;
        while (end < text.len and isNamePart(text[end])) end += 1;
        const has_name = end > start and !std.ascii.isDigit(text[start]);
        if (!braced and !has_name) {
            try out.append(reader.arena, '$');
            return 1;
        }
        if (!has_name) return error.InvalidLine;
        const found = reader.variableNamed(text[start..end]);
        if (found) |known| try out.appendSlice(reader.arena, known);
        if (out.items.len > length_max) return error.ExpansionTooLong;
        if (!braced) return end;
        const close = closing(text) orelse return error.InvalidLine;
        if (close == end) return close + 1;
        if (depth == 0 or !std.mem.startsWith(u8, text[end..close], ":-")) return error.InvalidLine;
        if (found == null) try reader.expand(text[end + 2 .. close], style, depth - 1, out);
        return close + 1;
    }

    fn variableNamed(reader: Reader, found: []const u8) ?[]const u8 {
        return reader.environment.get(found) orelse reader.found.get(found);
    }
};

const depth_max = 16;

/// Where the brace is closed with which `text` begins, behind its `$`.
fn closing(text: []const u8) ?usize {
    var depth: usize = 0;
    for (text, 0..) |character, index| switch (character) {
        '{' => depth += 1,
        '}' => {
            depth -= 1;
            if (depth == 0) return index;
        },
        else => {},
    };
    return null;
}

/// What `\` and `character` mean, null if the `\` is one.
fn unescaped(character: u8, style: Reader.Style) ?u8 {
    return switch (character) {
        '\\', '$' => character,
        '"' => if (style == .quoted) character else null,
        'n' => if (style == .quoted) '\n' else null,
        't' => if (style == .quoted) '\t' else null,
        'r' => if (style == .quoted) '\r' else null,
        else => null,
    };
}

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

test "variables are read as dotenvs reads them, and those that are set stay" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const environment = try applied(arena.allocator(),
        \\# first
        \\#
        \\SET=after
        \\PLAIN=value # comment
        \\export EXPORTED=yes
        \\export=1
        \\SPACED = 'it is $HOME' # comment
        \\DOUBLE="a\tb \"$HOME\" ${SET} C:\x"
        \\TICKED=`it's "so"`
        \\EMPTY=
        \\WORDS=  -v --color=never  # comment
        \\JSON={"a": "b c"}
        \\INNER=a'b c'"d"\ e\n#f
        \\OPEN='tis
        \\LATER=$PLAIN-${NONE}-$-$5
        \\DEFAULT=${NONE:-none}${PLAIN:-none}${EMPTY:-none}${NONE:-${NONE:-$PLAIN/x}}${NONE:-}
        \\ESCAPED=\$PLAIN\\
        \\PLAIN=second
        \\DOTTED.NAME=x
        \\LINES="one
        \\two"
        \\LAST=x
    );
    const cases = [_][2][]const u8{
        .{ "SET", "before" },
        .{ "PLAIN", "second" },
        .{ "EXPORTED", "yes" },
        .{ "export", "1" },
        .{ "SPACED", "it is $HOME" },
        .{ "DOUBLE", "a\tb \"/home/me\" before C:\\x" },
        .{ "TICKED", "it's \"so\"" },
        .{ "EMPTY", "" },
        .{ "WORDS", "-v --color=never" },
        .{ "JSON", "{\"a\": \"b c\"}" },
        .{ "INNER", "a'b c'\"d\"\\ e\\n" },
        .{ "OPEN", "'tis" },
        .{ "LATER", "value--$-$5" },
        .{ "DEFAULT", "nonevaluevalue/x" },
        .{ "ESCAPED", "$PLAIN\\" },
        .{ "DOTTED.NAME", "x" },
        .{ "LINES", "one\ntwo" },
        .{ "LAST", "x" },
    };
    for (cases) |case| try testing.expectEqualStrings(case[1], environment.get(case[0]).?);
    const windows = try applied(arena.allocator(), "\xef\xbb\xbfA=b c\r\n\r\nC=\"d\"\r\nE=\r\n");
    try testing.expectEqualStrings("b c", windows.get("A").?);
    try testing.expectEqualStrings("d", windows.get("C").?);
    try testing.expectEqualStrings("", windows.get("E").?);
}

test "a line that is none is an error, and tells its number" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const deep = "A=" ++ "${B:-" ** 20 ++ "c" ++ "}" ** 20;
    for ([_][]const u8{ "A", "=b", "A='b' c", "A=\"b\"c", "1A=b", "A=${", "A=${B", "A=${}", "A=${B-c}", "A=\x00", "export", "a b=c", "-", deep }) |bad| {
        try testing.expectError(error.InvalidLine, applied(arena.allocator(), bad));
    }
    var environment = try environments.empty(arena.allocator());
    var line: usize = 0;
    try testing.expectError(error.InvalidLine, apply(arena.allocator(), "A=b\n\nB", &environment, &line));
    try testing.expectEqual(3, line);
    try testing.expectEqual(0, environment.count());
}
