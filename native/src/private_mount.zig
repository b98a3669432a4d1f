//! A file system in memory that only this process and what it starts can see: a tmpfs (tmpfs(5)) in a mount
//! namespace of their own (mount_namespaces(7)).
//!
//! Root may make such a namespace where it has CAP_SYS_ADMIN. Everybody else may inside a user namespace
//! (user_namespaces(7)), in which the process keeps the ids that it has and every other id is unknown.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;
const Allocator = std.mem.Allocator;
const linux = std.os.linux;
const filesystem = @import("filesystem.zig");

/// What the system refused.
pub const Failure = struct {
    step: Step,
    errno: linux.E,

    const Step = enum(u8) { unshare, identity, propagation, mount, child };

    /// For people who know system calls.
    pub fn describe(failure: Failure, arena: Allocator) error{OutOfMemory}![]const u8 {
        const what = switch (failure.step) {
            .unshare => "unshare(2) of a user and a mount namespace",
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
        // What is mounted here must not appear outside; what is mounted outside later may appear here.
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

/// Maps the ids of this process to themselves. No process without privileges may map a group that can still be
/// dropped (user_namespaces(7)).
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

/// Finds out whether `mountPrivate` would succeed: a process that failed half way would be left without its ids.
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
    // Killed where a filter of system calls kills.
    var answer = [_]u8{ @intFromEnum(Failure.Step.unshare), @intFromEnum(linux.E.PERM) };
    while (linux.E.init(linux.read(ends[0], &answer, answer.len)) == .INTR) {}
    var status: u32 = 0;
    while (linux.E.init(linux.wait4(@intCast(forked), &status, 0, null)) == .INTR) {}
    return if (answer[1] == 0) null else .{ .step = @enumFromInt(answer[0]), .errno = @enumFromInt(answer[1]) };
}

/// Where systems have directories that are often empty, and one that nobody needs.
const usually_empty = [_][:0]const u8{ "/tmp", "/var/tmp", "/mnt", "/media", "/srv", "/opt", "/home" };
const unneeded = "/proc/tty";

/// A directory that nothing is lost of when something is mounted on it, whoever owns it.
pub fn unusedDirectory() ?[:0]const u8 {
    const root = deviceOf("/") orelse return null;
    for (usually_empty) |path| {
        // Into one of another file system somebody else may put something.
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

/// Whether `path` is an empty directory, and no link to one.
pub fn isEmpty(path: []const u8) bool {
    var directory = std.fs.cwd().openDir(path, .{ .iterate = true, .no_follow = true }) catch return false;
    defer directory.close();
    var entries = directory.iterate();
    return (entries.next() catch return false) == null;
}

test "a directory is empty, holds something, or is none" {
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

test "a rehearsal changes nothing for this process" {
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
