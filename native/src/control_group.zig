//! What the control groups of this process leave it of memory (cgroups(7)), of version 2 and of version 1.
//!
//! Whatever takes more is killed without a word, so it is looked up before much is taken.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;

/// What the launcher takes besides what it unpacks in: its code, stacks, buffers for reading, the plan.
const launcher_memory = 1 << 20;
/// What a thread unpacks in: an entry of at most 8 MiB or a window, which is as large at zstd's level 19.
const thread_memory = 10 << 20;
/// What is left to the pages that threads write.
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

/// A line of /proc/self/cgroup that is about memory.
const Membership = struct {
    version: Version,
    path: []const u8,

    /// `line` is `number:controllers:path`; version 2 has no controllers there. Null for a line about others.
    fn parse(line: []const u8) ?Membership {
        var fields = std.mem.splitScalar(u8, line, ':');
        const number = fields.first();
        const controllers = fields.next() orelse return null;
        const path = fields.rest();
        // A group above those that this process sees.
        if (path.len == 0 or path[0] != '/' or std.mem.startsWith(u8, path, "/..")) return null;
        if (controllers.len == 0) return if (std.mem.eql(u8, number, "0")) .{ .version = .two, .path = path } else null;
        var each = std.mem.splitScalar(u8, controllers, ',');
        while (each.next()) |controller| {
            if (std.mem.eql(u8, controller, "memory")) return .{ .version = .one, .path = path };
        }
        return null;
    }
};

/// Bytes of memory that this process may have; null where that is not limited, or not told. What lies in a tmpfs
/// counts as its own.
pub fn memoryLimit() ?u64 {
    if (builtin.os.tag != .linux) return null;
    var least: ?u64 = null;
    // In a container this is its own group, whatever the host calls that.
    for ([_]Version{ .two, .one }) |version| least = smaller(least, limitAt(version, ""));
    var buffer: [8 << 10]u8 = undefined;
    var lines = std.mem.splitScalar(u8, std.fs.cwd().readFile("/proc/self/cgroup", &buffer) catch "", '\n');
    while (lines.next()) |line| {
        const membership = Membership.parse(line) orelse continue;
        // Of all groups above it, too.
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

/// How many of `wanted` threads can unpack within `limit`; one at least.
pub fn threads(limit: ?u64, wanted: usize) usize {
    const fitting = ((limit orelse return wanted) -| page_cache_memory) / thread_memory;
    return @max(1, @min(wanted, fitting));
}

/// Whether `length` bytes more are within `limit`.
pub fn fits(limit: ?u64, length: u64) bool {
    return length +| launcher_memory <= limit orelse return true;
}

test "groups of either version are found" {
    const line = Membership.parse;
    try testing.expectEqualDeep(Membership{ .version = .two, .path = "/a/b:c" }, line("0::/a/b:c").?);
    try testing.expectEqualDeep(Membership{ .version = .one, .path = "/a" }, line("4:cpu,memory:/a").?);
    for ([_][]const u8{ "", "4", "4:cpu:/a", "1:name=systemd:/a", "1::/a", "0::", "0::/../a", "0::a" }) |other| {
        try testing.expectEqual(null, line(other));
    }
}

test "few threads unpack where memory is little" {
    try testing.expectEqual(6, threads(null, 6));
    try testing.expectEqual(6, threads(1 << 30, 6));
    try testing.expectEqual(6, threads(64 << 20, 6));
    try testing.expectEqual(2, threads(24 << 20, 6));
    try testing.expectEqual(1, threads(16 << 20, 6));
    try testing.expectEqual(1, threads(0, 6));
}

test "what is more than the limit does not fit" {
    try testing.expect(fits(null, std.math.maxInt(u64)));
    try testing.expect(fits(9 << 20, 8 << 20));
    try testing.expect(!fits(9 << 20, (8 << 20) + 1));
    try testing.expect(!fits(9 << 20, std.math.maxInt(u64)));
}
