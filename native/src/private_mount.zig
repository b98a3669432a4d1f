//! A private file system in memory: a tmpfs (tmpfs(5)) in a mount namespace (mount_namespaces(7)) of this process and
//! its children.
//!
//! Root can create the namespace with CAP_SYS_ADMIN. Other users can do so in a user namespace (user_namespaces(7)),
//! in which the process keeps its ids and all other ids are unknown.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;
const Allocator = std.mem.Allocator;
const linux = std.os.linux;
const filesystem = @import("filesystem.zig");

/// The step that the system refused.
pub const Failure = struct {
    step: Step,
    errno: linux.E,

    const Step = enum(u8) { unshare, identity, propagation, mount, child };

    /// Names the system call and its error.
    pub fn describe(failure: Failure, arena: Allocator) error{OutOfMemory}![]const u8 {
        const what = switch (failure.step) {
            .unshare => "unshare(2) of a user and mount namespace",
            .identity => "writing /proc/self/uid_map",
            .propagation => "mount(2) of / as a slave",
            .mount => "mount(2) of a tmpfs",
            .child => "starting a process",
        };
        return std.fmt.allocPrint(arena, "{s}: E{s}", .{ what, @tagName(failure.errno) });
    }
};

/// Mounts an empty file system on the directory `point`, for this process and what it will start.
pub fn mountPrivate(point: [*:0]const u8) ?Failure {
    const user = linux.geteuid();
    const group = linux.getegid();
    var errno = linux.E.init(linux.unshare(linux.CLONE.NEWNS));
    if (errno == .SUCCESS) {
        // Our mounts must not appear outside. Later mounts outside may appear here.
        errno = linux.E.init(linux.mount(null, "/", null, linux.MS.REC | linux.MS.SLAVE, 0));
        if (errno != .SUCCESS) return .{ .step = .propagation, .errno = errno };
    } else {
        errno = linux.E.init(linux.unshare(linux.CLONE.NEWUSER | linux.CLONE.NEWNS));
        if (errno != .SUCCESS) return .{ .step = .unshare, .errno = errno };
        errno = mapOwnIds(user, group);
        if (errno != .SUCCESS) return .{ .step = .identity, .errno = errno };
    }
    errno = linux.E.init(linux.mount("czscie", point, "tmpfs", linux.MS.NOSUID | linux.MS.NODEV, @intFromPtr("mode=0700")));
    return if (errno == .SUCCESS) null else .{ .step = .mount, .errno = errno };
}

/// Maps the ids of this process to themselves. An unprivileged process must give up setgroups(2) before it may map a
/// group (user_namespaces(7)).
fn mapOwnIds(user: linux.uid_t, group: linux.gid_t) linux.E {
    var buffer: [64]u8 = undefined;
    const write = [_]struct { [*:0]const u8, []const u8 }{
        .{ "/proc/self/setgroups", "deny" },
        .{ "/proc/self/gid_map", std.fmt.bufPrint(buffer[0..32], "{d} {d} 1", .{ group, group }) catch unreachable },
        .{ "/proc/self/uid_map", std.fmt.bufPrint(buffer[32..], "{d} {d} 1", .{ user, user }) catch unreachable },
    };
    for (write) |each| {
        const opened = linux.open(each[0], .{ .ACCMODE = .WRONLY, .CLOEXEC = true }, 0);
        if (linux.E.init(opened) != .SUCCESS) return linux.E.init(opened);
        const descriptor: linux.fd_t = @intCast(opened);
        defer _ = linux.close(descriptor);
        const written = linux.write(descriptor, each[1].ptr, each[1].len);
        if (linux.E.init(written) != .SUCCESS) return linux.E.init(written);
    }
    return .SUCCESS;
}

/// Tests in a child process whether `mountPrivate` succeeds: a failure half way would leave this process without its
/// ids.
pub fn probe(point: [*:0]const u8) ?Failure {
    var ends: [2]i32 = undefined;
    const made = linux.E.init(linux.pipe2(&ends, .{ .CLOEXEC = true }));
    if (made != .SUCCESS) return .{ .step = .child, .errno = made };
    const forked = linux.fork();
    if (forked == 0) {
        const failure = mountPrivate(point);
        const answer = [_]u8{
            if (failure) |found| @intFromEnum(found.step) else 0,
            if (failure) |found| @truncate(@intFromEnum(found.errno)) else 0,
        };
        _ = linux.write(ends[1], &answer, answer.len);
        linux.exit_group(0);
    }
    _ = linux.close(ends[1]);
    defer _ = linux.close(ends[0]);
    if (linux.E.init(forked) != .SUCCESS) return .{ .step = .child, .errno = linux.E.init(forked) };
    // The result if a system call filter kills the child.
    var answer = [_]u8{ @intFromEnum(Failure.Step.unshare), @intFromEnum(linux.E.PERM) };
    while (linux.E.init(linux.read(ends[0], &answer, answer.len)) == .INTR) {}
    var status: u32 = 0;
    while (linux.E.init(linux.wait4(@intCast(forked), &status, 0, null)) == .INTR) {}
    return if (answer[1] == 0) null else .{ .step = @enumFromInt(answer[0]), .errno = @enumFromInt(answer[1]) };
}

/// Directories that are often empty, and one that no program needs.
const usually_empty = [_][:0]const u8{ "/tmp", "/var/tmp", "/mnt", "/media", "/srv", "/opt", "/home" };
const unneeded = "/proc/tty";

/// A directory to mount on without hiding anything, whoever owns it.
pub fn unusedDirectory() ?[:0]const u8 {
    const root = deviceOf("/") orelse return null;
    for (usually_empty) |path| {
        // Other programs may use a directory on another file system, which may be a volume.
        if (deviceOf(path) == root and isEmpty(path)) return path;
    }
    return if (deviceOf(unneeded) != null) unneeded else null;
}

fn deviceOf(path: [:0]const u8) ?u64 {
    const status = std.fs.cwd().openDir(path, .{ .no_follow = true }) catch return null;
    var directory = status;
    defer directory.close();
    const found = std.posix.fstat(directory.fd) catch return null;
    return found.dev;
}

/// Whether `path` is an empty directory, and not a link.
pub fn isEmpty(path: []const u8) bool {
    var directory = std.fs.cwd().openDir(path, .{ .iterate = true, .no_follow = true }) catch return false;
    defer directory.close();
    var entries = directory.iterate();
    return (entries.next() catch return false) == null;
}

test "a directory is empty, has an entry, or does not exist" {
    if (builtin.os.tag != .linux) return error.SkipZigTest;
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    var buffer: [std.fs.max_path_bytes]u8 = undefined;
    const path = try tmp.dir.realpath(".", &buffer);
    try testing.expect(isEmpty(path));
    try tmp.dir.makeDir("in");
    try testing.expect(!isEmpty(path));
    try testing.expect(!isEmpty("/nowhere/at/all"));
}

test "a probe does not change this process" {
    if (builtin.os.tag != .linux) return error.SkipZigTest;
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    try tmp.dir.makeDir("in");
    const path = try tmp.dir.realpathAlloc(testing.allocator, ".");
    defer testing.allocator.free(path);
    const point = try testing.allocator.dupeZ(u8, path);
    defer testing.allocator.free(point);
    if (probe(point)) |failure| {
        const words = try failure.describe(testing.allocator);
        defer testing.allocator.free(words);
        try testing.expect(std.mem.indexOf(u8, words, ": E") != null);
    }
    try testing.expect(!isEmpty(path));
}
