//! The commands of a lift, as help and errors show them.

const std = @import("std");
const testing = std.testing;
const manifest = @import("manifest.zig");

const Commands = @FieldType(manifest.Boot, "commands");

/// Prints a line for each command. As in other scies, a command without a description is hidden if others have one;
/// the default command is not.
pub fn write(out: *std.Io.Writer, commands: Commands) std.Io.Writer.Error!void {
    const names = commands.map.keys();
    const values = commands.map.values();
    const hides = for (values) |command| {
        if (command.description != null) break true;
    } else false;
    for (names, values) |name, command| {
        if (hides and command.description == null and name.len > 0) continue;
        try out.print("\n  {s}", .{if (name.len == 0) "(default)" else name});
        if (command.description) |description| try out.print("  {s}", .{description});
    }
}

test "commands without a description are hidden if others have one" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const cases = [_]struct { []const [2]?[]const u8, []const u8 }{
        .{ &.{ .{ "one", null }, .{ "two", null } }, "\n  one\n  two" },
        .{ &.{ .{ "one", null }, .{ "two", "the second" } }, "\n  two  the second" },
        .{ &.{ .{ "", null }, .{ "two", "the second" }, .{ "three", null } }, "\n  (default)\n  two  the second" },
        .{ &.{ .{ "", "the first" }, .{ "two", null } }, "\n  (default)  the first" },
        .{ &.{}, "" },
    };
    for (cases) |case| {
        var commands: Commands = .{};
        for (case[0]) |each| try commands.map.put(arena.allocator(), each[0].?, .{ .exe = "", .description = each[1] });
        var buffer: [128]u8 = undefined;
        var out: std.Io.Writer = .fixed(&buffer);
        try write(&out, commands);
        try testing.expectEqualStrings(case[1], out.buffered());
    }
}
