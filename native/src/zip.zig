//! Reads zips: the central directory, and the data of entries that are stored or zstd.
//!
//! The format is APPNOTE.TXT 6.3.10 (PKWARE), with zip64. Offsets count from the start of the file that contains the
//! zip. All input is untrusted: any inconsistency is `error.CorruptZip`.

const std = @import("std");
const testing = std.testing;
const Allocator = std.mem.Allocator;

pub const Error = error{CorruptZip} || Allocator.Error || std.fs.File.PReadError;

pub const end_record_length = 22;
const end_record_signature = "PK\x05\x06";
const end64_record_length = 56;
const end64_record_signature = "PK\x06\x06";
pub const locator64_length = 20;
const locator64_signature = "PK\x06\x07";
pub const directory_header_length = 46;
pub const directory_header_signature = "PK\x01\x02";
const local_header_length = 30;
const local_header_signature = "PK\x03\x04";
pub const zip64_extra_id = 0x0001;

/// A bound on memory, far above what a million entries need.
const directory_length_max = 256 << 20;

pub const Method = enum { stored, zstd };

pub const Entry = struct {
    name: []const u8,
    method: Method,
    crc32: u32,
    compressed_length: u64,
    length: u64,
    header_offset: u64,
    /// The start of the next item in the file, which the data must not exceed.
    limit: u64 = std.math.maxInt(u64),
};

/// A half-open range of the file.
pub const Range = struct { start: u64, end: u64 };

fn readInt(comptime T: type, bytes: []const u8, offset: usize) T {
    return std.mem.readInt(T, bytes[offset..][0..@sizeOf(T)], .little);
}

fn readExactly(file: std.fs.File, to: []u8, offset: u64) Error!void {
    if (try file.preadAll(to, offset) != to.len) return error.CorruptZip;
}

/// The entries of the zip in `range`, by name. Its end-of-central-directory record is the last 22 bytes of the range
/// (a comment is not part of it). Names point into memory of `arena`.
pub fn readDirectory(
    arena: Allocator,
    file: std.fs.File,
    range: Range,
) Error!std.StringHashMapUnmanaged(Entry) {
    const found = try findDirectory(file, range);
    const directory = try arena.alloc(u8, @intCast(found.length));
    try readExactly(file, directory, found.offset);
    return parseDirectory(arena, directory, found.count, .{ .start = range.start, .end = found.offset });
}

/// The place of a central directory, and the number of its entries.
pub const Directory = struct {
    count: u64,
    length: u64,
    offset: u64,
    /// The offset of the zip64 end record, if there is one.
    end64_offset: ?u64 = null,
};

/// Finds the central directory of the zip in `range`.
pub fn findDirectory(file: std.fs.File, range: Range) Error!Directory {
    if (range.end < range.start or range.end - range.start < end_record_length) return error.CorruptZip;
    const end_record_offset = range.end - end_record_length;
    var end_record: [end_record_length]u8 = undefined;
    try readExactly(file, &end_record, end_record_offset);
    if (!std.mem.startsWith(u8, &end_record, end_record_signature)) return error.CorruptZip;

    var found: Directory = .{
        .count = readInt(u16, &end_record, 10),
        .length = readInt(u32, &end_record, 12),
        .offset = readInt(u32, &end_record, 16),
    };
    if (found.count == 0xffff or found.length == 0xffff_ffff or found.offset == 0xffff_ffff) {
        found = try readEnd64(file, range, end_record_offset);
    }
    if (found.length > directory_length_max or found.offset < range.start or found.offset > end_record_offset or
        found.length > end_record_offset - found.offset or found.count > found.length / directory_header_length)
    {
        return error.CorruptZip;
    }
    return found;
}

fn readEnd64(file: std.fs.File, range: Range, end_record_offset: u64) Error!Directory {
    if (end_record_offset - range.start < locator64_length + end64_record_length) return error.CorruptZip;
    var locator: [locator64_length]u8 = undefined;
    try readExactly(file, &locator, end_record_offset - locator64_length);
    if (!std.mem.startsWith(u8, &locator, locator64_signature)) return error.CorruptZip;
    const record_offset = readInt(u64, &locator, 8);
    if (record_offset < range.start or record_offset > end_record_offset - locator64_length - end64_record_length) {
        return error.CorruptZip;
    }
    var record: [end64_record_length]u8 = undefined;
    try readExactly(file, &record, record_offset);
    if (!std.mem.startsWith(u8, &record, end64_record_signature)) return error.CorruptZip;
    return .{
        .count = readInt(u64, &record, 32),
        .length = readInt(u64, &record, 40),
        .offset = readInt(u64, &record, 48),
        .end64_offset = record_offset,
    };
}

/// `data` is the range of the local headers and the data of all entries.
fn parseDirectory(
    arena: Allocator,
    directory: []const u8,
    count: u64,
    data: Range,
) Error!std.StringHashMapUnmanaged(Entry) {
    var entries: std.StringHashMapUnmanaged(Entry) = .empty;
    try entries.ensureTotalCapacity(arena, std.math.cast(u32, count) orelse return error.CorruptZip);
    var rest = directory;
    for (0..@intCast(count)) |_| {
        if (rest.len < directory_header_length) return error.CorruptZip;
        if (!std.mem.startsWith(u8, rest, directory_header_signature)) return error.CorruptZip;
        const name_length: usize = readInt(u16, rest, 28);
        const extra_length: usize = readInt(u16, rest, 30);
        const comment_length: usize = readInt(u16, rest, 32);
        const header_length = directory_header_length + name_length + extra_length + comment_length;
        if (rest.len < header_length) return error.CorruptZip;

        var entry: Entry = .{
            .name = rest[directory_header_length..][0..name_length],
            .method = switch (readInt(u16, rest, 10)) {
                0 => .stored,
                93 => .zstd,
                // Entries for a stock Python (`__main__.py`, PEX-INFO) may be deflated; the launcher never reads them.
                else => {
                    rest = rest[header_length..];
                    continue;
                },
            },
            .crc32 = readInt(u32, rest, 16),
            .compressed_length = readInt(u32, rest, 20),
            .length = readInt(u32, rest, 24),
            .header_offset = readInt(u32, rest, 42),
            .limit = data.end,
        };
        try applyZip64(&entry, rest[directory_header_length + name_length ..][0..extra_length]);
        if (entry.header_offset < data.start or entry.header_offset >= data.end or
            entry.compressed_length > data.end - entry.header_offset or
            (entry.method == .stored and entry.length != entry.compressed_length))
        {
            return error.CorruptZip;
        }
        const slot = entries.getOrPutAssumeCapacity(entry.name);
        if (slot.found_existing) return error.CorruptZip;
        slot.value_ptr.* = entry;
        rest = rest[header_length..];
    }
    if (rest.len != 0) return error.CorruptZip;
    try setLimits(arena, entries, data.end);
    return entries;
}

/// Sets the limits, and checks that no entries overlap. `end` is the start of the directory.
fn setLimits(arena: Allocator, entries: std.StringHashMapUnmanaged(Entry), end: u64) Error!void {
    const ordered = try arena.alloc(*Entry, entries.count());
    defer arena.free(ordered);
    var each = entries.valueIterator();
    for (ordered) |*slot| slot.* = each.next().?;
    std.mem.sortUnstable(*Entry, ordered, {}, struct {
        fn later(_: void, one: *Entry, other: *Entry) bool {
            return one.header_offset > other.header_offset;
        }
    }.later);
    var limit = end;
    for (ordered) |entry| {
        const least = local_header_length + entry.name.len;
        if (entry.header_offset > limit or limit - entry.header_offset < least or
            entry.compressed_length > limit - entry.header_offset - least) return error.CorruptZip;
        entry.limit = limit;
        limit = entry.header_offset;
    }
}

/// The zip64 extra field contains, in this order, those of the three fields that are all ones (APPNOTE 4.5.3).
fn applyZip64(entry: *Entry, extra: []const u8) Error!void {
    const fields = [_]*u64{ &entry.length, &entry.compressed_length, &entry.header_offset };
    var rest = extra;
    while (rest.len >= 4) {
        const id = readInt(u16, rest, 0);
        const length: usize = readInt(u16, rest, 2);
        if (rest.len - 4 < length) return error.CorruptZip;
        var body = rest[4..][0..length];
        if (id == zip64_extra_id) {
            for (fields) |field| {
                if (field.* != 0xffff_ffff) continue;
                if (body.len < 8) return error.CorruptZip;
                field.* = readInt(u64, body, 0);
                body = body[8..];
            }
            return;
        }
        rest = rest[4 + length ..];
    }
}

/// The offset of the data of `entry`, after its local header, whose name and extra field have lengths of their own.
pub fn dataOffset(file: std.fs.File, entry: Entry, data_end: u64) Error!u64 {
    var header: [local_header_length]u8 = undefined;
    try readExactly(file, &header, entry.header_offset);
    if (!std.mem.startsWith(u8, &header, local_header_signature)) return error.CorruptZip;
    const offset = entry.header_offset + local_header_length +
        readInt(u16, &header, 26) + readInt(u16, &header, 28);
    const limit = @min(data_end, entry.limit);
    if (readInt(u16, &header, 26) != entry.name.len or offset > limit or entry.compressed_length > limit - offset) {
        return error.CorruptZip;
    }
    return offset;
}

const sample = struct {
    /// Two entries, "a" stored and "b" marked as zstd, starting at byte 4 of the file.
    const bytes = "junk" ++
        "PK\x03\x04" ++ "\x00" ** 22 ++ "\x01\x00\x00\x00" ++ "a" ++ "AAA" ++
        "PK\x03\x04" ++ "\x00" ** 22 ++ "\x01\x00\x00\x00" ++ "b" ++ "zstd" ++
        header("\x00\x00", "\x03\x00\x00\x00", "\x03\x00\x00\x00", "a", "\x04\x00\x00\x00") ++
        header("\x5d\x00", "\x04\x00\x00\x00", "\x09\x00\x00\x00", "b", "\x26\x00\x00\x00") ++
        "PK\x05\x06" ++ "\x00" ** 4 ++ "\x02\x00\x02\x00" ++ "\x5e\x00\x00\x00" ++ "\x49\x00\x00\x00" ++ "\x00\x00";

    fn header(
        comptime method: []const u8,
        comptime compressed: []const u8,
        comptime length: []const u8,
        comptime name: []const u8,
        comptime offset: []const u8,
    ) []const u8 {
        return "PK\x01\x02" ++ "\x00" ** 6 ++ method ++ "\x00" ** 4 ++ "\x01\x02\x03\x04" ++ compressed ++ length ++
            "\x01\x00" ++ "\x00" ** 12 ++ offset ++ name;
    }

    fn open(dir: std.fs.Dir, content: []const u8) !std.fs.File {
        const file = try dir.createFile("zip", .{ .read = true, .truncate = true });
        try file.writeAll(content);
        return file;
    }
};

test "a directory gives its entries, and each entry its data" {
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    const file = try sample.open(tmp.dir, sample.bytes);
    defer file.close();
    const entries = try readDirectory(arena.allocator(), file, .{ .start = 4, .end = sample.bytes.len });
    try testing.expectEqual(2, entries.count());
    const a = entries.get("a").?;
    try testing.expectEqual(Method.stored, a.method);
    try testing.expectEqual(0x04030201, a.crc32);
    const b = entries.get("b").?;
    try testing.expectEqual(Method.zstd, b.method);
    try testing.expectEqual(9, b.length);
    var data: [4]u8 = undefined;
    _ = try file.preadAll(&data, try dataOffset(file, b, sample.bytes.len));
    try testing.expectEqualStrings("zstd", &data);
}

test "entries that overlap or share a name are refused" {
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    const first = std.mem.indexOf(u8, sample.bytes, directory_header_signature).?;
    const second = first + directory_header_length + 1;
    // The offset of "b" becomes that of "a"; its length reaches into the directory; "a" reaches into "b"; "b" is called "a".
    const changes = [_]struct { usize, u8 }{
        .{ second + 42, 4 }, .{ second + 20, 5 }, .{ first + 20, 4 }, .{ second + directory_header_length, 'a' },
    };
    for (changes) |change| {
        var arena: std.heap.ArenaAllocator = .init(testing.allocator);
        defer arena.deinit();
        var bytes = sample.bytes.*;
        bytes[change[0]] = change[1];
        // A stored entry's two lengths are one.
        if (change[0] == first + 20) bytes[first + 24] = change[1];
        const file = try sample.open(tmp.dir, &bytes);
        defer file.close();
        try testing.expectError(
            error.CorruptZip,
            readDirectory(arena.allocator(), file, .{ .start = 4, .end = bytes.len }),
        );
    }
}

test "a local header that moves the data into what follows is refused" {
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    var bytes = sample.bytes.*;
    bytes[4 + 28] = 1; // an extra field of one byte
    const file = try sample.open(tmp.dir, &bytes);
    defer file.close();
    const entries = try readDirectory(arena.allocator(), file, .{ .start = 4, .end = bytes.len });
    try testing.expectError(error.CorruptZip, dataOffset(file, entries.get("a").?, bytes.len));
    _ = try dataOffset(file, entries.get("b").?, bytes.len);
}

test "every prefix and every flipped bit of a zip is at most an error" {
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    for (0..sample.bytes.len) |length| {
        var arena: std.heap.ArenaAllocator = .init(testing.allocator);
        defer arena.deinit();
        const file = try sample.open(tmp.dir, sample.bytes[0..length]);
        defer file.close();
        try testing.expectError(
            error.CorruptZip,
            readDirectory(arena.allocator(), file, .{ .start = 0, .end = length }),
        );
    }
    for (0..sample.bytes.len * 8) |bit| {
        var arena: std.heap.ArenaAllocator = .init(testing.allocator);
        defer arena.deinit();
        var bytes = sample.bytes.*;
        bytes[bit / 8] ^= @as(u8, 1) << @intCast(bit % 8);
        const file = try sample.open(tmp.dir, &bytes);
        defer file.close();
        const entries = readDirectory(arena.allocator(), file, .{ .start = 4, .end = bytes.len }) catch |err| {
            try testing.expectEqual(error.CorruptZip, err);
            continue;
        };
        var each = entries.valueIterator();
        while (each.next()) |entry| _ = dataOffset(file, entry.*, bytes.len) catch {};
    }
}
