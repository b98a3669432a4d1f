//! Users and groups that may own trusted files.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;

pub const Id = if (builtin.os.tag == .windows) u32 else std.posix.uid_t;
pub const Group = if (builtin.os.tag == .windows) u32 else std.posix.gid_t;

/// Enough for thousands of users.
const length_max = 4 << 20;

/// The id that a user namespace shows instead of an unknown one (user_namespaces(7)).
const overflow_id = 65534;

/// The effective user. The kernel passes it at the start (getauxval(3)), and it never changes here.
pub fn effective() Id {
    if (builtin.os.tag == .windows) return 0;
    if (builtin.os.tag != .linux) return std.c.geteuid();
    if (std.os.linux.elf_aux_maybe) |auxiliary| {
        var index: usize = 0;
        while (auxiliary[index].a_type != std.elf.AT_NULL) : (index += 1) {
            if (auxiliary[index].a_type == std.elf.AT_EUID) return @intCast(auxiliary[index].a_un.a_val);
        }
    }
    return std.os.linux.geteuid();
}

/// Whether the effective user is root.
pub fn isRoot() bool {
    return builtin.os.tag != .windows and effective() == 0;
}

/// Whether only the user and root can change files of `owner`. In a user namespace, the host's root may be one of the
/// unknown ids.
pub fn isTrustedOwner(owner: Id) bool {
    return owner == effective() or owner == 0 or (owner == overflow_id and hidesForeignIds());
}

/// Whether the namespace shows unknown ids as `overflow_id`, and has no user with that id.
fn hidesForeignIds() bool {
    if (builtin.os.tag != .linux) return false;
    var buffer: [4096]u8 = undefined;
    const text = std.fs.cwd().readFile("/proc/self/uid_map", &buffer) catch return false;
    return text.len > 0 and text.len < buffer.len and !mapsId(text, overflow_id);
}

/// Whether one of the lines `first outside count` contains `id`. A malformed line contains all ids.
fn mapsId(text: []const u8, id: u64) bool {
    var lines = std.mem.tokenizeScalar(u8, text, '\n');
    while (lines.next()) |line| {
        var fields = std.mem.tokenizeScalar(u8, line, ' ');
        const first = std.fmt.parseUnsigned(u64, fields.next() orelse "", 10) catch return true;
        _ = fields.next();
        const count = std.fmt.parseUnsigned(u64, fields.next() orelse "", 10) catch return true;
        if (id >= first and id - first < count) return true;
    }
    return false;
}

/// Whether the user is the only member of `group`, as with a group per user and umask 002. Debian's OpenSSH has the
/// same rule. For root, no group is private, because its members may be people with limited rights.
pub fn isPrivate(group: Group) bool {
    if (builtin.os.tag == .windows or isRoot()) return false;
    const allocator = std.heap.page_allocator;
    const passwd = std.fs.cwd().readFileAlloc(allocator, "/etc/passwd", length_max) catch return false;
    defer allocator.free(passwd);
    const groups = std.fs.cwd().readFileAlloc(allocator, "/etc/group", length_max) catch return false;
    defer allocator.free(groups);
    return isPrivateIn(passwd, groups, effective(), group);
}

/// Whether `group` is the primary group of `user` in `passwd`, and no one else is in it in `groups` (passwd(5),
/// group(5)).
fn isPrivateIn(passwd: []const u8, groups: []const u8, user: Id, group: Group) bool {
    const name = soleUser(passwd, user, group) orelse return false;
    var known = false;
    var lines = std.mem.tokenizeScalar(u8, groups, '\n');
    while (lines.next()) |line| {
        var fields = std.mem.splitScalar(u8, line, ':');
        _ = fields.next();
        _ = fields.next();
        const id = std.fmt.parseUnsigned(Group, fields.next() orelse "", 10) catch continue;
        if (id != group) continue;
        known = true;
        var members = std.mem.tokenizeAny(u8, fields.next() orelse "", ", \r");
        while (members.next()) |member| if (!std.mem.eql(u8, member, name)) return false;
    }
    return known;
}

/// The name of `user`, if no other user has `group` as the primary group.
fn soleUser(passwd: []const u8, user: Id, group: Group) ?[]const u8 {
    var found: ?[]const u8 = null;
    var lines = std.mem.tokenizeScalar(u8, passwd, '\n');
    while (lines.next()) |line| {
        var fields = std.mem.splitScalar(u8, line, ':');
        const name = fields.next() orelse continue;
        _ = fields.next();
        const id = std.fmt.parseUnsigned(Id, fields.next() orelse "", 10) catch continue;
        const first = std.fmt.parseUnsigned(Group, fields.next() orelse "", 10) catch continue;
        if (first != group) continue;
        if (id != user) return null;
        found = name;
    }
    return found;
}

test "a group is private when its only member is the user" {
    const passwd = "root:x:0:0::/root:/bin/sh\nann:x:1000:1001::/home/ann:/bin/sh\nbob:x:1002:1002::/home/bob:/bin/sh\n";
    const groups = "root:x:0:\nann:x:1001:\nbob:x:1002:ann\nusers:x:100:\n";
    try testing.expect(isPrivateIn(passwd, groups, 1000, 1001));
    try testing.expect(isPrivateIn(passwd, "ann:x:1001:ann\n", 1000, 1001));
    try testing.expect(!isPrivateIn(passwd, groups, 1002, 1002)); // ann is in it
    try testing.expect(!isPrivateIn(passwd, groups, 1000, 1002)); // it is bob's
    try testing.expect(!isPrivateIn(passwd, groups, 1000, 100)); // no one's first
    try testing.expect(!isPrivateIn(passwd, "", 1000, 1001)); // of a directory service
    try testing.expect(!isPrivateIn(passwd ++ "eve:x:1003:1001::/:/bin/sh\n", groups, 1000, 1001));
    try testing.expect(!isPrivateIn(passwd, groups ++ "also:x:1001:bob\n", 1000, 1001));
}

test "a namespace that maps all ids hides none" {
    try testing.expect(mapsId("         0          0 4294967295\n", overflow_id));
    try testing.expect(!mapsId("      1000       1000          1\n", overflow_id));
    try testing.expect(mapsId("0 100000 65535\n", overflow_id));
    try testing.expect(!mapsId("0 1000 1\n1 100000 65533\n", overflow_id));
    try testing.expect(mapsId("nonsense", overflow_id));
}

test "the effective user is the kernel's" {
    if (builtin.os.tag != .linux) return error.SkipZigTest;
    try testing.expectEqual(std.os.linux.geteuid(), effective());
}
