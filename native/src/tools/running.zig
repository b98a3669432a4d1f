//! Which installations processes run from now: what is in their command lines, environments and executables.
//!
//! Only Linux tells, and only of the user's own processes (of everybody's to root).

const std = @import("std");
const builtin = @import("builtin");
const Item = @import("inventory.zig").Item;

/// Sets `running` of those items that a process was started from.
pub fn mark(items: []Item) void {
    if (builtin.os.tag != .linux) return;
    var processes = std.fs.openDirAbsolute("/proc", .{ .iterate = true }) catch return;
    defer processes.close();
    var each = processes.iterate();
    while (each.next() catch return) |entry| {
        if (!std.ascii.isDigit(entry.name[0])) continue;
        var process = processes.openDir(entry.name, .{}) catch continue;
        defer process.close();
        markOf(process, items);
    }
}

fn markOf(process: std.fs.Dir, items: []Item) void {
    var buffer: [64 << 10]u8 = undefined;
    if (process.readLink("exe", buffer[0..std.fs.max_path_bytes])) |target| markIn(target, items) else |_| {}
    for ([_][]const u8{ "cmdline", "environ" }) |name| {
        if (process.readFile(name, &buffer)) |text| markIn(text, items) else |_| {}
    }
}

fn markIn(text: []const u8, items: []Item) void {
    for (items) |*item| {
        if (!item.running and std.mem.indexOf(u8, text, item.digest) != null) item.running = true;
    }
}
