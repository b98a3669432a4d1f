//! Checks whether another user could replace a directory above a base directory.
//!
//! The rule is OpenSSH's StrictModes (sshd_config(5)): the user or root owns each directory on the way, and no one else
//! may write to it. In a directory with the sticky bit, others may write, because they cannot rename or remove entries
//! of other users (unlink(2), rename(2): EPERM). docs/explained/bare.md explains why a path that passed the check stays
//! safe until the process ends.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;
const Allocator = std.mem.Allocator;
const filesystem = @import("filesystem.zig");
const users = @import("users.zig");

const max_path = std.fs.max_path_bytes;

/// Linux follows 40 links (path_resolution(7)); here each link takes a page of the stack.
const links_max = 16;

const sticky = 0o1000;
const of_group = 0o020;
const of_others = 0o002;

/// The result of the check of one path.
pub const Ancestors = struct {
    state: State,
    /// The directory that `state` describes: the nearest existing one, or the refused one. Absolute, without symbolic
    /// links.
    buffer: [max_path]u8 = undefined,
    length: usize = 0,
    /// The file system of the nearest directory, if all users may create entries in it.
    open_device: ?Device = null,
    /// The end of the name in `directory` that is missing.
    missing_end: usize = 0,

    pub const State = enum {
        /// All directories exist, and only the user and root can replace them.
        safe,
        /// The same, but some directories are missing.
        incomplete,
        owned_by_another_user,
        writable,
        link_of_another_user,
        mounted_by_another_user,
        not_absolute,
        too_long,
        not_a_directory,
        unreadable,
    };

    /// The path of the directory that `state` describes.
    pub fn directory(ancestors: *const Ancestors) []const u8 {
        return if (ancestors.length == 0) "/" else ancestors.buffer[0..ancestors.length];
    }

    /// The name that is missing in `directory`, if the state is `incomplete`.
    pub fn missing(ancestors: *const Ancestors) []const u8 {
        return ancestors.buffer[ancestors.length + 1 .. ancestors.missing_end];
    }

    /// Whether another user mounted `opened`, which lies in the nearest directory and on the file system `device`.
    pub fn isMountedByAnother(ancestors: *const Ancestors, opened: std.fs.Dir, device: Device) bool {
        const open_device = ancestors.open_device orelse return false;
        return device != open_device and filesystem.mayBeUserMounted(opened);
    }

    /// Why the path is refused, for messages; null if it is not.
    pub fn problem(ancestors: *const Ancestors, arena: Allocator) error{OutOfMemory}!?[]const u8 {
        const there = ancestors.directory();
        return switch (ancestors.state) {
            .safe, .incomplete => null,
            .owned_by_another_user => try std.fmt.allocPrint(arena, "{s} in its path belongs to another user", .{there}),
            .writable => try std.fmt.allocPrint(arena, "other users can write to {s} in its path", .{there}),
            .link_of_another_user => try std.fmt.allocPrint(
                arena,
                "the symbolic link {s} in its path belongs to another user",
                .{there},
            ),
            .mounted_by_another_user => try std.fmt.allocPrint(
                arena,
                "another user may have mounted {s} in its path",
                .{there},
            ),
            .too_long => "its path is too long",
            .not_absolute => "its path is not absolute",
            .not_a_directory => try std.fmt.allocPrint(arena, "{s} in its path is not a directory", .{there}),
            .unreadable => try std.fmt.allocPrint(arena, "cannot read {s} in its path", .{there}),
        };
    }
};

const Device = if (builtin.os.tag == .windows) u64 else @FieldType(std.posix.Stat, "dev");

/// Checks each directory above `path`, from the root on: no one can replace a checked directory while its entries are
/// checked. The root directory counts as root's, because its owner has the system's programs anyway.
pub fn examine(path: []const u8) Ancestors {
    var walk: Walk = .{};
    walk.run(path);
    return walk.found;
}

const Walk = struct {
    found: Ancestors = .{ .state = .safe },
    links: usize = 0,

    fn run(walk: *Walk, path: []const u8) void {
        if (!std.fs.path.isAbsolute(path)) return walk.stop(.not_absolute);
        if (path.len >= max_path) return walk.stop(.too_long);
        walk.descend(std.fs.path.dirnamePosix(path) orelse "/");
    }

    fn stop(walk: *Walk, state: Ancestors.State) void {
        walk.found.state = state;
    }

    fn descend(walk: *Walk, path: []const u8) void {
        const found = &walk.found;
        if (std.fs.path.isAbsolute(path)) walk.resetToRoot();
        var components = std.mem.tokenizeScalar(u8, path, '/');
        while (components.next()) |name| {
            if (std.mem.eql(u8, name, ".")) continue;
            if (std.mem.eql(u8, name, "..")) {
                walk.ascend();
                if (found.state != .safe) return;
                continue;
            }
            const parent_length = found.length;
            if (!walk.append(name)) return walk.stop(.too_long);
            const status = walk.lstat() catch |err| {
                if (err != error.FileNotFound) return walk.stop(.unreadable);
                found.missing_end = found.length;
                found.length = parent_length;
                return walk.stop(.incomplete);
            };
            if (std.posix.S.ISLNK(status.mode)) return walk.follow(status, parent_length, components.rest());
            walk.check(status);
            if (found.state != .safe) return;
        }
    }

    fn resetToRoot(walk: *Walk) void {
        walk.found.length = 0;
        walk.found.open_device = null;
    }

    fn ascend(walk: *Walk) void {
        const found = &walk.found;
        const parent = std.mem.lastIndexOfScalar(u8, found.buffer[0..found.length], '/') orelse 0;
        walk.resetToRoot();
        if (parent == 0) return;
        found.length = parent;
        walk.check(walk.lstat() catch return walk.stop(.unreadable));
    }

    fn append(walk: *Walk, name: []const u8) bool {
        const found = &walk.found;
        if (found.length + 1 + name.len >= max_path) return false;
        found.buffer[found.length] = '/';
        @memcpy(found.buffer[found.length + 1 ..][0..name.len], name);
        found.length += 1 + name.len;
        return true;
    }

    fn lstat(walk: *Walk) !std.posix.Stat {
        walk.found.buffer[walk.found.length] = 0;
        const path = walk.found.buffer[0..walk.found.length :0];
        return std.posix.fstatatZ(std.fs.cwd().fd, path, std.posix.AT.SYMLINK_NOFOLLOW);
    }

    fn check(walk: *Walk, status: std.posix.Stat) void {
        if (!std.posix.S.ISDIR(status.mode)) return walk.stop(.not_a_directory);
        if (!users.isTrustedOwner(status.uid)) return walk.stop(.owned_by_another_user);
        if (walk.isMounted(status.dev)) return walk.stop(.mounted_by_another_user);
        walk.found.open_device = null;
        if (status.mode & (of_group | of_others) == 0) return;
        if (status.mode & sticky != 0) {
            walk.found.open_device = status.dev;
            return;
        }
        if (status.mode & of_others != 0 or !users.isPrivate(status.gid) or walk.hasAccessControlList()) walk.stop(.writable);
    }

    /// Whether the directory has an access control list. The bits of the group are its mask then, and it may give
    /// write access to others than the group (acl(5)).
    fn hasAccessControlList(walk: *Walk) bool {
        if (builtin.os.tag != .linux) return false;
        walk.found.buffer[walk.found.length] = 0;
        const path = walk.found.buffer[0..walk.found.length :0];
        var none: [0]u8 = .{};
        const result = std.os.linux.lgetxattr(path, "system.posix_acl_access", &none, 0);
        return switch (std.os.linux.E.init(result)) {
            .SUCCESS => result > 0,
            .NODATA, .OPNOTSUPP, .NOSYS => false,
            else => true,
        };
    }

    fn isMounted(walk: *const Walk, device: Device) bool {
        if ((walk.found.open_device orelse return false) == device) return false;
        var opened = std.fs.cwd().openDir(walk.found.directory(), .{ .no_follow = true }) catch return true;
        defer opened.close();
        return filesystem.mayBeUserMounted(opened);
    }

    /// Continues at the target of the link. `parent_length` is the length of its directory's path.
    fn follow(walk: *Walk, status: std.posix.Stat, parent_length: usize, rest: []const u8) void {
        const found = &walk.found;
        if (!users.isTrustedOwner(status.uid)) return walk.stop(.link_of_another_user);
        walk.links += 1;
        var buffer: [max_path]u8 = undefined;
        const link: [:0]const u8 = found.buffer[0..found.length :0];
        const target = std.posix.readlinkZ(link, &buffer) catch return walk.stop(.unreadable);
        if (walk.links > links_max or target.len + 1 + rest.len > buffer.len) return walk.stop(.unreadable);
        found.length = parent_length;
        buffer[target.len] = '/';
        @memcpy(buffer[target.len + 1 ..][0..rest.len], rest);
        walk.descend(buffer[0 .. target.len + 1 + rest.len]);
    }
};

fn expectState(state: Ancestors.State, dir: std.fs.Dir, path: []const u8) !void {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const below = try std.fs.path.join(arena.allocator(), &.{ try dir.realpathAlloc(arena.allocator(), "."), path });
    const found = examine(below);
    try testing.expectEqual(state, found.state);
    try testing.expectEqual(state == .safe or state == .incomplete, try found.problem(arena.allocator()) == null);
}

test "every directory above is checked, through links" {
    if (builtin.os.tag == .windows) return error.SkipZigTest;
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    try tmp.dir.makePath("a/b/c");
    try tmp.dir.symLink("a/b", "link", .{});
    try tmp.dir.symLink("loop", "loop", .{});
    try tmp.dir.writeFile(.{ .sub_path = "file", .data = "" });
    try expectState(.safe, tmp.dir, "a/b/c/base");
    try expectState(.safe, tmp.dir, "link/c/base");
    try expectState(.safe, tmp.dir, "link/../b/c/base");
    try expectState(.incomplete, tmp.dir, "link/d/e/base");
    try expectState(.unreadable, tmp.dir, "loop/base");
    try expectState(.not_a_directory, tmp.dir, "file/base");
    var open = try tmp.dir.openDir("a/b", .{ .iterate = true });
    defer open.close();
    try open.chmod(0o777);
    try expectState(.writable, tmp.dir, "a/b/c/base");
    try expectState(.writable, tmp.dir, "link/c/base");
    try expectState(.writable, tmp.dir, "link/c/../d/base");
    try open.chmod(0o1777);
    try expectState(.safe, tmp.dir, "link/c/base");
    try expectState(.incomplete, tmp.dir, "link/d/e/base");
    try testing.expectEqual(.not_absolute, examine("relative/base").state);
    try testing.expectEqual(.too_long, examine("/d" ** max_path).state);
    try testing.expectEqual(.safe, examine("/base").state);
}

test "a missing name is reported with its directory" {
    if (builtin.os.tag == .windows) return error.SkipZigTest;
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    const root = try tmp.dir.realpathAlloc(arena.allocator(), ".");
    const found = examine(try std.mem.concat(arena.allocator(), u8, &.{ root, "/x//./y/base" }));
    try testing.expectEqual(.incomplete, found.state);
    try testing.expectEqualStrings(root, found.directory());
    try testing.expectEqualStrings("x", found.missing());
}
