//! The content of a zip entry, whole or piece by piece, checked against its CRC-32.

const std = @import("std");
const testing = std.testing;
const Allocator = std.mem.Allocator;
const crc32 = @import("crc32.zig").crc32;
const zip = @import("zip.zig");
const zstd = @import("zstd.zig");

const chunk_length = 256 << 10;

/// Decodes a whole entry into `to`, which has its length, and checks it. `packed_bytes` is reused and grows.
pub fn read(
    allocator: Allocator,
    executable: std.fs.File,
    data_end: u64,
    entry: zip.Entry,
    decoder: zstd.Decoder,
    packed_bytes: *[]u8,
    to: []u8,
) !void {
    const offset = try zip.dataOffset(executable, entry, data_end);
    switch (entry.method) {
        .stored => if (try executable.preadAll(to, offset) != to.len) return error.CorruptZip,
        .zstd => {
            const length: usize = std.math.cast(usize, entry.compressed_length) orelse return error.CorruptZip;
            // A zstd block that does not compress is stored, so a frame is hardly longer than its content.
            if (length > to.len + to.len / 64 + 1024) return error.CorruptZip;
            if (packed_bytes.len < length) {
                allocator.free(packed_bytes.*);
                packed_bytes.* = &.{};
                packed_bytes.* = try allocator.alloc(u8, length);
            }
            const frame = packed_bytes.*[0..length];
            if (try executable.preadAll(frame, offset) != length) return error.CorruptZip;
            try decoder.decode(to, frame);
        },
    }
    if (crc32(0, to) != entry.crc32) return error.CorruptEntry;
}

/// Writes the content of `entry` to `sink` through buffers of a fixed size. What was written counts only when
/// no error comes in the end.
pub fn stream(file: std.fs.File, data_end: u64, entry: zip.Entry, decoder: zstd.Decoder, sink: anytype) !void {
    const allocator = std.heap.page_allocator;
    const buffers = try allocator.alloc(u8, 2 * chunk_length);
    defer allocator.free(buffers);
    decoder.begin();

    var check: Check(@TypeOf(sink)) = .{ .sink = sink, .left = entry.length };
    var source: Source = .{
        .file = file,
        .offset = try zip.dataOffset(file, entry, data_end),
        .left = entry.compressed_length,
    };
    while (source.left > 0) {
        const chunk = try source.read(buffers[0..chunk_length]);
        switch (entry.method) {
            .stored => try check.write(chunk),
            .zstd => try decodeChunk(decoder, chunk, buffers[chunk_length..], &check, source.left == 0),
        }
    }
    if (check.left != 0 or check.sum != entry.crc32) return error.CorruptEntry;
}

/// Decodes `chunk`, a piece of a frame; the `last` one must bring the frame to its end, no other may.
fn decodeChunk(decoder: zstd.Decoder, chunk: []const u8, to: []u8, check: anytype, last: bool) !void {
    var rest = chunk;
    while (true) {
        const step = try decoder.step(to, rest);
        try check.write(to[0..step.produced]);
        rest = rest[step.consumed..];
        if (step.finished) return if (last and rest.len == 0) {} else error.CorruptEntry;
        // A full buffer may mean that more is waiting to come out.
        if (rest.len == 0 and step.produced < to.len) return if (last) error.CorruptEntry else {};
        if (step.consumed == 0 and step.produced == 0) return error.CorruptEntry;
    }
}

/// The packed bytes of an entry, read in order.
const Source = struct {
    file: std.fs.File,
    offset: u64,
    left: u64,

    fn read(source: *Source, buffer: []u8) ![]const u8 {
        const chunk = buffer[0..@intCast(@min(source.left, buffer.len))];
        if (try source.file.preadAll(chunk, source.offset) != chunk.len) return error.CorruptZip;
        source.offset += chunk.len;
        source.left -= chunk.len;
        return chunk;
    }
};

/// The unpacked bytes of an entry, checked as they pass.
fn Check(comptime Sink: type) type {
    return struct {
        sink: Sink,
        left: u64,
        sum: u32 = 0,

        fn write(check: *@This(), bytes: []const u8) !void {
            if (bytes.len > check.left) return error.CorruptEntry;
            try check.sink.write(bytes);
            check.sum = crc32(check.sum, bytes);
            check.left -= bytes.len;
        }
    };
}

/// One frame, single segment, content size 6: a raw block "abc" and a last run-length block of three "d".
const small_frame = "\x28\xb5\x2f\xfd\x20\x06" ++ "\x18\x00\x00abc" ++ "\x1b\x00\x00d";
const local_header = "PK\x03\x04" ++ "\x00" ** 22 ++ "\x01\x00\x00\x00" ++ "a";

const Collected = struct {
    bytes: [64]u8 = undefined,
    length: usize = 0,

    pub fn write(collected: *Collected, bytes: []const u8) !void {
        @memcpy(collected.bytes[collected.length..][0..bytes.len], bytes);
        collected.length += bytes.len;
    }
};

fn entryForTests(method: zip.Method, compressed: u64, length: u64) zip.Entry {
    return .{
        .name = "a",
        .method = method,
        .crc32 = std.hash.Crc32.hash("abcddd"),
        .compressed_length = compressed,
        .length = length,
        .header_offset = 0,
    };
}

test "an entry is the same whole and piece by piece, and nothing but itself" {
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    const decoder: zstd.Decoder = try .init();
    defer decoder.deinit();
    const file = try tmp.dir.createFile("zip", .{ .read = true });
    defer file.close();
    try file.writeAll(local_header ++ small_frame);
    const end = local_header.len + small_frame.len;

    const whole = entryForTests(.zstd, small_frame.len, 6);
    var collected: Collected = .{};
    try stream(file, end, whole, decoder, &collected);
    try testing.expectEqualStrings("abcddd", collected.bytes[0..collected.length]);
    var to: [6]u8 = undefined;
    var packed_bytes: []u8 = &.{};
    defer testing.allocator.free(packed_bytes);
    try read(testing.allocator, file, end, whole, decoder, &packed_bytes, &to);
    try testing.expectEqualStrings("abcddd", &to);

    const bad = [_]zip.Entry{
        entryForTests(.zstd, small_frame.len - 1, 6),
        entryForTests(.zstd, small_frame.len, 7),
        entryForTests(.zstd, small_frame.len, 5),
        entryForTests(.stored, 6, 6),
    };
    for (bad) |entry| {
        var ignored: Collected = .{};
        try testing.expectError(error.CorruptEntry, stream(file, end, entry, decoder, &ignored));
    }
}
