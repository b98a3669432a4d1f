//! What a binding found out: values by their keys, and paths without which it has to run again.
//!
//! A binding writes it to one of two files, or to both:
//!
//!     SCIE_BINDING_ENV     KEY=value, a line each
//!     SCIE_BINDING_JSON    [{"key": "KEY", "value": "value", "brake": "file"}, …]; brake: file, dir, exists or none
//!
//! The launcher keeps it as text: a line each, with escaped fields between tabs as in plans.

const std = @import("std");
const testing = std.testing;
const Allocator = std.mem.Allocator;
const file_status = @import("file_status.zig");

pub const Error = error{ InvalidResult, OutOfMemory };

/// Bytes of one file. A value becomes an argument or a variable, which are shorter.
pub const length_max = 1 << 20;

const first_line = "czscie-binding 1";

/// What has to be at a path.
const Brake = enum { file, dir, exists };

const Guard = struct { brake: Brake, path: []const u8 };

pub const Result = struct {
    values: std.StringArrayHashMapUnmanaged([]const u8) = .empty,
    guards: []const Guard = &.{},

    /// The value of `key`.
    pub fn get(result: Result, key: []const u8) ?[]const u8 {
        return result.values.get(key);
    }

    /// Whether everything is there that has to be.
    pub fn isValid(result: Result) bool {
        for (result.guards) |guard| {
            const kind = kindOf(guard.path) orelse return false;
            const is_right = switch (guard.brake) {
                .file => kind == .file,
                .dir => kind == .directory,
                .exists => true,
            };
            if (!is_right) return false;
        }
        return true;
    }

    /// What is at `path`; null for nothing.
    fn kindOf(path: []const u8) ?std.fs.File.Kind {
        return (file_status.at(std.fs.cwd(), path) catch return null).kind;
    }

    /// The result as the launcher keeps it.
    pub fn render(result: Result, arena: Allocator) error{OutOfMemory}![]const u8 {
        var text: std.ArrayList(u8) = .empty;
        try text.appendSlice(arena, first_line ++ "\n");
        for (result.values.keys(), result.values.values()) |key, value| try appendLine(arena, &text, &.{ "value", key, value });
        for (result.guards) |guard| try appendLine(arena, &text, &.{ "brake", @tagName(guard.brake), guard.path });
        return text.items;
    }

    /// What `render` made.
    pub fn parse(arena: Allocator, text: []const u8) Error!Result {
        var result: Result = .{};
        var guards: std.ArrayList(Guard) = .empty;
        var lines = std.mem.splitScalar(u8, text, '\n');
        if (!std.mem.eql(u8, lines.first(), first_line)) return error.InvalidResult;
        if (!std.mem.endsWith(u8, text, "\n")) return error.InvalidResult;
        while (lines.next()) |line| {
            if (line.len == 0 and lines.rest().len == 0) break;
            var fields = std.mem.splitScalar(u8, line, '\t');
            const kind = fields.first();
            const key = try unescape(arena, fields.next() orelse return error.InvalidResult);
            const value = try unescape(arena, fields.next() orelse return error.InvalidResult);
            if (fields.next() != null) return error.InvalidResult;
            if (std.mem.eql(u8, kind, "value")) {
                try result.values.put(arena, key, value);
            } else if (std.mem.eql(u8, kind, "brake")) {
                const brake = std.meta.stringToEnum(Brake, key) orelse return error.InvalidResult;
                try guards.append(arena, .{ .brake = brake, .path = value });
            } else return error.InvalidResult;
        }
        result.guards = guards.items;
        return result;
    }

    /// What a binding wrote; of equal keys the last one counts. `lines` and `json` are empty if it wrote no such file.
    pub fn read(arena: Allocator, lines: []const u8, json: []const u8) Error!Result {
        var result: Result = .{};
        try result.readLines(arena, lines);
        try result.readJson(arena, json);
        return result;
    }

    fn readLines(result: *Result, arena: Allocator, text: []const u8) Error!void {
        var lines = std.mem.splitScalar(u8, text, '\n');
        while (lines.next()) |line| {
            const trimmed = std.mem.trim(u8, line, &std.ascii.whitespace);
            if (trimmed.len == 0) continue;
            const equals = std.mem.indexOfScalar(u8, trimmed, '=') orelse trimmed.len;
            try result.put(arena, trimmed[0..equals], trimmed[@min(equals + 1, trimmed.len)..]);
        }
    }

    const Row = struct { key: []const u8, value: []const u8, brake: ?Brake = null };

    fn readJson(result: *Result, arena: Allocator, text: []const u8) Error!void {
        if (std.mem.trim(u8, text, &std.ascii.whitespace).len == 0) return;
        const options: std.json.ParseOptions = .{ .ignore_unknown_fields = true, .duplicate_field_behavior = .use_last };
        const rows = std.json.parseFromSliceLeaky([]const Row, arena, text, options) catch |err| {
            return if (err == error.OutOfMemory) error.OutOfMemory else error.InvalidResult;
        };
        var guards: std.ArrayList(Guard) = .empty;
        for (rows) |row| {
            try result.put(arena, row.key, row.value);
            if (row.brake) |brake| try guards.append(arena, .{ .brake = brake, .path = row.value });
        }
        result.guards = guards.items;
    }

    /// No argument and no variable can contain a NUL.
    fn put(result: *Result, arena: Allocator, key: []const u8, value: []const u8) Error!void {
        if (std.mem.indexOfScalar(u8, value, 0) != null) return error.InvalidResult;
        try result.values.put(arena, key, value);
    }
};

fn appendLine(arena: Allocator, text: *std.ArrayList(u8), fields: []const []const u8) error{OutOfMemory}!void {
    for (fields, 0..) |field, number| {
        if (number > 0) try text.append(arena, '\t');
        for (field) |character| switch (character) {
            '\t' => try text.appendSlice(arena, "\\t"),
            '\n' => try text.appendSlice(arena, "\\n"),
            '\\' => try text.appendSlice(arena, "\\\\"),
            else => try text.append(arena, character),
        };
    }
    try text.append(arena, '\n');
}

fn unescape(arena: Allocator, raw: []const u8) Error![]const u8 {
    var out: std.ArrayList(u8) = try .initCapacity(arena, raw.len);
    var escaped = false;
    for (raw) |character| {
        if (!escaped and character == '\\') {
            escaped = true;
            continue;
        }
        out.appendAssumeCapacity(if (!escaped) character else switch (character) {
            't' => '\t',
            'n' => '\n',
            '\\' => '\\',
            else => return error.InvalidResult,
        });
        escaped = false;
    }
    return if (escaped) error.InvalidResult else out.items;
}

test "lines are trimmed and split at the first sign" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const result = try Result.read(arena.allocator(), "A=1\r\n\n  B C = two=2 \nD\nA=3\n=e", "");
    const cases = [_][2][]const u8{ .{ "A", "3" }, .{ "B C ", " two=2" }, .{ "D", "" }, .{ "", "e" } };
    for (cases) |case| try testing.expectEqualStrings(case[1], result.get(case[0]).?);
    try testing.expectEqual(null, result.get("B"));
    try testing.expectEqual(4, result.values.count());
}

test "JSON has values and brakes, and comes after lines" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    const here = try std.process.getCwdAlloc(arena.allocator());
    const path = try std.fs.path.join(arena.allocator(), &.{ here, ".zig-cache", "tmp", &tmp.sub_path });
    const json = try std.fmt.allocPrint(
        arena.allocator(),
        "[{{\"key\":\"DIR\",\"value\":{f},\"brake\":\"dir\"}},{{\"key\":\"A\",\"value\":\"a\\tb\\n\\\\\",\"brake\":null,\"more\":[]}}]\n",
        .{std.json.fmt(path, .{})},
    );
    const written = try Result.read(arena.allocator(), "A=0\nB=1", json);
    const result = try Result.parse(arena.allocator(), try written.render(arena.allocator()));
    try testing.expectEqualStrings("a\tb\n\\", result.get("A").?);
    try testing.expectEqualStrings("1", result.get("B").?);
    try testing.expectEqualStrings(path, result.get("DIR").?);
    try testing.expect(result.isValid());
    try tmp.dir.writeFile(.{ .sub_path = "file", .data = "" });
    const file = try std.fs.path.join(arena.allocator(), &.{ path, "file" });
    const cases = [_]struct { Brake, []const u8, bool }{
        .{ .file, path, false },              .{ .exists, path, true },               .{ .dir, path, true },
        .{ .file, file, true },               .{ .exists, file, true },               .{ .dir, file, false },
        .{ .file, "/nowhere/at/all", false }, .{ .exists, "/nowhere/at/all", false }, .{ .dir, "/nowhere/at/all", false },
    };
    for (cases) |case| {
        const guarded: Result = .{ .guards = &.{.{ .brake = case[0], .path = case[1] }} };
        const kept = try Result.parse(arena.allocator(), try guarded.render(arena.allocator()));
        try testing.expectEqual(case[2], kept.isValid());
    }
}

test "what is no result is refused" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    for ([_][]const u8{
        "{}",                                                  "[",   "[1]",  "[{\"key\":\"A\"}]", "[{\"key\":\"A\",\"value\":1}]", "[{\"key\":\"A\",\"value\":\"\\u0000\"}]",
        "[{\"key\":\"A\",\"value\":\"\",\"brake\":\"wall\"}]", "[]]", "\xff",
    }) |bad| try testing.expectError(error.InvalidResult, Result.read(arena.allocator(), "", bad));
    try testing.expectError(error.InvalidResult, Result.read(arena.allocator(), "A=\x00", ""));
    for ([_][]const u8{
        "",                                "czscie-binding 2\n",             first_line,                         first_line ++ "\nvalue\ta\n",      first_line ++ "\nvalue\ta\tb\tc\n", first_line ++ "\nother\ta\tb\n",
        first_line ++ "\nvalue\ta\t\\x\n", first_line ++ "\nvalue\ta\t\\\n", first_line ++ "\nbrake\twall\tb\n", first_line ++ "\n\nvalue\ta\tb\n", first_line ++ "\nvalue\ta\tb",
    }) |bad| try testing.expectError(error.InvalidResult, Result.parse(arena.allocator(), bad));
}
