//! The memory limit of this process's control groups (cgroups(7)), versions 1 and 2.
//!
//! The kernel kills a process that exceeds the limit, without a message. So the launcher reads the limit before it
//! allocates much memory.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;

/// The launcher's memory besides the unpacking threads, in bytes: code, stacks, read buffers, the plan.
const launcher_memory = 1 << 20;
/// The memory of an unpacking thread, in bytes: an entry of at most 8 MiB, or a window, which is as large at zstd's
/// level 19.
const thread_memory = 10 << 20;
/// The memory reserved for the pages that the threads write, in bytes.
const page_cache_memory = 4 << 20;

const Version = enum {
    one,
    two,

    fn directory(version: Version) []const u8 {
        return if (version == .one) "/sys/fs/cgroup/memory" else "/sys/fs/cgroup";
    }

    fn name(version: Version) []const u8 {
        return if (version == .one) "memory.limit_in_bytes" else "memory.max";
    }
};

/// A line of /proc/self/cgroup for the memory controller.
const Membership = struct {
    version: Version,
    path: []const u8,

    /// `line` is `number:controllers:path`; in version 2 there are no controllers. Null for a line of other
    /// controllers.
    fn parse(line: []const u8) ?Membership {
        var fields = std.mem.splitScalar(u8, line, ':');
        const number = fields.first();
        const controllers = fields.next() orelse return null;
        const path = fields.rest();
        // The group is above those that this process can see.
        if (path.len == 0 or path[0] != '/' or std.mem.startsWith(u8, path, "/..")) return null;
        if (controllers.len == 0) return if (std.mem.eql(u8, number, "0")) .{ .version = .two, .path = path } else null;
        var each = std.mem.splitScalar(u8, controllers, ',');
        while (each.next()) |controller| {
            if (std.mem.eql(u8, controller, "memory")) return .{ .version = .one, .path = path };
        }
        return null;
    }
};

/// The memory limit of this process, in bytes; null if there is none or it cannot be read. Files in a tmpfs count.
pub fn memoryLimit() ?u64 {
    if (builtin.os.tag != .linux) return null;
    var least: ?u64 = null;
    // In a container, this is the container's own group, whatever its name on the host.
    for ([_]Version{ .two, .one }) |version| least = smaller(least, limitAt(version, ""));
    var buffer: [8 << 10]u8 = undefined;
    var lines = std.mem.splitScalar(u8, std.fs.cwd().readFile("/proc/self/cgroup", &buffer) catch "", '\n');
    while (lines.next()) |line| {
        const membership = Membership.parse(line) orelse continue;
        // The limits of all parent groups apply too.
        var path: ?[]const u8 = membership.path;
        while (path) |group| : (path = std.fs.path.dirname(group)) {
            least = smaller(least, limitAt(membership.version, group));
        }
    }
    return least;
}

fn smaller(one: ?u64, other: ?u64) ?u64 {
    return @min(one orelse return other, other orelse return one);
}

fn limitAt(version: Version, group: []const u8) ?u64 {
    var buffer: [std.fs.max_path_bytes]u8 = undefined;
    const path = std.fmt.bufPrint(&buffer, "{s}{s}/{s}", .{ version.directory(), group, version.name() }) catch return null;
    var content: [32]u8 = undefined;
    const text = std.fs.cwd().readFile(path, &content) catch return null;
    return std.fmt.parseUnsigned(u64, std.mem.trim(u8, text, "\n"), 10) catch null;
}

/// How many of `wanted` threads can unpack within `limit`; at least one.
pub fn threads(limit: ?u64, wanted: usize) usize {
    const fitting = ((limit orelse return wanted) -| page_cache_memory) / thread_memory;
    return @max(1, @min(wanted, fitting));
}

/// Whether `length` more bytes are within `limit`.
pub fn fits(limit: ?u64, length: u64) bool {
    return length +| launcher_memory <= limit orelse return true;
}

test "groups of both versions are found" {
    const line = Membership.parse;
    try testing.expectEqualDeep(Membership{ .version = .two, .path = "/a/b:c" }, line("0::/a/b:c").?);
    try testing.expectEqualDeep(Membership{ .version = .one, .path = "/a" }, line("4:cpu,memory:/a").?);
    for ([_][]const u8{ "", "4", "4:cpu:/a", "1:name=systemd:/a", "1::/a", "0::", "0::/../a", "0::a" }) |other| {
        try testing.expectEqual(null, line(other));
    }
}

test "little memory means few threads" {
    try testing.expectEqual(6, threads(null, 6));
    try testing.expectEqual(6, threads(1 << 30, 6));
    try testing.expectEqual(6, threads(64 << 20, 6));
    try testing.expectEqual(2, threads(24 << 20, 6));
    try testing.expectEqual(1, threads(16 << 20, 6));
    try testing.expectEqual(1, threads(0, 6));
}

test "more than the limit does not fit" {
    try testing.expect(fits(null, std.math.maxInt(u64)));
    try testing.expect(fits(9 << 20, 8 << 20));
    try testing.expect(!fits(9 << 20, (8 << 20) + 1));
    try testing.expect(!fits(9 << 20, std.math.maxInt(u64)));
}
