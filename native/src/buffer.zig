//! A reusable buffer that grows when needed.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;

pub const Buffer = struct {
    bytes: []align(huge_page_length) u8 = &.{},

    const allocator = std.heap.page_allocator;
    /// Windows reserves memory of a larger alignment with a call that Server 2016 does not have.
    const huge_page_length = if (builtin.os.tag == .linux) 2 << 20 else std.heap.page_size_min;

    pub fn deinit(buffer: *Buffer) void {
        allocator.free(buffer.bytes);
    }

    /// Returns the first `wanted` bytes. Growing loses their content.
    pub fn ensureLength(buffer: *Buffer, wanted: usize) error{OutOfMemory}![]u8 {
        if (buffer.bytes.len < wanted) {
            allocator.free(buffer.bytes);
            buffer.bytes = &.{};
            buffer.bytes = try allocator.alignedAlloc(u8, .fromByteUnits(huge_page_length), wanted);
            preferHugePages(buffer.bytes);
        }
        return buffer.bytes[0..wanted];
    }

    /// The allocated length in bytes.
    pub fn length(buffer: Buffer) usize {
        return buffer.bytes.len;
    }
};

/// A zstd window is read at random: with pages of 2 MiB, unpacking takes a tenth less processor time.
fn preferHugePages(bytes: []align(Buffer.huge_page_length) u8) void {
    if (builtin.os.tag != .linux or bytes.len < Buffer.huge_page_length) return;
    _ = std.os.linux.madvise(bytes.ptr, bytes.len, std.os.linux.MADV.HUGEPAGE);
}

test "memory grows and does not shrink" {
    var buffer: Buffer = .{};
    defer buffer.deinit();
    try testing.expectEqual(0, (try buffer.ensureLength(0)).len);
    for ([_]usize{ 100, 3 << 20, 5 << 20 }) |length| {
        const bytes = try buffer.ensureLength(length);
        @memset(bytes, 1);
        try testing.expectEqual(length, bytes.len);
        try testing.expectEqual(bytes.ptr, (try buffer.ensureLength(length / 2)).ptr);
    }
}
