//! The file system that contains a directory, by statfs(2).

const std = @import("std");
const builtin = @import("builtin");
const linux = std.os.linux;
const testing = std.testing;

pub const Statistics = struct {
    read_only: bool,
    no_execution: bool,
    /// The bytes that this user can still write.
    available: u64,
    /// Whether it is FUSE, the only kind that users mount anywhere they like (fusermount3(1)), with any owners.
    fuse: bool,
};

/// Whether a user may have mounted the file system.
pub fn mayBeUserMounted(directory: std.fs.Dir) bool {
    return if (statistics(directory)) |found| found.fuse else false;
}

/// Null if the system cannot report them.
pub fn statistics(directory: std.fs.Dir) ?Statistics {
    if (builtin.os.tag != .linux) return null;
    var status: Statfs = undefined;
    const result = if (@hasField(linux.SYS, "fstatfs64"))
        linux.syscall3(.fstatfs64, @intCast(directory.fd), @sizeOf(Statfs), @intFromPtr(&status))
    else
        linux.syscall2(.fstatfs, @intCast(directory.fd), @intFromPtr(&status));
    if (linux.E.init(result) != .SUCCESS) return null;
    return .{
        .read_only = status.flags & 1 != 0, // ST_RDONLY
        .no_execution = status.flags & 8 != 0, // ST_NOEXEC
        .fuse = status.type == 0x65735546, // FUSE_SUPER_MAGIC
        .available = status.blocks_available *| @as(u64, @intCast(status.block_size)),
    };
}

/// <asm-generic/statfs.h>: a word is a long, but 32 bits wide on s390x and in statfs64 of 32-bit systems.
const Word = if (@bitSizeOf(usize) == 64 and builtin.cpu.arch != .s390x) u64 else u32;
const Statfs = extern struct {
    type: Word,
    block_size: Word,
    blocks: u64 align(4),
    blocks_free: u64 align(4),
    blocks_available: u64 align(4),
    files: u64 align(4),
    files_free: u64 align(4),
    id: [2]i32,
    name_length: Word,
    fragment_size: Word,
    flags: Word,
    spare: [5]Word,
};

test "the directory of the tests is writable and has space" {
    if (builtin.os.tag != .linux) return error.SkipZigTest;
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    const found = statistics(tmp.dir).?;
    try testing.expect(!found.read_only);
    try testing.expect(found.available > 1 << 20);
    try testing.expect(!mayBeUserMounted(tmp.dir));
}
