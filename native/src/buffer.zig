//! Memory that is used again and again and grows with what it has to hold.

const std = @import("std");
const builtin = @import("builtin");
const testing = std.testing;

pub const Buffer = struct {
    bytes: []align(huge_page_length) u8 = &.{},

    const allocator = std.heap.page_allocator;
    /// Windows reserves memory of a larger alignment by a call that Server 2016 does not know.
    const huge_page_length = if (builtin.os.tag == .linux) 2 << 20 else std.heap.page_size_min;

    pub fn deinit(buffer: *Buffer) void {
        allocator.free(buffer.bytes);
    }

    /// The first `wanted` bytes; what was in them is lost when they have to move.
    pub fn ensureLength(buffer: *Buffer, wanted: usize) error{OutOfMemory}![]u8 {
        if (buffer.bytes.len < wanted) {
            allocator.free(buffer.bytes);
            buffer.bytes = &.{};
            buffer.bytes = try allocator.alignedAlloc(u8, .fromByteUnits(huge_page_length), wanted);
            preferHugePages(buffer.bytes);
        }
        return buffer.bytes[0..wanted];
    }

    pub fn length(buffer: Buffer) usize {
        return buffer.bytes.len;
    }
};

/// A window of zstd is read here and there: with pages of 2 MiB unpacking takes a tenth less of the processor.
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
