//! Removes an installation that no start and no program uses.
//!
//! A start takes no lock, because its descriptor would outlive the launcher. But it keeps the base directory open from
//! before it checks an installation until it becomes the program, and the command line and executable of the program
//! name the installation. So the removal first sets a time that makes every later start take the lock, which the
//! removal holds. Then it waits until the earlier starts have become programs. Then it checks whether a program runs
//! from the installation.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;
const base_directory = @import("../base.zig");
const file_status = @import("../file_status.zig");
const install = @import("../install.zig");
const locking = @import("../lock.zig");
const manifest = @import("../manifest.zig");
const Lock = locking.Lock;
const Item = @import("inventory.zig").Item;
const processes = @import("processes.zig");

pub const Outcome = enum { removed, being_installed, in_use };

/// The lock for removals, in the directory of locks: one process removes at a time.
const lock_name = "removal";

/// The time for an earlier start to become the program, if the system does not list processes.
const grace_ns = 200 * std.time.ns_per_ms;

pub const Removal = struct {
    base: std.fs.Dir,
    removal_lock: std.fs.File,

    /// Waits for the removals of another process.
    pub fn begin(base: std.fs.Dir) !Removal {
        base.makeDir(base_directory.locks_directory) catch |err| if (err != error.PathAlreadyExists) return err;
        const removal_lock = try Lock.open(base, lock_name);
        errdefer removal_lock.close();
        _ = try locking.exclusive(removal_lock);
        return .{ .base = base, .removal_lock = removal_lock };
    }

    /// Lets other processes remove.
    pub fn end(removal: Removal) void {
        removal.removal_lock.close();
    }

    /// Removes a complete or unfinished installation.
    pub fn remove(removal: Removal, item: Item) !Outcome {
        const lock = try Lock.open(removal.base, item.digest);
        defer lock.close();
        if (try locking.tryExclusive(lock) == null) return .being_installed;
        var partial_name: base_directory.Name = undefined;
        const partial = item.path(&partial_name, install.partial_suffix);
        try removal.base.deleteTree(partial);
        if (!try removal.blockStarts(item, lock)) return .in_use;
        var name: base_directory.Name = undefined;
        // A partly removed installation must not have the name of a complete one.
        removal.base.rename(item.path(&name, ""), partial) catch |err| switch (err) {
            error.FileNotFound => return .removed,
            error.AccessDenied => if (builtin.os.tag == .windows) return .in_use else return err,
            else => return err,
        };
        try removal.base.deleteTree(partial);
        return .removed;
    }

    /// Makes later starts wait for `lock`, and returns whether no start and no program uses the installation.
    fn blockStarts(removal: Removal, item: Item, lock: std.fs.File) !bool {
        if (builtin.os.tag == .windows) return true; // Windows does not rename what a process has open
        var buffer: base_directory.Name = undefined;
        const name = item.path(&buffer, "");
        const before = file_status.at(removal.base, name) catch |err| switch (err) {
            error.FileNotFound => return true,
            else => return err,
        };
        try setTime(removal.base, name, base_directory.removal_mark);
        if (removal.isIdle(item, lock)) {
            const after = try file_status.at(removal.base, name);
            if (after.mtime == base_directory.removal_mark) return true;
        } else {
            try setTime(removal.base, name, before.mtime);
        }
        return false;
    }

    fn isIdle(removal: Removal, item: Item, lock: std.fs.File) bool {
        if (!processes.canInspect()) {
            std.Thread.sleep(grace_ns);
            return true;
        }
        if (!processes.waitForStarts(removal.base, &.{ removal.removal_lock, lock })) return false;
        var items = [_]Item{item};
        items[0].running = false;
        processes.markRunning(&items);
        return !items[0].running;
    }
};

fn setTime(directory: std.fs.Dir, name: []const u8, nanoseconds: i128) !void {
    const time: std.posix.timespec = .{
        .sec = @intCast(@divFloor(nanoseconds, std.time.ns_per_s)),
        .nsec = @intCast(@mod(nanoseconds, std.time.ns_per_s)),
    };
    var times = [2]std.posix.timespec{ time, time };
    const path = try std.posix.toPosixPath(name);
    if (builtin.os.tag == .linux) {
        const result = std.os.linux.utimensat(directory.fd, &path, &times, 0);
        if (std.os.linux.E.init(result) != .SUCCESS) return error.AccessDenied;
    } else {
        if (std.c.utimensat(directory.fd, &path, &times, 0) != 0) return error.AccessDenied;
    }
}

const digest_for_tests = "0123456789abcdef" ** 4;

fn itemForTests(kind: manifest.Kind) Item {
    return .{
        .kind = .{ .part = kind },
        .digest = digest_for_tests,
        .unfinished = false,
        .application = null,
        .bytes = 0,
        .last_use = 0,
    };
}

test "unused installations are removed, and those being installed or used stay" {
    if (builtin.os.tag == .windows) return error.SkipZigTest;
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    const name = "apps/" ++ digest_for_tests;
    try tmp.dir.makePath(name ++ "/bin");
    const removal: Removal = try .begin(tmp.dir);
    defer removal.end();
    const lock = try Lock.open(tmp.dir, digest_for_tests);
    try lock.lock(.exclusive);
    try testing.expectEqual(.being_installed, try removal.remove(itemForTests(.app)));
    lock.close();
    try tmp.dir.access(name, .{});
    try testing.expectEqual(.removed, try removal.remove(itemForTests(.app)));
    try testing.expectError(error.FileNotFound, tmp.dir.access(name, .{}));
    try testing.expectError(error.FileNotFound, tmp.dir.access(name ++ install.partial_suffix, .{}));
    try testing.expectEqual(.removed, try removal.remove(itemForTests(.app)));
}

test "a time is set and read back" {
    if (builtin.os.tag == .windows) return error.SkipZigTest;
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    try tmp.dir.makeDir("used");
    for ([_]i128{ base_directory.removal_mark, 1_600_000_000_123_456_789 }) |time| {
        try setTime(tmp.dir, "used", time);
        try testing.expectEqual(time, (try tmp.dir.statFile("used")).mtime);
    }
}
