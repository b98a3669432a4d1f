//! Times of directories: when an installation was used last, and whether the system has been started since.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;

/// Nanoseconds since 1970.
pub const Time = i128;

const day = std.time.ns_per_day;

/// Whether the system was started after `time`. The wall clock may have been set since, which errs on the side
/// of a check too many. False where the system does not tell.
pub fn isBeforeSystemStart(time: Time) bool {
    if (builtin.os.tag != .linux) return false;
    const running = std.posix.clock_gettime(.BOOTTIME) catch return false;
    const since_start = @as(Time, running.sec) * std.time.ns_per_s + running.nsec;
    return time < std.time.nanoTimestamp() - since_start;
}

/// Whether a use at `time` is long enough ago for the next one to be told.
pub fn isLongAgo(time: Time) bool {
    return time < std.time.nanoTimestamp() - day;
}

/// Gives the directory `name` the time of now. False where that is not possible.
pub fn touch(directory: std.fs.Dir, name: []const u8) bool {
    return switch (builtin.os.tag) {
        .windows => false,
        .linux => touched: {
            const path = std.posix.toPosixPath(name) catch break :touched false;
            const result = std.os.linux.utimensat(directory.fd, &path, null, 0);
            break :touched std.os.linux.E.init(result) == .SUCCESS;
        },
        else => touched: {
            const path = std.posix.toPosixPath(name) catch break :touched false;
            break :touched std.c.utimensat(directory.fd, &path, null, 0) == 0;
        },
    };
}

test "the system was started before now and after 1970" {
    try testing.expect(!isBeforeSystemStart(std.time.nanoTimestamp()));
    if (builtin.os.tag == .linux) try testing.expect(isBeforeSystemStart(0));
    try testing.expect(isLongAgo(0));
    try testing.expect(!isLongAgo(std.time.nanoTimestamp() - day + std.time.ns_per_min));
}

test "a touched directory was used now" {
    if (builtin.os.tag == .windows) return error.SkipZigTest;
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    try tmp.dir.makeDir("used");
    var used = try tmp.dir.openDir("used", .{ .iterate = true });
    try (std.fs.File{ .handle = used.fd }).updateTimes(0, 0);
    used.close();
    try testing.expectEqual(0, (try tmp.dir.statFile("used")).mtime);
    try testing.expect(touch(tmp.dir, "used"));
    try testing.expect(!isLongAgo((try tmp.dir.statFile("used")).mtime));
    try testing.expect(!touch(tmp.dir, "none"));
}
