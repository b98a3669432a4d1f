//! Reads the content of a zip entry, whole or piece by piece, and checks its length and CRC-32.

const std = @import("std");
const testing = std.testing;
const Buffer = @import("buffer.zig").Buffer;
const control_group = @import("control_group.zig");
const crc32 = @import("crc32.zig").crc32;
const zip = @import("zip.zig");
const zstd = @import("zstd.zig");

/// The bytes of the executable that are read at a time: more than a zstd block, and few enough to stay in the
/// processor's cache.
const input_length = 2 * zstd.block_length_max;

/// The reader of one thread, with buffers that it reuses.
pub const Reader = struct {
    file: std.fs.File,
    decoder: zstd.Decoder,
    input: Buffer = .{},
    window: Buffer = .{},
    /// The memory limit of this process, in bytes, if it has one.
    memory_limit: ?u64 = null,

    pub fn init(file: std.fs.File) !Reader {
        return .{ .file = file, .decoder = try .init() };
    }

    pub fn deinit(reader: *Reader) void {
        reader.decoder.deinit();
        reader.input.deinit();
        reader.window.deinit();
    }

    /// Returns the whole content of `entry`, which is valid until the next call. The caller knows that memory can hold
    /// it. `data_end` is the end of the data of all entries.
    pub fn read(reader: *Reader, entry: zip.Entry, data_end: u64) ![]const u8 {
        const whole = try reader.windowOfLength(entry.length);
        var source = try reader.open(entry, data_end);
        var check: Check = .{ .left = entry.length };
        var filled: usize = 0;
        while (try reader.next(&source, entry.method, whole[filled..])) |piece| {
            try check.update(piece);
            if (entry.method == .stored) @memcpy(whole[filled..][0..piece.len], piece);
            filled += piece.len;
        }
        try check.finish(source, entry);
        return whole;
    }

    /// Writes the content of `entry` to `sink` piece by piece, in constant memory. On an error, what was written is
    /// invalid.
    pub fn stream(reader: *Reader, entry: zip.Entry, data_end: u64, sink: anytype) !void {
        var source = try reader.open(entry, data_end);
        const window = try reader.windowOfLength(source.frame.window_length);
        var check: Check = .{ .left = entry.length };
        var filled: usize = 0;
        while (try reader.next(&source, entry.method, window[filled..])) |piece| {
            try check.update(piece);
            try sink.write(piece);
            if (entry.method == .stored) continue;
            filled += piece.len;
            // A window that is smaller than the content wraps around.
            if (window.len < entry.length and window.len - filled < source.frame.block_length) filled = 0;
        }
        try check.finish(source, entry);
    }

    fn windowOfLength(reader: *Reader, length: u64) error{ OutOfMemory, MemoryLimit }![]u8 {
        if (!control_group.fits(reader.memory_limit, length)) return error.MemoryLimit;
        return reader.window.ensureLength(std.math.cast(usize, length) orelse return error.OutOfMemory);
    }

    fn open(reader: *Reader, entry: zip.Entry, data_end: u64) !Source {
        var source: Source = .{
            .file = reader.file,
            .buffer = try reader.input.ensureLength(input_length),
            .offset = try zip.dataOffset(reader.file, entry, data_end),
            .left = entry.compressed_length,
        };
        if (entry.method == .stored) return source;
        source.frame = try .parse(try source.peek(zstd.header_length_max));
        if (source.frame.content_length != entry.length) return error.CorruptEntry;
        reader.decoder.begin();
        return source;
    }

    /// Returns the next piece of the content; null at its end. A piece of a frame is at the start of `to`.
    fn next(reader: *Reader, source: *Source, method: zip.Method, to: []u8) !?[]const u8 {
        if (method == .stored) return source.available();
        while (true) {
            const wanted = reader.decoder.wanted();
            if (wanted == 0) return null;
            const length = try reader.decoder.step(to, try source.take(wanted));
            if (length > 0) return to[0..length];
        }
    }
};

/// Reads the packed bytes of an entry in order.
const Source = struct {
    file: std.fs.File,
    buffer: []u8,
    /// The bytes in `buffer` that are read and not yet taken.
    ready: []const u8 = &.{},
    /// The offset of the rest in the file, and its length.
    offset: u64,
    left: u64,
    /// The frame that the bytes make up, if they are not the content itself.
    frame: zstd.Frame = .{ .content_length = 0, .window_length = 0, .block_length = 0 },

    /// Takes the next `length` bytes, which `buffer` must be able to hold.
    fn take(source: *Source, length: usize) ![]const u8 {
        if (source.ready.len < length) try source.fill();
        if (source.ready.len < length) return error.CorruptEntry;
        defer source.ready = source.ready[length..];
        return source.ready[0..length];
    }

    /// Returns up to `length` of the next bytes without taking them.
    fn peek(source: *Source, length: usize) ![]const u8 {
        if (source.ready.len < length) try source.fill();
        return source.ready[0..@min(length, source.ready.len)];
    }

    /// Takes the bytes that are available at once; null at the end.
    fn available(source: *Source) !?[]const u8 {
        if (source.ready.len == 0) try source.fill();
        defer source.ready = &.{};
        return if (source.ready.len == 0) null else source.ready;
    }

    fn fill(source: *Source) !void {
        std.mem.copyForwards(u8, source.buffer, source.ready);
        const rest = source.buffer[source.ready.len..];
        const chunk = rest[0..@intCast(@min(source.left, rest.len))];
        if (try source.file.preadAll(chunk, source.offset) != chunk.len) return error.CorruptZip;
        source.ready = source.buffer[0 .. source.ready.len + chunk.len];
        source.offset += chunk.len;
        source.left -= chunk.len;
    }
};

/// Checks the unpacked bytes of an entry.
const Check = struct {
    left: u64,
    sum: u32 = 0,

    fn update(check: *Check, bytes: []const u8) !void {
        if (bytes.len > check.left) return error.CorruptEntry;
        check.sum = crc32(check.sum, bytes);
        check.left -= bytes.len;
    }

    fn finish(check: Check, source: Source, entry: zip.Entry) !void {
        const untouched = source.left + source.ready.len;
        if (check.left != 0 or untouched != 0 or check.sum != entry.crc32) return error.CorruptEntry;
    }
};

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

test "an entry has the same content whole and piece by piece, and damage is an error" {
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    const file = try tmp.dir.createFile("zip", .{ .read = true });
    defer file.close();
    try file.writeAll(local_header ++ small_frame);
    const end = local_header.len + small_frame.len;
    var reader: Reader = try .init(file);
    defer reader.deinit();

    const whole = entryForTests(.zstd, small_frame.len, 6);
    for (0..2) |_| {
        var collected: Collected = .{};
        try reader.stream(whole, end, &collected);
        try testing.expectEqualStrings("abcddd", collected.bytes[0..collected.length]);
        try testing.expectEqualStrings("abcddd", try reader.read(whole, end));
    }
    const bad = [_]zip.Entry{
        entryForTests(.zstd, small_frame.len - 1, 6),
        entryForTests(.zstd, small_frame.len, 7),
        entryForTests(.zstd, small_frame.len, 5),
        entryForTests(.stored, 6, 6),
    };
    for (bad) |entry| {
        var ignored: Collected = .{};
        try testing.expectError(error.CorruptEntry, reader.stream(entry, end, &ignored));
        try testing.expectError(error.CorruptEntry, reader.read(entry, end));
    }
}

/// A frame with a window of 1 KiB and a run-length block for each KiB of its content.
fn longFrame(allocator: std.mem.Allocator, blocks: usize) ![]const u8 {
    var frame: std.ArrayList(u8) = .empty;
    // Content size of four bytes, a window of 2^10 bytes.
    try frame.appendSlice(allocator, "\x28\xb5\x2f\xfd\x80\x00");
    var length: [4]u8 = undefined;
    std.mem.writeInt(u32, &length, @intCast(blocks << 10), .little);
    try frame.appendSlice(allocator, &length);
    for (0..blocks) |i| {
        const last: u24 = if (i + 1 == blocks) 1 else 0;
        var header: [3]u8 = undefined;
        std.mem.writeInt(u24, &header, 1 << 10 << 3 | 1 << 1 | last, .little);
        try frame.appendSlice(allocator, &header);
        try frame.append(allocator, @truncate(i));
    }
    return frame.items;
}

test "content much longer than its window streams in little memory" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    const blocks = 70_000; // packed, more than is read at a time
    const frame = try longFrame(arena.allocator(), blocks);
    const content = try arena.allocator().alloc(u8, blocks << 10);
    for (0..blocks) |i| @memset(content[i << 10 ..][0 .. 1 << 10], @truncate(i));
    const file = try tmp.dir.createFile("zip", .{ .read = true });
    defer file.close();
    try file.writeAll(local_header);
    try file.writeAll(frame);
    var entry = entryForTests(.zstd, frame.len, content.len);
    entry.crc32 = crc32(0, content);
    var reader: Reader = try .init(file);
    defer reader.deinit();

    var sink: Comparing = .{ .content = content };
    try reader.stream(entry, local_header.len + frame.len, &sink);
    try testing.expectEqual(content.len, sink.length);
    try testing.expect(reader.window.length() < 1 << 20);
    try testing.expectEqualStrings(content, try reader.read(entry, local_header.len + frame.len));
}

const Comparing = struct {
    content: []const u8,
    length: usize = 0,

    pub fn write(comparing: *Comparing, bytes: []const u8) !void {
        try testing.expectEqualStrings(comparing.content[comparing.length..][0..bytes.len], bytes);
        comparing.length += bytes.len;
    }
};
