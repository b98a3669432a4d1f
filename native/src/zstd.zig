//! libzstd's decoder (RFC 8878), as much of it as the launcher uses.

const std = @import("std");
const testing = std.testing;
const Allocator = std.mem.Allocator;

pub const Error = error{ OutOfMemory, CorruptFrame };

/// The largest window a frame may ask for: what `zstd --long=27` writes, and a bound on our memory.
const window_log_max = 27;

const parameter_window_log_max = 100; // ZSTD_d_windowLogMax

const InBuffer = extern struct { data: [*]const u8, size: usize, position: usize };
const OutBuffer = extern struct { data: [*]u8, size: usize, position: usize };
const Context = opaque {};
const CustomMemory = extern struct {
    allocate: *const fn (?*anyopaque, usize) callconv(.c) ?*anyopaque,
    free: *const fn (?*anyopaque, ?*anyopaque) callconv(.c) void,
    state: ?*anyopaque,
};

extern fn ZSTD_createDCtx_advanced(CustomMemory) ?*Context;
extern fn ZSTD_freeDCtx(?*Context) usize;
extern fn ZSTD_DCtx_setParameter(*Context, c_int, c_int) usize;
extern fn ZSTD_DCtx_reset(*Context, c_int) usize;
extern fn ZSTD_decompressDCtx(*Context, [*]u8, usize, [*]const u8, usize) usize;
extern fn ZSTD_decompressStream(*Context, *OutBuffer, *InBuffer) usize;
extern fn ZSTD_isError(usize) c_uint;

/// A decoder serves one thread at a time and is reused for many frames.
pub const Decoder = struct {
    context: *Context,

    pub fn init() Error!Decoder {
        const memory: CustomMemory = .{ .allocate = allocate, .free = release, .state = null };
        const context = ZSTD_createDCtx_advanced(memory) orelse return error.OutOfMemory;
        _ = ZSTD_DCtx_setParameter(context, parameter_window_log_max, window_log_max);
        return .{ .context = context };
    }

    pub fn deinit(decoder: Decoder) void {
        _ = ZSTD_freeDCtx(decoder.context);
    }

    /// Decodes one whole frame, which must fill `to` exactly.
    pub fn decode(decoder: Decoder, to: []u8, frame: []const u8) Error!void {
        const length = ZSTD_decompressDCtx(decoder.context, to.ptr, to.len, frame.ptr, frame.len);
        if (ZSTD_isError(length) != 0 or length != to.len) return error.CorruptFrame;
    }

    /// Begins a new frame for `step`.
    pub fn begin(decoder: Decoder) void {
        const reset_session_only = 1;
        _ = ZSTD_DCtx_reset(decoder.context, reset_session_only);
    }

    pub const Step = struct { consumed: usize, produced: usize, finished: bool };

    /// Decodes as much of `from` as fits into `to`.
    pub fn step(decoder: Decoder, to: []u8, from: []const u8) Error!Step {
        var in: InBuffer = .{ .data = from.ptr, .size = from.len, .position = 0 };
        var out: OutBuffer = .{ .data = to.ptr, .size = to.len, .position = 0 };
        const hint = ZSTD_decompressStream(decoder.context, &out, &in);
        if (ZSTD_isError(hint) != 0) return error.CorruptFrame;
        return .{ .consumed = in.position, .produced = out.position, .finished = hint == 0 };
    }
};

// libzstd frees by pointer alone, so each block carries its length in front, a full alignment wide.
const header_length = 16;

fn allocate(_: ?*anyopaque, size: usize) callconv(.c) ?*anyopaque {
    const block = std.heap.page_allocator.alignedAlloc(u8, .@"16", header_length + size) catch return null;
    std.mem.writeInt(usize, block[0..@sizeOf(usize)], block.len, .little);
    return block.ptr + header_length;
}

fn release(_: ?*anyopaque, address: ?*anyopaque) callconv(.c) void {
    const memory: [*]align(16) u8 = @ptrCast(@alignCast(address orelse return));
    const block = memory - header_length;
    const length = std.mem.readInt(usize, block[0..@sizeOf(usize)], .little);
    std.heap.page_allocator.free(@as([]align(16) u8, @alignCast(block[0..length])));
}

/// One frame, single segment, content size 6: a raw block "abc" and a last run-length block of three "d".
const small_frame = "\x28\xb5\x2f\xfd\x20\x06" ++ "\x18\x00\x00abc" ++ "\x1b\x00\x00d";

test "a frame that is cut short, altered or of another length is refused" {
    const decoder = try Decoder.init();
    defer decoder.deinit();
    var out: [64]u8 = undefined;
    for (0..small_frame.len) |length| {
        try testing.expectError(error.CorruptFrame, decoder.decode(out[0..6], small_frame[0..length]));
    }
    try testing.expectError(error.CorruptFrame, decoder.decode(out[0..7], small_frame));
    try testing.expectError(error.CorruptFrame, decoder.decode(&out, "not a frame at all"));
}

test "raw and run-length blocks decode whole and in steps" {
    const decoder = try Decoder.init();
    defer decoder.deinit();
    var out: [6]u8 = undefined;
    try decoder.decode(&out, small_frame);
    try testing.expectEqualStrings("abcddd", &out);

    decoder.begin();
    var consumed: usize = 0;
    var produced: usize = 0;
    var steps: usize = 0;
    while (steps < 64) : (steps += 1) {
        const upto = @min(consumed + 3, small_frame.len);
        const done = try decoder.step(out[produced..], small_frame[consumed..upto]);
        consumed += done.consumed;
        produced += done.produced;
        if (done.finished) break;
    }
    try testing.expectEqualStrings("abcddd", out[0..produced]);
}

extern fn memmove([*]u8, [*]const u8, usize) [*]u8;
extern fn memset([*]u8, c_int, usize) [*]u8;

test "memory moves whole, whatever overlaps" {
    var bytes: [200]u8 = undefined;
    for (0..70) |length| for (0..70) |from| for ([_]usize{ 0, 1, 7, 15, 16, 17, 40, 69 }) |to| {
        for (&bytes, 0..) |*byte, i| byte.* = @intCast(i);
        _ = memmove(bytes[to..].ptr, bytes[from..].ptr, length);
        for (bytes, 0..) |byte, i| {
            try testing.expectEqual(if (i >= to and i < to + length) from + i - to else i, byte);
        }
    };
}

test "memory is set as far as asked and no further" {
    for (0..70) |length| {
        var bytes: [72]u8 = @splat(1);
        _ = memset(bytes[1..].ptr, 0x1ff, length);
        for (bytes, 0..) |byte, i| try testing.expectEqual(@as(u8, if (i > 0 and i <= length) 0xff else 1), byte);
    }
}
