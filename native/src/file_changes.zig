//! Creates, renames and extends files, and distinguishes the errors that messages report. std 0.15.2 maps several of
//! them to error.Unexpected.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;
const linux = std.os.linux;
const file_status = @import("file_status.zig");

/// Creates a new file for writing.
pub fn create(directory: std.fs.Dir, path: []const u8, mode: std.fs.File.Mode) !std.fs.File {
    return open(directory, path, mode, true);
}

/// Opens a file for writing, and creates it if it is missing.
pub fn openOrCreate(directory: std.fs.Dir, path: []const u8, mode: std.fs.File.Mode) !std.fs.File {
    return open(directory, path, mode, false);
}

fn open(directory: std.fs.Dir, path: []const u8, mode: std.fs.File.Mode, is_new: bool) !std.fs.File {
    if (builtin.os.tag != .linux) {
        return directory.createFile(path, .{ .exclusive = is_new, .truncate = false, .mode = mode });
    }
    const name = try std.posix.toPosixPath(path);
    var flags: linux.O = .{ .ACCMODE = .WRONLY, .CREAT = true, .EXCL = is_new, .CLOEXEC = true };
    if (@hasField(linux.O, "LARGEFILE")) flags.LARGEFILE = true;
    // An existing entry may be a FIFO, whose opening blocks, or a link to a foreign file.
    flags.NONBLOCK = true;
    flags.NOFOLLOW = true;
    while (true) {
        const result = linux.openat(directory.fd, &name, flags, mode);
        if (linux.E.init(result) == .INTR) continue;
        try check(result);
        return .{ .handle = @intCast(result) };
    }
}

/// Moves `old` in `from` to `new` in `to`. Replaces a file, but no directory that has entries.
pub fn rename(from: std.fs.Dir, old: []const u8, to: std.fs.Dir, new: []const u8) !void {
    if (builtin.os.tag != .linux) return std.fs.rename(from, old, to, new);
    const before = try std.posix.toPosixPath(old);
    const after = try std.posix.toPosixPath(new);
    try check(linux.renameat(from.fd, &before, to.fd, &after));
}

/// Appends `length` bytes of `from`, starting at `start`, to `to`. Returns error.CorruptZip if `from` ends before
/// that.
pub fn appendRange(from: std.fs.File, to: std.fs.File, start: u64, length: u64) !void {
    var buffer: [16 << 10]u8 = undefined;
    var done: u64 = 0;
    while (done < length) {
        const chunk = buffer[0..@intCast(@min(buffer.len, length - done))];
        if (try from.preadAll(chunk, start + done) != chunk.len) return error.CorruptZip;
        try to.writeAll(chunk);
        done += chunk.len;
    }
}

fn check(result: usize) !void {
    return switch (linux.E.init(result)) {
        .SUCCESS => {},
        .ACCES => error.AccessDenied,
        .PERM => error.PermissionDenied,
        .NOENT => error.FileNotFound,
        .NOTDIR => error.NotDir,
        .ISDIR => error.IsDir,
        .NXIO => error.NotAFile,
        .EXIST, .NOTEMPTY => error.PathAlreadyExists,
        .LOOP => error.SymLinkLoop,
        .NAMETOOLONG => error.NameTooLong,
        .NOSPC => error.NoSpaceLeft,
        .DQUOT => error.DiskQuota,
        .ROFS => error.ReadOnlyFileSystem,
        .IO => error.InputOutput,
        .MFILE => error.ProcessFdQuotaExceeded,
        .NFILE => error.SystemFdQuotaExceeded,
        .NOMEM => error.SystemResources,
        .FBIG, .OVERFLOW => error.FileTooBig,
        .BUSY => error.FileBusy,
        .INVAL, .ILSEQ => error.BadPathName,
        else => |errno| std.posix.unexpectedErrno(errno),
    };
}

test "create refuses existing files, and rename replaces files but not directories" {
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    (try create(tmp.dir, "one", 0o644)).close();
    try testing.expectError(error.PathAlreadyExists, create(tmp.dir, "one", 0o644));
    try testing.expectError(error.FileNotFound, create(tmp.dir, "none/one", 0o644));
    (try create(tmp.dir, "other", 0o644)).close();
    try rename(tmp.dir, "one", tmp.dir, "other");
    try file_status.checkExists(tmp.dir, "other");
    try testing.expectError(error.FileNotFound, rename(tmp.dir, "one", tmp.dir, "other"));
    if (builtin.os.tag == .windows) return;
    try tmp.dir.makePath("full/in");
    try tmp.dir.makeDir("empty");
    try testing.expectError(error.IsDir, rename(tmp.dir, "other", tmp.dir, "full"));
    try testing.expectError(error.PathAlreadyExists, rename(tmp.dir, "empty", tmp.dir, "full"));
}

test "a range is copied, and a range beyond the end is an error" {
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    const from = try tmp.dir.createFile("from", .{ .read = true });
    defer from.close();
    try from.writeAll("0123456789");
    const to = try tmp.dir.createFile("to", .{ .read = true });
    defer to.close();
    try appendRange(from, to, 2, 5);
    try testing.expectError(error.CorruptZip, appendRange(from, to, 8, 3));
    var buffer: [16]u8 = undefined;
    try testing.expectEqualStrings("23456", buffer[0..try to.preadAll(&buffer, 0)]);
}
