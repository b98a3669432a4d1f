//! Moves a zip to the start of a file of its own: its offsets count from the start of the scie, and must count from
//! its own start (APPNOTE 4.4.16, 4.4.24, 4.5.3).

const std = @import("std");
const testing = std.testing;
const zip = @import("../zip.zig");

const absent = 0xffff_ffff;

/// The most bytes after a central directory: both end records and the locator, and space for additions of other tools.
const tail_length_max = 4096;

/// The bytes of the moved zip from the central directory on. The bytes before `data_end` stay unchanged.
pub const Relocated = struct { data_end: u64, bytes: []const u8 };

/// Computes the end of the zip in `range` for a file of its own.
pub fn relocate(arena: std.mem.Allocator, file: std.fs.File, range: zip.Range) zip.Error!Relocated {
    const found = try zip.findDirectory(file, range);
    const directory_length: usize = @intCast(found.length);
    const tail_length = range.end - found.offset - found.length;
    if (tail_length > tail_length_max) return error.CorruptZip;
    const bytes = try arena.alloc(u8, directory_length + @as(usize, @intCast(tail_length)));
    if (try file.preadAll(bytes, found.offset) != bytes.len) return error.CorruptZip;

    try moveEntries(bytes[0..directory_length], found.count, range.start);
    if (found.end64_offset) |end64_offset| {
        if (end64_offset < found.offset + found.length) return error.CorruptZip;
        const end64 = bytes[@intCast(end64_offset - found.offset)..];
        try move(u64, end64[48..56], range.start);
        const locator = bytes[bytes.len - zip.end_record_length - zip.locator64_length ..];
        try move(u64, locator[8..16], range.start);
    }
    const end_record = bytes[bytes.len - zip.end_record_length ..];
    if (read(u32, end_record[16..20]) != absent) try move(u32, end_record[16..20], range.start);
    std.mem.writeInt(u16, end_record[20..22], 0, .little); // its comment was the manifest
    return .{ .data_end = found.offset, .bytes = bytes };
}

fn moveEntries(directory: []u8, count: u64, start: u64) error{CorruptZip}!void {
    var rest = directory;
    for (0..@intCast(count)) |_| {
        if (rest.len < zip.directory_header_length) return error.CorruptZip;
        if (!std.mem.startsWith(u8, rest, zip.directory_header_signature)) return error.CorruptZip;
        const name_length: usize = read(u16, rest[28..30]);
        const extra_length: usize = read(u16, rest[30..32]);
        const comment_length: usize = read(u16, rest[32..34]);
        const header_length = zip.directory_header_length + name_length + extra_length + comment_length;
        if (rest.len < header_length) return error.CorruptZip;
        const extra = rest[zip.directory_header_length + name_length ..][0..extra_length];
        if (read(u32, rest[42..46]) != absent) {
            try move(u32, rest[42..46], start);
        } else {
            // The offset follows those of the two sizes that are in the extra field too.
            var before: usize = 0;
            for ([_]usize{ 20, 24 }) |field| if (read(u32, rest[field..][0..4]) == absent) {
                before += 8;
            };
            try moveExtra(extra, before, start);
        }
        rest = rest[header_length..];
    }
}

fn moveExtra(extra: []u8, before: usize, start: u64) error{CorruptZip}!void {
    var rest = extra;
    while (rest.len >= 4) {
        const length: usize = read(u16, rest[2..4]);
        if (rest.len - 4 < length) return error.CorruptZip;
        if (read(u16, rest[0..2]) == zip.zip64_extra_id) {
            if (length < before + 8) return error.CorruptZip;
            return move(u64, rest[4 + before ..][0..8], start);
        }
        rest = rest[4 + length ..];
    }
    return error.CorruptZip;
}

fn read(comptime T: type, bytes: *const [@sizeOf(T)]u8) T {
    return std.mem.readInt(T, bytes, .little);
}

fn move(comptime T: type, bytes: *[@sizeOf(T)]u8, start: u64) error{CorruptZip}!void {
    const offset = read(T, bytes);
    if (offset < start) return error.CorruptZip;
    std.mem.writeInt(T, bytes, @intCast(offset - start), .little);
}

const sample = struct {
    const data = "junk" ++ "PK\x03\x04" ++ "\x00" ** 22 ++ "\x01\x00\x00\x00" ++ "a" ++ "AAA";
    const header = "PK\x01\x02" ++ "\x00" ** 16 ++ "\x03\x00\x00\x00" ++ "\x03\x00\x00\x00" ++ "\x01\x00";
    /// A small zip, and one that moves everything possible to zip64 fields.
    const small = data ++ header ++ "\x00" ** 12 ++ "\x04\x00\x00\x00" ++ "a" ++
        "PK\x05\x06" ++ "\x00" ** 4 ++ "\x01\x00\x01\x00" ++ "\x2f\x00\x00\x00" ++ "\x26\x00\x00\x00" ++ "\x07\x00";
    const large = data ++ header ++ "\x0c\x00" ++ "\x00" ** 10 ++ "\xff" ** 4 ++ "a" ++
        "\x01\x00\x08\x00" ++ "\x04" ++ "\x00" ** 7 ++
        "PK\x06\x06" ++ "\x00" ** 28 ++ "\x01" ++ "\x00" ** 7 ++ "\x3b" ++ "\x00" ** 7 ++ "\x26" ++ "\x00" ** 7 ++
        "PK\x06\x07" ++ "\x00" ** 4 ++ "\x61" ++ "\x00" ** 7 ++ "\x00" ** 4 ++
        "PK\x05\x06" ++ "\x00" ** 4 ++ "\xff" ** 12 ++ "\x00\x00";

    fn open(directory: std.fs.Dir, content: []const u8) !std.fs.File {
        const file = try directory.createFile("zip", .{ .read = true, .truncate = true });
        try file.writeAll(content);
        return file;
    }
};

test "a moved zip has the same entries" {
    var arena: std.heap.ArenaAllocator = .init(testing.allocator);
    defer arena.deinit();
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    inline for (.{ sample.small, sample.large }) |bytes| {
        const file = try sample.open(tmp.dir, bytes);
        const moved = try relocate(arena.allocator(), file, .{ .start = 4, .end = bytes.len });
        file.close();
        const whole = try std.mem.concat(arena.allocator(), u8, &.{ bytes[4..@intCast(moved.data_end)], moved.bytes });
        const alone = try sample.open(tmp.dir, whole);
        defer alone.close();
        const entries = try zip.readDirectory(arena.allocator(), alone, .{ .start = 0, .end = whole.len });
        const entry = entries.get("a").?;
        try testing.expectEqual(0, entry.header_offset);
        var content: [3]u8 = undefined;
        _ = try alone.preadAll(&content, try zip.dataOffset(alone, entry, whole.len));
        try testing.expectEqualStrings("AAA", &content);
        try testing.expectEqual(0, whole[whole.len - 2]);
    }
}

test "every flipped bit is at most an error" {
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    inline for (.{ sample.small, sample.large }) |bytes| for (0..bytes.len * 8) |bit| {
        var arena: std.heap.ArenaAllocator = .init(testing.allocator);
        defer arena.deinit();
        var flipped = bytes.*;
        flipped[bit / 8] ^= @as(u8, 1) << @intCast(bit % 8);
        const file = try sample.open(tmp.dir, &flipped);
        defer file.close();
        _ = relocate(arena.allocator(), file, .{ .start = 4, .end = bytes.len }) catch |err|
            try testing.expectEqual(error.CorruptZip, err);
    };
}
