//! Decodes zstd frames (RFC 8878) of any length as a reader, with libzstd's streaming decoder.

const std = @import("std");
const testing = std.testing;

/// The base-2 logarithm of the largest window: that of `zstd --long=27`, and a bound on memory.
const window_log_max = 27;

const Context = opaque {};
const Output = extern struct { to: [*]u8, length: usize, position: usize };
const Input = extern struct { from: [*]const u8, length: usize, position: usize };

extern fn ZSTD_estimateDStreamSize(usize) usize;
extern fn ZSTD_initStaticDCtx([*]align(8) u8, usize) ?*Context;
extern fn ZSTD_decompressStream(*Context, *Output, *Input) usize;
extern fn ZSTD_isError(usize) c_uint;

pub const Stream = struct {
    in: *std.Io.Reader,
    context: *Context,
    /// Whether the last frame is complete.
    is_complete: bool = true,
    reader: std.Io.Reader,

    /// `buffer` is for decoded bytes. Takes 128 MiB of address space, of which the system provides what is used.
    pub fn init(in: *std.Io.Reader, buffer: []u8) error{OutOfMemory}!Stream {
        const length = ZSTD_estimateDStreamSize(1 << window_log_max);
        const memory = try std.heap.page_allocator.alignedAlloc(u8, .@"8", length);
        return .{
            .in = in,
            .context = ZSTD_initStaticDCtx(memory.ptr, memory.len) orelse return error.OutOfMemory,
            .reader = .{ .vtable = &.{ .stream = stream }, .buffer = buffer, .seek = 0, .end = 0 },
        };
    }

    fn stream(reader: *std.Io.Reader, writer: *std.Io.Writer, limit: std.Io.Limit) std.Io.Reader.StreamError!usize {
        const self: *Stream = @alignCast(@fieldParentPtr("reader", reader));
        const free = limit.slice(try writer.writableSliceGreedy(1));
        var output: Output = .{ .to = free.ptr, .length = free.len, .position = 0 };
        while (output.position == 0) {
            const piece = self.in.peekGreedy(1) catch |err| switch (err) {
                error.EndOfStream => return if (self.is_complete) error.EndOfStream else error.ReadFailed,
                error.ReadFailed => return error.ReadFailed,
            };
            var input: Input = .{ .from = piece.ptr, .length = piece.len, .position = 0 };
            const wanted = ZSTD_decompressStream(self.context, &output, &input);
            if (ZSTD_isError(wanted) != 0) return error.ReadFailed;
            self.is_complete = wanted == 0;
            self.in.toss(input.position);
            if (input.position == 0 and output.position == 0) return error.ReadFailed;
        }
        writer.advance(output.position);
        return output.position;
    }
};

test "frames are decoded one after the other, and a truncated one is an error" {
    // Single segment, content size 6: a raw block "abc" and a last run-length block of three "d".
    const frame = "\x28\xb5\x2f\xfd\x20\x06" ++ "\x18\x00\x00abc" ++ "\x1b\x00\x00d";
    for ([_]struct { []const u8, ?[]const u8 }{
        .{ frame ++ frame, "abcdddabcddd" },
        .{ frame[0 .. frame.len - 1], null },
        .{ "no frame", null },
    }) |case| {
        var in: std.Io.Reader = .fixed(case[0]);
        var buffer: [16]u8 = undefined;
        var decoder: Stream = try .init(&in, &buffer);
        var out: [32]u8 = undefined;
        const length = decoder.reader.readSliceShort(&out);
        if (case[1]) |wanted| try testing.expectEqualStrings(wanted, out[0..try length]) else try testing.expectError(error.ReadFailed, length);
    }
}
