//! The commands of a lift, as help and errors show them.

const std = @import("std");
const testing = std.testing;
const manifest = @import("manifest.zig");
const report = @import("report.zig");
const console = @import("windows_console.zig");

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

/// Whether the first argument asks how to use the executable.
pub fn isHelp(first: ?[]const u8) bool {
    const word = first orelse return false;
    return std.mem.eql(u8, word, "--help") or std.mem.eql(u8, word, "-h");
}

/// Prints how to choose a command to standard output, and exits.
pub fn printHelp(lift: manifest.Manifest) noreturn {
    _ = console.openOutput();
    var buffer: [1024]u8 = undefined;
    var stdout = std.fs.File.stdout().writerStreaming(&buffer);
    const out = &stdout.interface;
    if (writeHelp(out, lift)) |_| out.flush() catch {} else |_| {}
    if (stdout.err) |err| report.fatal(lift.name, "cannot write: {s}", .{report.describe(err)});
    std.process.exit(0);
}

fn writeHelp(out: *std.Io.Writer, lift: manifest.Manifest) std.Io.Writer.Error!void {
    if (lift.description) |description| try out.print("{s}: {s}\n\n", .{ lift.name, description });
    try out.print("Usage: {s} COMMAND …\n\nCommands:", .{lift.name});
    try write(out, lift.boot.commands);
    try out.writeByte('\n');
    if (lift.tools.len > 0) try out.print("\n`{s}=help {s}` lists the tools of this file.\n", .{ lift.tools, lift.name });
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
