//! `list` shows the commands. For programs, it prints their names, one a line.

const std = @import("std");
const manifest = @import("../manifest.zig");
const Context = @import("context.zig").Context;

const Item = struct { name: []const u8, description: ?[]const u8, exe: []const u8, args: []const []const u8 };

pub fn run(context: *const Context) anyerror!u8 {
    const commands = context.lift.boot.commands.map;
    if (context.isForPeople()) {
        try write(context.out, context.lift.boot);
        return 0;
    }
    if (!context.options.json) {
        // The default command has the name of the lift, as in other scies.
        for (commands.keys()) |name| try context.out.print("{s}\n", .{if (name.len == 0) context.lift.name else name});
        return 0;
    }
    const items = try context.arena.alloc(Item, commands.count());
    for (commands.keys(), commands.values(), items) |name, command, *item| {
        item.* = .{ .name = name, .description = command.description, .exe = command.exe, .args = command.args };
    }
    try context.json(.{ .commands = items });
    return 0;
}

/// Prints the commands as text, for `inspect` too.
pub fn write(out: *std.Io.Writer, boot: manifest.Boot) !void {
    try out.writeAll("commands:\n");
    for (boot.commands.map.keys(), boot.commands.map.values()) |name, command| {
        try out.print("  {s}", .{if (name.len == 0) "(default)" else name});
        if (command.description) |description| try out.print(": {s}", .{description});
        try out.print("\n    {s}", .{command.exe});
        for (command.args) |argument| try out.print(" {s}", .{argument});
        try out.writeByte('\n');
    }
}
