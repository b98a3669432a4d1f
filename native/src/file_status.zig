//! What the system tells of a file: its kind, size, mode and times.
//!
//! std 0.15.2 asks statx(2), which kernels before 4.11 do not know and older filters of system calls refuse. fstat(2)
//! and fstatat(2) are known everywhere.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;

pub const Status = std.fs.File.Stat;

pub fn of(file: std.fs.File) !Status {
    if (builtin.os.tag == .windows) return file.stat();
    return .fromPosix(try std.posix.fstat(file.handle));
}

/// Of what `path` leads to.
pub fn at(directory: std.fs.Dir, path: []const u8) !Status {
    if (builtin.os.tag == .windows) return directory.statFile(path);
    return .fromPosix(try std.posix.fstatat(directory.fd, path, 0));
}

/// Of `path` itself, be it a symbolic link.
pub fn atItself(directory: std.fs.Dir, path: []const u8) !Status {
    if (builtin.os.tag == .windows) return directory.statFile(path);
    return .fromPosix(try std.posix.fstatat(directory.fd, path, std.posix.AT.SYMLINK_NOFOLLOW));
}

/// In bytes.
pub fn length(file: std.fs.File) !u64 {
    return (try of(file)).size;
}

test "a file is asked by itself, by its name and through a link" {
    if (builtin.os.tag == .windows) return error.SkipZigTest;
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    const file = try tmp.dir.createFile("file", .{});
    defer file.close();
    try file.writeAll("seven b");
    try tmp.dir.symLink("file", "link", .{});
    try testing.expectEqual(7, try length(file));
    try testing.expectEqual(7, (try at(tmp.dir, "link")).size);
    try testing.expectEqual(.sym_link, (try atItself(tmp.dir, "link")).kind);
    try testing.expectEqual((try of(file)).mtime, (try at(tmp.dir, "file")).mtime);
    try testing.expectError(error.FileNotFound, at(tmp.dir, "none"));
}
