//! Mach-O executables whose signature covers a payload: it lies at the end of the string table, which LC_SYMTAB and
//! the segment __LINKEDIT describe.
//!
//! src/czscie/mach_o.py does the same at build time, and docs/reference/macos.md explains the layout. A *bare* image
//! has no signature and ends with its string table. Sources: <mach-o/loader.h>, xnu's cs_blobs.h.

const std = @import("std");
const testing = std.testing;
const file_status = @import("file_status.zig");
const Sha256 = @import("sha256.zig").Sha256;

/// The signed bytes end on a multiple of it.
pub const alignment = 16;

/// The most bytes of header and load commands: more than any linker writes.
pub const head_length_max = 32 << 10;
pub const HeadBuffer = [head_length_max]u8;

pub const Error = error{CorruptZip};

const header_length = 32;
const segment_length = 72;
const section_length = 80;
const symtab_length = 24;
const signature_command_length = 16;
const segment_command = 0x19;
const symtab_command = 0x2;
const signature_command = 0x1d;
const arm64 = 0x0100_000c;

const page_length = 4096;
const digest_length: u32 = 32;
const directory_length = 88;
const blob_head_length = 20;

/// The places of the header fields that signing changes, and of those that they depend on.
const Layout = struct {
    page: u64,
    count: u32,
    commands_end: usize,
    /// Where the contents of the first section begin.
    contents_start: u64 = std.math.maxInt(u64),
    text: ?Segment = null,
    linkedit: ?Segment = null,
    /// The offsets of the commands.
    symtab: ?usize = null,
    signature: ?usize = null,

    const Segment = struct { at: usize, start: u64, length: u64 };

    /// The layout of the image that begins with `head`.
    fn parse(head: []const u8) Error!Layout {
        const length = try headLength(head);
        if (length > head.len) return error.CorruptZip;
        var layout: Layout = .{
            .page = if (number(u32, head, 4) == arm64) 0x4000 else 0x1000,
            .count = number(u32, head, 16),
            .commands_end = length,
        };
        var at: usize = header_length;
        for (0..layout.count) |_| {
            if (length - at < 8) return error.CorruptZip;
            const command_length = number(u32, head, at + 4);
            if (command_length < 8 or command_length > length - at) return error.CorruptZip;
            try layout.command(head[0..length], at, command_length);
            at += command_length;
        }
        if (at != length) return error.CorruptZip;
        return layout.validated(head);
    }

    fn command(layout: *Layout, head: []const u8, at: usize, length: usize) Error!void {
        switch (number(u32, head, at)) {
            segment_command => if (length >= segment_length) try layout.segment(head, at, length),
            symtab_command => if (length == symtab_length) try setOnce(&layout.symtab, at),
            signature_command => if (length == signature_command_length) try setOnce(&layout.signature, at),
            else => {},
        }
    }

    fn setOnce(slot: *?usize, at: usize) Error!void {
        if (slot.* != null) return error.CorruptZip;
        slot.* = at;
    }

    fn segment(layout: *Layout, head: []const u8, at: usize, length: usize) Error!void {
        const found: Segment = .{ .at = at, .start = number(u64, head, at + 40), .length = number(u64, head, at + 48) };
        const sections = number(u32, head, at + 64);
        if (sections > (length - segment_length) / section_length) return error.CorruptZip;
        for (0..sections) |i| {
            const offset = number(u32, head, at + segment_length + i * section_length + 48);
            if (offset != 0) layout.contents_start = @min(layout.contents_start, offset);
        }
        const name = std.mem.sliceTo(head[at + 8 ..][0..16], 0);
        const slot = if (std.mem.eql(u8, name, "__TEXT")) &layout.text else if (std.mem.eql(u8, name, "__LINKEDIT")) &layout.linkedit else return;
        if (slot.* != null) return error.CorruptZip;
        slot.* = found;
    }

    /// Checks that the layout has all that a program needs, and that the string table lies in its segment.
    fn validated(layout: Layout, head: []const u8) Error!Layout {
        const linkedit = layout.linkedit orelse return error.CorruptZip;
        const symtab = layout.symtab orelse return error.CorruptZip;
        if (layout.text == null) return error.CorruptZip;
        const start: u64 = number(u32, head, symtab + 16);
        const end = start + number(u32, head, symtab + 20);
        const segment_end = std.math.add(u64, linkedit.start, linkedit.length) catch return error.CorruptZip;
        if (start < linkedit.start or end > segment_end) return error.CorruptZip;
        return layout;
    }

    /// Extends the string table and the segment in `head` to the given ends.
    fn extendTo(layout: Layout, head: []u8, strings_end: u64, linkedit_end: u64) Error!void {
        const linkedit = layout.linkedit.?;
        const symtab = layout.symtab.?;
        const strings_start = number(u32, head, symtab + 16);
        if (strings_end < strings_start or strings_end > std.math.maxInt(u32)) return error.CorruptZip;
        const length = linkedit_end - linkedit.start;
        std.mem.writeInt(u32, head[symtab + 20 ..][0..4], @intCast(strings_end - strings_start), .little);
        std.mem.writeInt(u64, head[linkedit.at + 32 ..][0..8], std.mem.alignForward(u64, length, layout.page), .little);
        std.mem.writeInt(u64, head[linkedit.at + 48 ..][0..8], length, .little);
    }

    fn writeCounts(head: []u8, count: u32, commands_end: usize) void {
        std.mem.writeInt(u32, head[16..20], count, .little);
        std.mem.writeInt(u32, head[20..24], @intCast(commands_end - header_length), .little);
    }
};

/// The offset of the signature of the image in `file`, which has `size` bytes; null without one.
pub fn signatureOffset(file: std.fs.File, size: u64) ?u64 {
    var buffer: HeadBuffer = undefined;
    const head = readHead(file, &buffer) catch return null;
    const layout = Layout.parse(head) catch return null;
    const signature = layout.signature orelse return null;
    const offset = number(u32, head, signature + 8);
    const length = number(u32, head, signature + 12);
    return if (offset >= layout.commands_end and length <= size and offset <= size - length) offset else null;
}

/// Reads the header and load commands of `file` as they were in the bare image of `size` bytes, without the changes of
/// growing and signing.
pub fn readBareHead(file: std.fs.File, size: u64, buffer: *HeadBuffer) ![]const u8 {
    const head = try readHead(file, buffer);
    const layout: Layout = try .parse(head);
    if (size < layout.linkedit.?.start) return error.CorruptZip;
    try layout.extendTo(head, size, size);
    if (layout.signature) |at| {
        Layout.writeCounts(head, layout.count - 1, layout.commands_end - signature_command_length);
        std.mem.copyForwards(u8, head[at..], head[at + signature_command_length ..]);
        @memset(head[head.len - signature_command_length ..], 0);
    }
    return head;
}

/// Extends the bare image at the start of `file` over everything that follows it, and appends an ad-hoc signature.
/// `file` is open for reading and writing, and its length is a multiple of 16.
pub fn sign(file: std.fs.File, identifier: []const u8) !void {
    const size = try file_status.length(file);
    const pages = std.math.divCeil(u64, size, page_length) catch unreachable;
    const directory = directory_length + identifier.len + 1 + pages * digest_length;
    const signature_length = std.mem.alignForward(u64, blob_head_length + directory, alignment);
    if (size % alignment != 0 or size + signature_length > std.math.maxInt(u32)) return error.CorruptZip;

    var buffer: HeadBuffer = undefined;
    const bare = try readHead(file, &buffer);
    const layout: Layout = try .parse(bare);
    const head_length = bare.len + signature_command_length;
    if (layout.signature != null or head_length > @min(layout.contents_start, buffer.len)) return error.CorruptZip;
    const head = buffer[0..head_length];
    if (size < layout.linkedit.?.start) return error.CorruptZip;
    try layout.extendTo(head, size, size + signature_length);
    Layout.writeCounts(head, layout.count + 1, head_length);
    for ([_]u64{ signature_command, signature_command_length, size, signature_length }, 0..) |value, i| {
        std.mem.writeInt(u32, head[bare.len + 4 * i ..][0..4], @intCast(value), .little);
    }
    try file.pwriteAll(head, 0);
    try writeSignature(file, layout, identifier, size, signature_length, @intCast(directory));
}

/// Writes a SuperBlob with one CodeDirectory of version 2.4: the SHA-256 of each page of 4 KiB, the last one as long
/// as it is.
fn writeSignature(file: std.fs.File, layout: Layout, identifier: []const u8, size: u64, length: u64, directory: u32) !void {
    const hashes: u32 = @intCast(directory_length + identifier.len + 1);
    const pages: u32 = (directory - hashes) / digest_length;
    const kind: u32 = (digest_length << 24) | (2 << 16) | std.math.log2_int(u32, page_length);
    var head: [blob_head_length + directory_length]u8 = undefined;
    const words = [_]u32{
        0xfade0cc0,       blob_head_length + directory, 1,       0,              blob_head_length, // SuperBlob
        0xfade0c02,       directory,                    0x20400, 0x2,            hashes,
        directory_length, 0,                            pages,   @intCast(size), kind,
        0,                0,                            0,       0,              0,
        0,
    };
    for (words, 0..) |word, i| std.mem.writeInt(u32, head[4 * i ..][0..4], word, .big);
    const text = layout.text.?;
    for ([_]u64{ text.start, text.length, 1 }, 0..) |value, i| {
        std.mem.writeInt(u64, head[4 * words.len + 8 * i ..][0..8], value, .big);
    }
    try file.pwriteAll(&head, size);
    try file.pwriteAll(identifier, size + head.len);
    try file.pwriteAll("\x00", size + head.len + identifier.len);
    var at = size + blob_head_length + hashes;
    var offset: u64 = 0;
    while (offset < size) : (offset += page_length) {
        var page: [page_length]u8 = undefined;
        const part = page[0..@intCast(@min(page_length, size - offset))];
        if (try file.preadAll(part, offset) != part.len) return error.CorruptZip;
        var hash: Sha256 = .{};
        hash.update(part);
        try file.pwriteAll(&hash.final(), at);
        at += digest_length;
    }
    const padding: [alignment]u8 = @splat(0);
    try file.pwriteAll(padding[0..@intCast(size + length - at)], at);
}

fn readHead(file: std.fs.File, buffer: *HeadBuffer) ![]u8 {
    const there = try file.preadAll(buffer, 0);
    const length = try headLength(buffer[0..there]);
    return if (length <= there) buffer[0..length] else error.CorruptZip;
}

/// The length of the header and the load commands.
fn headLength(head: []const u8) Error!usize {
    if (head.len < header_length or !std.mem.startsWith(u8, head, "\xcf\xfa\xed\xfe")) return error.CorruptZip;
    const length = number(u32, head, 20);
    return if (length <= head_length_max - header_length) header_length + length else error.CorruptZip;
}

fn number(comptime T: type, bytes: []const u8, at: usize) T {
    return std.mem.readInt(T, bytes[at..][0..@sizeOf(T)], .little);
}

/// A bare image with the minimum that the parser needs: two segments, a symbol table, and space for a signature.
fn imageForTests(length: comptime_int) [length]u8 {
    var image: [length]u8 = @splat(0);
    const commands = segment_length + section_length + segment_length + symtab_length;
    for ([_]u32{ 0xfeedfacf, arm64, 0, 2, 3, commands }, 0..) |word, i| put(u32, &image, 4 * i, word);
    const text = header_length;
    for ([_]u32{ segment_command, segment_length + section_length }, 0..) |word, i| put(u32, &image, text + 4 * i, word);
    @memcpy(image[text + 8 ..][0..6], "__TEXT");
    put(u64, &image, text + 48, 0x400);
    put(u32, &image, text + 64, 1);
    put(u32, &image, text + segment_length + 48, 0x300);
    const linkedit = text + segment_length + section_length;
    for ([_]u32{ segment_command, segment_length }, 0..) |word, i| put(u32, &image, linkedit + 4 * i, word);
    @memcpy(image[linkedit + 8 ..][0..10], "__LINKEDIT");
    put(u64, &image, linkedit + 32, 0x4000);
    put(u64, &image, linkedit + 40, 0x400);
    put(u64, &image, linkedit + 48, length - 0x400);
    const symtab = linkedit + segment_length;
    for ([_]u32{ symtab_command, symtab_length, 0, 0, 0x400, length - 0x400 }, 0..) |word, i| put(u32, &image, symtab + 4 * i, word);
    return image;
}

fn put(comptime T: type, bytes: []u8, at: usize, value: T) void {
    std.mem.writeInt(T, bytes[at..][0..@sizeOf(T)], value, .little);
}

fn fileForTests(tmp: testing.TmpDir, bytes: []const u8) !std.fs.File {
    const file = try tmp.dir.createFile("image", .{ .read = true });
    try file.writeAll(bytes);
    return file;
}

test "a signature follows the payload, and the bare head is recovered" {
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    const image = imageForTests(0x500);
    const file = try fileForTests(tmp, &(image ++ "payload 16 bytes".* ** 300));
    defer file.close();
    const end = 0x500 + 16 * 300;
    try testing.expectEqual(null, signatureOffset(file, end));
    try sign(file, "moo");
    const size = try file_status.length(file);
    try testing.expectEqual(end, signatureOffset(file, size).?);
    try testing.expectEqual(0, size % alignment);
    var last: [32]u8 = undefined;
    const at = end + blob_head_length + directory_length + "moo\x00".len + digest_length;
    _ = try file.preadAll(&last, at);
    var page: [page_length]u8 = undefined;
    const length = try file.preadAll(page[0 .. end - page_length], page_length);
    var hash: Sha256 = .{};
    hash.update(page[0..length]);
    try testing.expectEqual(hash.final(), last);
    var buffer: HeadBuffer = undefined;
    const bare = try readBareHead(file, image.len, &buffer);
    try testing.expectEqualSlices(u8, image[0..bare.len], bare);
    try testing.expectError(error.CorruptZip, sign(file, "moo"));
}

test "a truncated or damaged image is an error" {
    var tmp = testing.tmpDir(.{});
    defer tmp.cleanup();
    var image = imageForTests(0x500);
    const file = try fileForTests(tmp, &image);
    defer file.close();
    var buffer: HeadBuffer = undefined;
    const head_length = (try readBareHead(file, image.len, &buffer)).len;
    try testing.expectError(error.CorruptZip, readBareHead(file, 0x3ff, &buffer));
    for (0..head_length) |length| {
        try testing.expectError(error.CorruptZip, Layout.parse(image[0..length]));
        try file.setEndPos(length);
        try testing.expectEqual(null, signatureOffset(file, length));
    }
    for (0..head_length) |at| for ([_]u8{ 0, 1, 0x7f, 0xff }) |byte| {
        var damaged = image;
        damaged[at] = byte;
        try file.pwriteAll(&damaged, 0);
        sign(file, "moo") catch {};
        _ = readBareHead(file, image.len, &buffer) catch {};
        _ = signatureOffset(file, image.len);
        try file.setEndPos(image.len);
    };
}
