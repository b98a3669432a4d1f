//! Parses the arguments of a tool.

const std = @import("std");
const testing = std.testing;

pub const Options = struct {
    json: bool = false,
    text: bool = false,
    symlink: bool = false,
    dry_run: bool = false,
    older_than_days: ?u32 = null,
    max_size_megabytes: ?u64 = null,
    /// The arguments that are not options, in order.
    operands: []const []const u8 = &.{},
    /// The arguments after `--`.
    names: []const []const u8 = &.{},

    /// The options and operands that a tool accepts.
    pub const Accepted = struct {
        json: bool = false,
        /// `--text`, which excludes `--json`.
        text: bool = false,
        /// `-s` and `--symlink`.
        symlink: bool = false,
        /// `-n` and `--dry-run`.
        dry_run: bool = false,
        pruning: bool = false,
        /// Names after `--`.
        names: bool = false,
        operands_min: usize = 0,
        operands_max: usize = 0,
    };

    pub const Error = error{ Usage, OutOfMemory };

    /// Parses `arguments`. Returns error.Usage for what the tool does not accept.
    pub fn parse(arena: std.mem.Allocator, accepted: Accepted, arguments: []const [:0]const u8) Error!Options {
        var options: Options = .{};
        const operands = try arena.alloc([]const u8, arguments.len);
        var count: usize = 0;
        var i: usize = 0;
        while (i < arguments.len) : (i += 1) {
            const argument = arguments[i];
            if (accepted.json and std.mem.eql(u8, argument, "--json")) {
                options.json = true;
            } else if (accepted.text and std.mem.eql(u8, argument, "--text")) {
                options.text = true;
            } else if (accepted.symlink and isOneOf(argument, "-s", "--symlink")) {
                options.symlink = true;
            } else if (accepted.dry_run and isOneOf(argument, "-n", "--dry-run")) {
                options.dry_run = true;
            } else if (accepted.names and std.mem.eql(u8, argument, "--")) {
                const names = try arena.alloc([]const u8, arguments.len - i - 1);
                for (arguments[i + 1 ..], names) |name, *slot| slot.* = name;
                options.names = names;
                break;
            } else if (accepted.pruning and std.mem.eql(u8, argument, "--older-than")) {
                i += 1;
                options.older_than_days = try number(u32, arguments, i);
            } else if (accepted.pruning and std.mem.eql(u8, argument, "--max-size")) {
                i += 1;
                options.max_size_megabytes = try number(u64, arguments, i);
            } else if (std.mem.startsWith(u8, argument, "-")) {
                return error.Usage;
            } else {
                operands[count] = argument;
                count += 1;
            }
        }
        if (count < accepted.operands_min or count > accepted.operands_max) return error.Usage;
        if (options.json and options.text) return error.Usage;
        options.operands = operands[0..count];
        return options;
    }

    fn isOneOf(argument: []const u8, short: []const u8, long: []const u8) bool {
        return std.mem.eql(u8, argument, short) or std.mem.eql(u8, argument, long);
    }

    fn number(comptime T: type, arguments: []const [:0]const u8, index: usize) Error!T {
        if (index >= arguments.len) return error.Usage;
        return std.fmt.parseUnsigned(T, arguments[index], 10) catch error.Usage;
    }
};

test "options and operands come in any order" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const accepted: Options.Accepted = .{ .json = true, .pruning = true, .operands_max = 1 };
    const found = try Options.parse(arena.allocator(), accepted, &.{ "--older-than", "30", "prune", "--json" });
    try testing.expect(found.json);
    try testing.expectEqual(30, found.older_than_days.?);
    try testing.expectEqual(null, found.max_size_megabytes);
    try testing.expectEqualStrings("prune", found.operands[0]);
}

test "what follows -- is a name, whatever it begins with" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const accepted: Options.Accepted = .{ .dry_run = true, .names = true, .operands_max = 1 };
    const found = try Options.parse(arena.allocator(), accepted, &.{ "-n", "dir", "--", "one", "-n", "--" });
    try testing.expect(found.dry_run);
    try testing.expectEqual(1, found.operands.len);
    try testing.expectEqual(3, found.names.len);
    try testing.expectEqualStrings("-n", found.names[1]);
    try testing.expectEqual(0, (try Options.parse(arena.allocator(), accepted, &.{ "dir", "--" })).names.len);
}

test "unknown options and operands are an error" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const pruning: Options.Accepted = .{ .pruning = true };
    const bad = [_][]const [:0]const u8{ &.{"--json"}, &.{"x"}, &.{"--older-than"}, &.{ "--max-size", "-1" }, &.{"-h"} };
    for (bad) |arguments| {
        try testing.expectError(error.Usage, Options.parse(arena.allocator(), pruning, arguments));
    }
    try testing.expectError(error.Usage, Options.parse(arena.allocator(), .{ .operands_min = 1, .operands_max = 1 }, &.{}));
    const printing: Options.Accepted = .{ .json = true, .text = true };
    try testing.expectError(error.Usage, Options.parse(arena.allocator(), printing, &.{ "--json", "--text" }));
    try testing.expectError(error.Usage, Options.parse(arena.allocator(), printing, &.{"--"}));
    _ = try Options.parse(arena.allocator(), .{}, &.{});
}
