//! `install --symlink [DIR…]` writes a symbolic link to the executable into each DIR for every command that the name
//! of a link can choose.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;
const Allocator = std.mem.Allocator;
const manifest = @import("../manifest.zig");
const report = @import("../report.zig");
const Context = @import("context.zig").Context;
const install = @import("install.zig");

pub fn run(context: *const Context) anyerror!u8 {
    if (builtin.os.tag == .windows) report.fatal(
        context.lift.name,
        "install --symlink is not available on Windows" ++
            "\nhint: {s}=install {s} DIR writes an executable for each command",
        .{ context.lift.tools, context.executable.path },
    );
    const given = context.options.operands;
    const directories: []const []const u8 = if (given.len > 0) given else &.{"."};
    var paths: std.ArrayList([]const u8) = .empty;
    for (directories) |directory| {
        try std.fs.cwd().makePath(directory);
        for (try namesOf(context.arena, context.lift)) |name| {
            const path = try std.fs.path.join(context.arena, &.{ directory, name });
            link(context, path) catch |err| report.fatal(context.lift.name, "cannot write {s}: {s}", .{ path, report.describe(err) });
            try paths.append(context.arena, path);
        }
    }
    if (context.options.json) {
        try context.json(.{ .links = paths.items });
    } else {
        for (paths.items) |path| try context.out.print("{s}\n", .{path});
    }
    return 0;
}

/// The names of the links. A default command starts whatever the name of the link, unless the lift chooses by name.
fn namesOf(arena: Allocator, lift: manifest.Manifest) ![]const []const u8 {
    const commands = lift.boot.commands.map;
    const only_default = commands.contains("") and !lift.boot.by_name;
    var names: std.ArrayList([]const u8) = .empty;
    for (commands.keys()) |command| {
        if (only_default and command.len > 0) continue;
        const name = install.nameOf(lift, command) orelse continue;
        try names.append(arena, name);
    }
    return names.items;
}

/// Makes `path` lead to the executable, if it does not already.
fn link(context: *const Context, path: []const u8) !void {
    const executable = context.executable.path;
    std.fs.cwd().symLink(executable, path, .{}) catch |err| {
        if (err != error.PathAlreadyExists) return err;
        var buffer: [std.fs.max_path_bytes]u8 = undefined;
        const target = std.fs.cwd().realpath(path, &buffer) catch return err;
        if (!std.mem.eql(u8, target, executable)) return err;
    };
}

test "links have the names of commands that they can choose" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const allocator = arena.allocator();
    const cases = [_]struct { []const []const u8, bool, []const []const u8 }{
        .{ &.{ "one", "two" }, false, &.{ "one", "two" } },
        .{ &.{ "", "two" }, false, &.{"tool"} },
        .{ &.{ "", "two", "tool" }, true, &.{ "tool", "two" } },
        .{ &.{ "a/b", "..", "two" }, false, &.{"two"} },
    };
    for (cases) |case| {
        var lift: manifest.Manifest = .{ .name = "tool", .files = &.{}, .boot = .{ .commands = .{}, .by_name = case[1] } };
        for (case[0]) |name| try lift.boot.commands.map.put(allocator, name, .{ .exe = "" });
        const names = try namesOf(allocator, lift);
        try testing.expectEqual(case[2].len, names.len);
        for (case[2], names) |expected, name| try testing.expectEqualStrings(expected, name);
    }
}
