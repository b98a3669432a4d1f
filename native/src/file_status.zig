//! The status of a file: its kind, size, mode and times.
//!
//! std 0.15.2 calls statx(2), which is missing before Linux 4.11 and refused by older system call filters. fstat(2)
//! and fstatat(2) work everywhere.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;

pub const Status = std.fs.File.Stat;

/// The status of an open file.
pub fn of(file: std.fs.File) !Status {
    if (builtin.os.tag == .windows) return file.stat();
    return .fromPosix(try std.posix.fstat(file.handle));
}

/// The status of the target of `path`.
pub fn at(directory: std.fs.Dir, path: []const u8) !Status {
    if (builtin.os.tag == .windows) return ofWindows(directory, path, true);
    return .fromPosix(try std.posix.fstatat(directory.fd, path, 0));
}

/// The status of `path` itself, even if it is a symbolic link.
pub fn atItself(directory: std.fs.Dir, path: []const u8) !Status {
    if (builtin.os.tag == .windows) return ofWindows(directory, path, false);
    return .fromPosix(try std.posix.fstatat(directory.fd, path, std.posix.AT.SYMLINK_NOFOLLOW));
}

/// Returns an error if `path` does not lead to anything. Under wine, std's call works with absolute paths only.
pub fn checkExists(directory: std.fs.Dir, path: []const u8) !void {
    if (builtin.os.tag != .windows) return directory.access(path, .{});
    _ = try at(directory, path);
}

/// std's statFile does not open directories, which have times too.
fn ofWindows(directory: std.fs.Dir, path: []const u8, follow: bool) !Status {
    const windows = std.os.windows;
    const name = try windows.sliceToPrefixedFileW(directory.fd, path);
    const handle = try windows.OpenFile(name.span(), .{
        .dir = directory.fd,
        .access_mask = windows.SYNCHRONIZE | windows.FILE_READ_ATTRIBUTES,
        .creation = windows.FILE_OPEN,
        .filter = .any,
        .follow_symlinks = follow,
    });
    defer windows.CloseHandle(handle);
    return (std.fs.File{ .handle = handle }).stat();
}

/// In bytes.
pub fn length(file: std.fs.File) !u64 {
    return (try of(file)).size;
}

test "a directory has a status by its name" {
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    try tmp.dir.makePath("one/two");
    for ([_][]const u8{ "one", "one/two" }) |path| {
        try testing.expectEqual(.directory, (try at(tmp.dir, path)).kind);
        try testing.expectEqual(.directory, (try atItself(tmp.dir, path)).kind);
    }
    try testing.expectError(error.FileNotFound, at(tmp.dir, "one/three"));
    try testing.expectError(error.FileNotFound, at(tmp.dir, "three/four"));
    try checkExists(tmp.dir, "one/two");
    try testing.expectError(error.FileNotFound, checkExists(tmp.dir, "one/three"));
}

test "a file has a status by itself, by its name and through a link" {
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
