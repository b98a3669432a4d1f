//! The part of libzstd's decoder (RFC 8878) that the launcher uses.

const std = @import("std");
const testing = std.testing;
const Allocator = std.mem.Allocator;

pub const Error = error{ OutOfMemory, CorruptFrame };

/// The largest window of a frame: that of `zstd --long=27`, and a bound on memory.
const window_length_max = 1 << 27;

/// The most bytes that one step reads or writes (RFC 8878, 3.1.1.2.4).
pub const block_length_max = 128 << 10;

/// The longest frame header (RFC 8878, 3.1.1.1).
pub const header_length_max = 18;

const Context = opaque {};
const FrameHeader = extern struct {
    content_length: c_ulonglong,
    window_length: c_ulonglong,
    block_length_max: c_uint,
    frame_type: c_uint,
    header_length: c_uint,
    dictionary: c_uint,
    has_checksum: c_uint,
    reserved: [2]c_uint,
};

extern fn ZSTD_estimateDCtxSize() usize;
extern fn ZSTD_initStaticDCtx([*]align(8) u8, usize) ?*Context;
extern fn ZSTD_getFrameHeader(*FrameHeader, [*]const u8, usize) usize;
extern fn ZSTD_decodingBufferSize_min(c_ulonglong, c_ulonglong) usize;
extern fn ZSTD_decompressBegin(*Context) usize;
extern fn ZSTD_nextSrcSizeToDecompress(*Context) usize;
extern fn ZSTD_decompressContinue(*Context, [*]u8, usize, [*]const u8, usize) usize;
extern fn ZSTD_isError(usize) c_uint;

/// The header of a frame.
pub const Frame = struct {
    content_length: u64,
    /// The bytes of memory for the data that later blocks may refer to, and for the next block.
    window_length: usize,
    /// The most bytes of content in one block.
    block_length: usize,

    /// Parses the header. `start` is the start of the frame, up to `header_length_max` bytes.
    pub fn parse(start: []const u8) Error!Frame {
        var header: FrameHeader = undefined;
        if (ZSTD_getFrameHeader(&header, start.ptr, start.len) != 0) return error.CorruptFrame;
        const ordinary = header.frame_type == 0;
        if (!ordinary or header.window_length > window_length_max) return error.CorruptFrame;
        const window_length = ZSTD_decodingBufferSize_min(header.window_length, header.content_length);
        if (ZSTD_isError(window_length) != 0) return error.CorruptFrame;
        return .{
            .content_length = header.content_length,
            .window_length = window_length,
            .block_length = header.block_length_max,
        };
    }
};

/// Decodes a frame step by step into the caller's memory. A decoder serves one thread at a time and can decode many
/// frames.
pub const Decoder = struct {
    context: *Context,
    memory: []align(8) u8,

    const allocator = std.heap.page_allocator;

    pub fn init() Error!Decoder {
        const memory = try allocator.alignedAlloc(u8, .@"8", ZSTD_estimateDCtxSize());
        const context = ZSTD_initStaticDCtx(memory.ptr, memory.len) orelse unreachable; // as long as it asked for
        return .{ .context = context, .memory = memory };
    }

    pub fn deinit(decoder: Decoder) void {
        allocator.free(decoder.memory);
    }

    /// Begins a new frame.
    pub fn begin(decoder: Decoder) void {
        _ = ZSTD_decompressBegin(decoder.context);
    }

    /// The number of bytes that the next step takes, exactly; 0 at the end of the frame.
    pub fn wanted(decoder: Decoder) usize {
        return ZSTD_nextSrcSizeToDecompress(decoder.context);
    }

    /// Decodes `from` to the start of `to`, and returns the number of bytes written, which may be 0. Earlier output
    /// must stay in its place: before `to`, or up to a window of it anywhere.
    pub fn step(decoder: Decoder, to: []u8, from: []const u8) Error!usize {
        const length = ZSTD_decompressContinue(decoder.context, to.ptr, to.len, from.ptr, from.len);
        return if (ZSTD_isError(length) != 0) error.CorruptFrame else length;
    }
};

/// One frame, single segment, content size 6: a raw block "abc" and a last run-length block of three "d".
const small_frame = "\x28\xb5\x2f\xfd\x20\x06" ++ "\x18\x00\x00abc" ++ "\x1b\x00\x00d";

/// Decodes all of `frame`, step by step.
fn decodeForTests(decoder: Decoder, to: []u8, frame: []const u8) Error!usize {
    decoder.begin();
    var consumed: usize = 0;
    var produced: usize = 0;
    while (decoder.wanted() > 0) {
        const length = decoder.wanted();
        if (length > frame.len - consumed) return error.CorruptFrame;
        produced += try decoder.step(to[produced..], frame[consumed..][0..length]);
        consumed += length;
    }
    return if (consumed == frame.len) produced else error.CorruptFrame;
}

test "raw and run-length blocks decode step by step" {
    const decoder = try Decoder.init();
    defer decoder.deinit();
    var out: [6]u8 = undefined;
    for (0..2) |_| {
        try testing.expectEqual(6, try decodeForTests(decoder, &out, small_frame));
        try testing.expectEqualStrings("abcddd", &out);
    }
}

test "a truncated, altered or too long frame is refused" {
    const decoder = try Decoder.init();
    defer decoder.deinit();
    var out: [64]u8 = undefined;
    for (0..small_frame.len) |length| {
        try testing.expectError(error.CorruptFrame, decodeForTests(decoder, &out, small_frame[0..length]));
    }
    try testing.expectError(error.CorruptFrame, decodeForTests(decoder, out[0..5], small_frame));
    try testing.expectError(error.CorruptFrame, decodeForTests(decoder, &out, small_frame ++ "x"));
    try testing.expectError(error.CorruptFrame, decodeForTests(decoder, &out, "not a frame at all"));
}

test "a header gives the length of the content and the memory for decoding" {
    const frame = try Frame.parse(small_frame);
    try testing.expectEqual(6, frame.content_length);
    try testing.expectEqual(6, frame.window_length);
    try testing.expectError(error.CorruptFrame, Frame.parse(small_frame[0..5]));
    // A skippable frame, and one with a window of 2^28 bytes and content of as many.
    try testing.expectError(error.CorruptFrame, Frame.parse("\x50\x2a\x4d\x18\x03\x00\x00\x00abc"));
    try testing.expectError(error.CorruptFrame, Frame.parse("\x28\xb5\x2f\xfd\x80\x90\x00\x00\x00\x10"));
}

extern fn memmove([*]u8, [*]const u8, usize) [*]u8;
extern fn memset([*]u8, c_int, usize) [*]u8;

test "memmove copies overlapping ranges" {
    var bytes: [200]u8 = undefined;
    for (0..70) |length| for (0..70) |from| for ([_]usize{ 0, 1, 7, 15, 16, 17, 40, 69 }) |to| {
        for (&bytes, 0..) |*byte, i| byte.* = @intCast(i);
        _ = memmove(bytes[to..].ptr, bytes[from..].ptr, length);
        for (bytes, 0..) |byte, i| {
            try testing.expectEqual(if (i >= to and i < to + length) from + i - to else i, byte);
        }
    };
}

test "memset writes exactly its range" {
    for (0..70) |length| {
        var bytes: [72]u8 = @splat(1);
        _ = memset(bytes[1..].ptr, 0x1ff, length);
        for (bytes, 0..) |byte, i| try testing.expectEqual(@as(u8, if (i > 0 and i <= length) 0xff else 1), byte);
    }
}
