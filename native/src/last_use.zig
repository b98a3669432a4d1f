//! The last use of an installation, which is the modification time of its directory, and whether the system has booted
//! since.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;
const file_status = @import("file_status.zig");

/// Nanoseconds since 1970.
pub const Time = i128;

const day = std.time.ns_per_day;

/// What the last use tells about an installation.
pub const Age = enum {
    recent,
    /// The last use was more than a day ago, so the next use is recorded.
    old,
    /// The system has booted since, perhaps after a power cut, or the time is in the future. The installation may be
    /// damaged.
    uncertain,
};

/// If the wall clock was changed, the result may be `uncertain` without need.
pub fn ageOf(time: Time) Age {
    const now = std.time.nanoTimestamp();
    if (time > now or time < bootTime(now)) return .uncertain;
    return if (time < now - day) .old else .recent;
}

/// Whether a daily event is due again, if it last happened at `time`.
pub fn isDayOld(time: Time) bool {
    const now = std.time.nanoTimestamp();
    return time < now - day or time > now;
}

/// The time of the boot; 0 if the system does not report it.
fn bootTime(now: Time) Time {
    if (builtin.os.tag != .linux) return 0;
    const running = std.posix.clock_gettime(.BOOTTIME) catch return 0;
    return now - @as(Time, running.sec) * std.time.ns_per_s - running.nsec;
}

/// Sets the modification time of the directory `name` to now, by this system's clock: a file server may have another.
/// Returns false on failure.
pub fn touch(directory: std.fs.Dir, name: []const u8) bool {
    const now = std.time.nanoTimestamp();
    if (builtin.os.tag == .windows) return if (touchWindows(directory, name, now)) |_| true else |_| false;
    const time: std.posix.timespec = .{
        .sec = @intCast(@divFloor(now, std.time.ns_per_s)),
        .nsec = @intCast(@mod(now, std.time.ns_per_s)),
    };
    var times = [2]std.posix.timespec{ time, time };
    const path = std.posix.toPosixPath(name) catch return false;
    if (builtin.os.tag != .linux) return std.c.utimensat(directory.fd, &path, &times, 0) == 0;
    return std.os.linux.E.init(std.os.linux.utimensat(directory.fd, &path, &times, 0)) == .SUCCESS;
}

fn touchWindows(directory: std.fs.Dir, name: []const u8, now: Time) !void {
    const windows = std.os.windows;
    const path = try windows.sliceToPrefixedFileW(directory.fd, name);
    const handle = try windows.OpenFile(path.span(), .{
        .dir = directory.fd,
        .access_mask = windows.SYNCHRONIZE | windows.FILE_WRITE_ATTRIBUTES,
        .creation = windows.FILE_OPEN,
        .filter = .any,
    });
    defer windows.CloseHandle(handle);
    try (std.fs.File{ .handle = handle }).updateTimes(now, now);
}

test "a last use before the boot or in the future is uncertain" {
    const now = std.time.nanoTimestamp();
    try testing.expectEqual(.recent, ageOf(now));
    try testing.expectEqual(.uncertain, ageOf(now + std.time.ns_per_min));
    try testing.expectEqual(.uncertain, ageOf(now + 1000 * day));
    const long_ago: Age = if (bootTime(now) > now - day - std.time.ns_per_min) .uncertain else .old;
    try testing.expectEqual(long_ago, ageOf(now - day - std.time.ns_per_min));
    if (builtin.os.tag == .linux) try testing.expectEqual(.uncertain, ageOf(0));
}

test "touch sets the last use to now" {
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    try tmp.dir.makeDir("used");
    const before = std.time.nanoTimestamp();
    try testing.expect(touch(tmp.dir, "used"));
    const used = (try file_status.at(tmp.dir, "used")).mtime;
    try testing.expect(used > before - std.time.ns_per_s);
    try testing.expectEqual(.recent, ageOf(used));
    try testing.expect(!touch(tmp.dir, "none"));
}

test "touch updates an old last use" {
    if (builtin.os.tag == .windows) return error.SkipZigTest;
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    try tmp.dir.makeDir("used");
    var used = try tmp.dir.openDir("used", .{ .iterate = true });
    try (std.fs.File{ .handle = used.fd }).updateTimes(0, 0);
    used.close();
    try testing.expectEqual(0, (try tmp.dir.statFile("used")).mtime);
    try testing.expect(touch(tmp.dir, "used"));
    try testing.expectEqual(.recent, ageOf((try tmp.dir.statFile("used")).mtime));
    try testing.expect(!touch(tmp.dir, "none"));
}
